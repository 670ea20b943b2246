"""`--score` of masks over images without a truth: agreement and an overlay sheet, no scores, no ranks, no verdict.

Nothing of it is a run folder, so that no report takes it for one.
"""

import hashlib
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from headtohead import __version__
from headtohead.comparing.provenance import command_line
from headtohead.entrants.agreeing import OverImages, compare_cases, compare_pairs_of_masks, pair_over_images
from headtohead.entrants.given import Given
from headtohead.entrants.overlays import draw_overlays
from headtohead.entrants.pairing import key_of_masks
from headtohead.entrants.taken import refuse_taken
from headtohead.entrants.truth import refuse_other_labels
from headtohead.errors import UserError, printable
from headtohead.plurals import count_of
from headtohead.readers.labels import LESION, targets_of
from headtohead.readers.masks import list_images
from headtohead.readers.nnunet import described_targets
from headtohead.reporting.table import render_grids
from headtohead.runs.holding import comparison_held
from headtohead.saving import all_or_none, write_json, write_picture, write_table, write_text
from headtohead.statistics.targets import TARGET
from headtohead.task import Targets, Task
from headtohead.task.task import UNNAMED

RECORD = "agreement.json"
FILES = ("agreement.csv", "agreement_cases.csv", "agreement.md", "overlays.png", RECORD)
HELD = "an agreement without a truth", "the agreement of other masks"
NO_TRUTH = (
    "No truth is known here: agreement says how alike masks are, not which are right. So there are no scores, no "
    "ranking and no verdict."
)


def compare_without_truth(masks: Sequence[Given], images: Path, labels: str, folder: Path, overwrite: bool) -> None:
    """Measure how far every two entrants agree, and write tables and the sheet of overlays; all or nothing.

    Args:
        masks: two or more entrants.
        images: folder of the images that they outlined.
        labels: as `labels`; where it is empty, a dataset.json beside the masks says it, else that of the images' data
            set, else masks are 0 and a value.
        folder: `runs/<comparison>`.
        overwrite: whether the agreement of other masks is replaced.

    Raises:
        UserError: masks or images are missing, damaged or do not fit each other, or the folder holds something else.
    """
    if len(masks) < 2:
        raise UserError(
            f"`masks` {masks[0].name}: without a truth two entrants or more are compared with each other; name another "
            "one, or the true masks with `truth`"
        )
    named = targets_of(labels) if labels else _described(masks, images)
    targets = named or LESION
    task = Task("masks without a truth", (UNNAMED,), UNNAMED, targets)
    refuse_other_labels(masks, targets, "`labels` says" if labels else "another says")
    over = pair_over_images(masks, list_images(images), task, named=named is not None)
    print(f"{images}: the images, {count_of(len(over.cases), 'case')}. {NO_TRUTH}")
    record = _record(over, masks, images)
    check_folder = partial(refuse_taken, folder / RECORD, record["key"], overwrite, "score", *HELD)
    check_folder()
    cases = compare_cases(over)
    pairs = compare_pairs_of_masks(cases)
    sheet = draw_overlays(over, cases)
    text = agreement_in_words(folder.name, pairs, images)
    if len(targets) == 1:
        cases, pairs = (table.drop(columns=TARGET) for table in (cases, pairs))
    with comparison_held(folder):
        check_folder()
        with all_or_none([folder / name for name in FILES], folder) as staged:
            write_table(staged[folder / "agreement.csv"], pairs)
            write_table(staged[folder / "agreement_cases.csv"], cases)
            write_text(staged[folder / "agreement.md"], text)
            write_picture(staged[folder / "overlays.png"], sheet[:, :, ::-1])
            write_json(staged[folder / RECORD], record)
    print(text.split("\n\n", 2)[2].split("\n\n")[0])
    print(f"agreement without a truth, no scores and no verdict: {folder / 'agreement.md'}, {folder / 'overlays.png'}")


def _described(masks: Sequence[Given], images: Path) -> Targets | None:
    """Find what the labels mean, beside the masks or else with the images; None where nothing says it.

    Of one label the images' data set need not say the value: each entrant may mark it with its own.
    """
    if found := next(filter(None, (described_targets(one.folder) for one in masks)), None):
        return found
    with suppress(UserError):  # whatever else is called dataset.json
        found = described_targets(images)
    return found if found and len(found.labels) > 1 else None


def refuse_agreement(folder: Path) -> None:
    """Refuse to score masks into a folder that holds the agreement of others without a truth.

    Raises:
        UserError: it does.
    """
    if (folder / RECORD).is_file():
        raise UserError(f"{folder}: holds an agreement without a truth; choose another `comparison`")


def agreement_in_words(name: str, pairs: pd.DataFrame, images: Path) -> str:
    """Write agreement.md: what was measured, and a row for each pair and target.

    Args:
        name: of the comparison.
        pairs: as `agreeing.compare_pairs_of_masks` gives them.
        images: folder of the images.
    """
    several = len(set(pairs[TARGET])) > 1
    columns = [*(["target"] if several else []), "a", "b", "n", "mean Dice (95 % interval)", "median"]
    grid = [[*columns, "one empty", "both empty"]]
    for row in pairs.to_dict("records"):
        interval = f" ({row['low']:.3f} to {row['high']:.3f})" if row["low"] == row["low"] else ""
        dice = [f"{row['mean']:.3f}{interval}", f"{row['median']:.3f}"] if row["n"] else ["-", "-"]
        about = [*([row[TARGET]] if several else []), row["a"], row["b"], row["n"]]
        grid.append([*map(str, about), *dice, str(row["one_empty"]), str(row["both_empty"])])
    total = int(pairs["cases"].iloc[0])
    notes = (
        f"Dice between the masks of two entrants over {count_of(total, 'case')} of {printable(images)}, whole volumes "
        "in 3-D. Of these, n are those that either of the two marks: one that only one marks counts with Dice 0, one "
        "that neither marks has none. Intervals are bootstrapped over cases, and there is none below three cases."
    ) + (" The mean over targets is of each case over those that either marks." if several else "")
    files = "agreement_cases.csv has every case with the volumes of both; overlays.png shows where masks differ most."
    return render_grids({f"Agreement: {name}": grid}, [notes, files], NO_TRUTH)


def _record(over: OverImages, masks: Sequence[Given], images: Path) -> dict[str, Any]:
    """Say what was compared; the key is the same wherever the masks lie."""
    keys = {name: key_of_masks(dict(sorted(files.items()))) for name, files in over.files.items()}
    targets = over.task.targets.to_dict()
    return {
        "truth": None,
        "about": NO_TRUTH,
        "images": str(images),
        "cases": len(over.cases),
        "targets": targets,
        "masks": {one.name: {"folder": str(one.folder), "key": keys[one.name]} for one in masks},
        "key": hashlib.blake2b(f"{keys} {targets}".encode(), digest_size=16).hexdigest(),
        "headtohead": __version__,
        "command": command_line(),
    }
