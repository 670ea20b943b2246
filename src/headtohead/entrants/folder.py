"""The run folder of an entrant that was not trained here: scores and masks of its cases, and where they are from."""

from pathlib import Path
from typing import Any

from headtohead.batches.splits import Split
from headtohead.cohort import Cohort
from headtohead.comparing.outcome import outcome
from headtohead.comparing.provenance import made_under, now, split_facts
from headtohead.entrants.pairing import PairedMasks
from headtohead.entrants.reading import read_mask_slices
from headtohead.entrants.truth import Truth
from headtohead.errors import UserError
from headtohead.machine import describe_software
from headtohead.options.comparison import UNTRAINED
from headtohead.plurals import count_of
from headtohead.runs.folder import RunFolder
from headtohead.runs.record import FILE
from headtohead.saving import write_json

PACKAGES = ("numpy", "scipy", "opencv-python-headless")
"""Those that a score of masks depends on."""


def shared_facts(cohort: Cohort, comparison: str) -> dict[str, Any]:
    """Collect what run.json says besides the entrant and its split: command, versions, data, protocol."""
    return made_under(cohort, comparison, describe_software(PACKAGES))


def record_of(name: str, folder: Path, cohort: Cohort, split: Split, facts: dict[str, Any]) -> dict[str, Any]:
    """Make the run.json of an entrant on one split; facts are those of `shared_facts`, and what else is to be said."""
    return {
        **facts,
        "split": split_facts(cohort, split),
        "status": "finished",
        "experiment": {
            "model": name,
            "schedule": UNTRAINED,
            "seed": None,
            "fold": split.fold,
            "name": folder.name,
        },
        "error": None,
    }


def write_entrant(folder: Path, entrant: PairedMasks, truth: Truth, split: Split, facts: dict[str, Any]) -> None:
    """Score the masks of an entrant on the test cases of a split and write its run folder, run.json last.

    Args:
        folder: temporary, named as the run folder.
        entrant: its masks.
        truth: what they are scored against.
        split: whose test cases are scored.
        facts: as for `record_of`.

    Raises:
        UserError: a mask cannot be read, or does not fit the truth.
    """
    cohort, started, empty = truth.cohort, now(), []
    run = RunFolder(folder)
    with outcome(run, cohort, split) as found:
        for case in map(int, split.cases(cohort, "test")):
            files = truth.files.cases[case]
            try:
                own, square = entrant.files[files.name], truth.files.reader.square
                mask = read_mask_slices(files, own, cohort.task, entrant.marks, square)
            except UserError as fault:
                raise UserError(f"`masks` {entrant.given.name}: {fault}") from fault
            if not mask.any() and cohort.table["lesion_voxels"].iloc[case]:  # else there was nothing to find
                empty.append(files.name)
            found.add(case, mask[:, found.tested(case)])
        scores = found.facts()
    split.write(cohort, run.split)
    if empty:
        print(f"{entrant.given.name}: empty masks: {count_of(len(empty), 'test case')}, such as {empty[0]}")
    ended = now()
    record = record_of(entrant.given.name, folder, cohort, split, facts) | {"masks": entrant.source, **scores}
    write_json(folder / FILE, record | {"started": started, "ended": ended, "tested": ended})
