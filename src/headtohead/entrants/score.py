"""The verb `score`: masks of any program as entrants of a comparison, then everything that a report writes.

Truth and splits are settled first, then every mask is paired, read and scored, and only then does anything appear in
the comparison. PyTorch is never imported.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

from headtohead.batches.splits import Split, whole_split
from headtohead.comparing.provenance import split_facts
from headtohead.entrants.folder import shared_facts, write_entrant
from headtohead.entrants.given import Given, entrant_folders, given_masks
from headtohead.entrants.pairing import PairedMasks, pair_masks
from headtohead.entrants.scores import compare_scores
from headtohead.entrants.splits import splits_of_runs
from headtohead.entrants.truth import Truth, is_truth_of_runs, open_truth, refuse_other_labels, truth_of_runs
from headtohead.entrants.without_truth import compare_without_truth, refuse_agreement
from headtohead.errors import UserError
from headtohead.options.comparison import AGREED, SCORED, is_given
from headtohead.options.data import DataOptions
from headtohead.options.scoring import ScoringOptions
from headtohead.options.table import Options
from headtohead.reporting.margin import margin_of
from headtohead.reporting.rescoring import rescore
from headtohead.reporting.rewriting import write_held
from headtohead.runs.agreement import refuse_unlike
from headtohead.runs.finding import only_comparison
from headtohead.runs.folder import RunFolder
from headtohead.runs.holding import comparison_held
from headtohead.runs.ledger import Ledger
from headtohead.runs.reading import read_ledger
from headtohead.saving import replace_folder, sync, temporary_folder
from headtohead.scoring.protocol import PROTOCOL

Wanted = dict[str, tuple[PairedMasks, Split]]
"""Name of a run folder -> whose it is, and on which split."""


def score_masks(options: Options) -> Path:
    """Carry out `--score`: score folders of masks, write a run folder for each, and the report of the comparison.

    With `scores` there are no masks: they are compared as they are. With `images` and no `truth` the agreement of the
    masks is measured, see `without_truth`. An entrant that is there with the same masks is
    kept. Gives the comparison's folder.

    Raises:
        UserError: truth or masks are missing, damaged or do not fit each other, or the comparison was made on another
            truth; nothing is written then.
    """
    if options.scoring.scores:
        return compare_scores(Path(options.scoring.scores), options.comparison)
    masks = given_masks(options.scoring.masks)
    runs_dir, truth_given = Path(options.comparison.runs_dir), bool(options.scoring.truth)
    again = options.comparison.overwrite
    if options.scoring.images and not truth_given:
        folder = runs_dir / (options.comparison.comparison or AGREED)
        _refuse_trained(folder)
        compare_without_truth(masks, Path(options.scoring.images), options.data.labels, folder, again)
        return folder
    name = options.comparison.comparison or (SCORED if truth_given else only_comparison(runs_dir, "score"))
    folder = runs_dir / name
    refuse_agreement(folder)
    ledger = _staying(folder, masks if again and truth_given else [])
    kind = options.data.data if "data" in options.given else ""
    truth = _truth(options.scoring, options.data, kind, masks, ledger, folder)
    refuse_other_labels(masks, truth.cohort.task.targets)
    if ledger and again and not truth_given and ledger.finished[0].fact("data", "key") != truth.cohort.key:
        ledger = _staying(folder, masks)  # the truth was corrected
    splits = splits_of_runs(ledger, truth.cohort) if ledger else [whole_split(truth.cohort)]
    wanted = _wanted(masks, truth, splits)
    facts = shared_facts(truth.cohort, name)
    if (margin := margin_of(options)) is not None:
        facts["margin"] = margin
    _refuse_other_masks(folder, wanted, again)
    made = {run: one for run, one in wanted.items() if again or not _is_current(folder / run, one, facts)}
    for run in wanted.keys() - made.keys():
        print(f"{run}: the same masks were scored before, kept")
    with temporary_folder(folder.parent, becomes=folder) as temporary:
        new = temporary / folder.name  # so deep that nobody who looks for runs meanwhile finds them
        for run, (entrant, split) in made.items():
            print(f"{run}: scoring {entrant.given.folder}")
            write_entrant(new / run, entrant, truth, split, facts)
            for path in (new / run).iterdir():
                sync(path)
        with comparison_held(folder):
            _refuse_other_masks(folder, wanted, again)  # another command may have written it meanwhile
            _refuse_other_runs(folder, truth, wanted, facts)
            folder.mkdir(parents=True, exist_ok=True)
            for run in made:
                replace_folder(new / run, folder / run)
            sync(folder)
            write_held(folder, truth.cohort, options.comparison.case_gifs, read_ledger(folder), margin)
    return folder


def _refuse_trained(folder: Path) -> None:
    """Refuse images in place of the truth that the runs of a comparison have."""
    if folder.is_dir() and read_ledger(folder, agreeing=False).finished:
        raise UserError(
            f"`images`: {folder} holds finished runs, whose data have a truth; leave `images` out to score the masks "
            "on them, or choose another `comparison`"
        )


def _staying(folder: Path, replaced: list[Given]) -> Ledger | None:
    """Read the runs of a comparison but those that are replaced, whatever their truth; None where no finished one is.

    They say on which cases the masks are scored.
    """
    if not folder.is_dir():
        return None
    names = {one.name for one in replaced}
    gone = {run.name for run in read_ledger(folder, agreeing=False).runs if run.is_given and run.entrant[0] in names}
    ledger = read_ledger(folder, without=gone, agreeing=False)
    return ledger if ledger.finished else None


def _truth(
    scoring: ScoringOptions, data: DataOptions, kind: str, masks: list[Given], ledger: Ledger | None, folder: Path
) -> Truth:
    if scoring.truth:
        place = Path(scoring.truth)
        if ledger and not kind and is_truth_of_runs(place, ledger, data):
            return truth_of_runs(ledger, data, scoring.images)
        return open_truth(place, data, kind, scoring.images, masks)
    if ledger is None:
        raise UserError(
            f"`score`: {folder} holds no finished run whose test cases could be the truth; name the true masks with "
            "`truth`, or the `images` for the agreement of masks without a truth, or another `comparison`"
        )
    return truth_of_runs(ledger, data)


def _wanted(masks: list[Given], truth: Truth, splits: list[Split]) -> Wanted:
    """Pair the masks of every entrant with the test cases, and name its run folders."""
    names, cases = truth.cohort.table["case"], truth.files.cases
    tested = {str(names.iloc[int(case)]) for split in splits for case in split.cases(truth.cohort, "test")}
    folds = {split.fold: split for split in splits}
    wanted: Wanted = {}
    for one in masks:
        entrant = replace(pair_masks(one, cases, tested), marks=truth.marks)
        for fold, run in entrant_folders(one.name, list(folds), max(split.folds for split in splits)).items():
            wanted[run] = entrant, folds[fold]
    return wanted


def _refuse_other_masks(folder: Path, wanted: Wanted, overwrite: bool) -> None:
    """Refuse a name under which something else lies: a trained run is never replaced, other masks where asked."""
    for run, (entrant, _) in wanted.items():
        if not (folder / run).exists():
            continue
        record = RunFolder(folder / run).record()
        said = record.get("experiment", {})
        if not is_given(str(said.get("model")), str(said.get("schedule"))):
            raise UserError(f"`masks` {entrant.given.name}: {folder / run} is no folder of masks; choose another name")
        if (record.get("masks") or {}).get("key") != entrant.key and not overwrite:
            before = (record.get("masks") or {}).get("folder")
            raise UserError(
                f"`masks` {entrant.given.name}: other masks of this name were scored before (from {before}); choose "
                "another name, or add `overwrite`"
            )


def _is_current(folder: Path, wanted: tuple[PairedMasks, Split], facts: dict[str, Any]) -> bool:
    """Say whether a run folder holds the scores of these very masks, made as they would be made now."""
    entrant, split = wanted
    run = RunFolder(folder)
    record = run.record() if folder.exists() else {}
    return (
        record.get("status") == "finished"
        and all(path.is_file() for path in (run.cases, run.slices, run.masks, run.split))
        and (record.get("masks") or {}).get("key") == entrant.key
        and record.get("protocol") == PROTOCOL
        and record.get("data", {}).get("key") == facts["data"]["key"]
        and record.get("split", {}).get("key") == split.key
        and record.get("margin") == facts.get("margin")
    )


def _refuse_other_runs(folder: Path, truth: Truth, wanted: Wanted, facts: dict[str, Any]) -> None:
    """Refuse entrants that could not share a table with the runs that stay; old runs are first scored as of now."""
    if not folder.is_dir():
        return
    for fault in rescore(read_ledger(folder, without=wanted.keys(), agreeing=False), truth.cohort).values():
        raise UserError(fault)
    ledger = read_ledger(folder, without=wanted.keys())
    for split in {split.fold: split for _, split in wanted.values()}.values():
        runs = tuple(run for run in ledger.finished if (run.experiment["fold"] or 0) == split.fold)
        refuse_unlike(replace(ledger, runs=runs), {**facts, "split": split_facts(truth.cohort, split)})
