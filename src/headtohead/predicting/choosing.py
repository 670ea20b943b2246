"""Choose the trained model for a prediction: the best run there is, or the one that was named."""

import csv
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from headtohead.errors import UserError
from headtohead.options import ComparisonOptions
from headtohead.runs.folder import RunFolder

READY = ("trained", "finished")


@dataclass(frozen=True)
class Choice:
    """A run that holds a trained model.

    Attributes:
        folder: its run folder.
        record: its run.json.
        reason: why it was chosen, in one line.
    """

    folder: RunFolder
    record: dict[str, Any]
    reason: str

    @property
    def name(self) -> str:
        """Comparison and run, by which a user finds the folder."""
        return f"{self.folder.path.parent.name}/{self.folder.path.name}"


def choose_run(settings: ComparisonOptions, image: Path) -> Choice:
    """Choose the run to predict an image with.

    A name (`--run_name`) decides. Otherwise it is the run with the best validation Dice among those that were
    trained to their end; runs trained on the data set that the image lies in go before others, because a Dice on
    one data set says nothing about another. `--comparison` narrows the choice to it.

    Raises:
        UserError: there is no such run, or none that is trained.
    """
    runs_dir = Path(settings.runs_dir)
    narrowed = settings.comparison
    if settings.run_name:
        return _named(runs_dir, settings.run_name, narrowed)
    ready = {run: record for run, record in _runs(runs_dir, narrowed or "*").items() if record.get("status") in READY}
    if not ready:
        where = runs_dir / narrowed
        raise UserError(f"--image_path: no trained model in {where}; train one first: --train")
    own = {run: record for run, record in ready.items() if _lies_in_data(image, record)}
    best = max(own or ready, key=lambda run: _score(ready[run]))
    count = len(own or ready)
    among = (
        f"best validation Dice {_score(ready[best]):.3f} of {count} trained runs"
        if count > 1
        else "the only trained run"
    )
    if own and len(own) < len(ready):
        among += " on this image's data set"
    return Choice(best, ready[best], among)


def part_of_split(choice: Choice, image: Path, index: int) -> str:
    """Say whether a run trained on a slice.

    Args:
        choice: the run.
        image: the slice's file.
        index: its place among the slices of its case, from 0.

    Returns:
        `train`, `val` or `test`; empty where the image is not of the data the run knows.
    """
    split = choice.folder.split
    if not _lies_in_data(image, choice.record) or not split.is_file():
        return ""
    case, number = image.absolute().parent.name, str(index + 1)
    with split.open(newline="", encoding="utf-8") as rows:
        return next((row["part"] for row in csv.DictReader(rows) if row["case"] == case and row["slice"] == number), "")


def _named(runs_dir: Path, name: str, narrowed: str) -> Choice:
    found = [run for run in _folders(runs_dir, narrowed or "*") if run.path.name == name]
    if not found:
        where = runs_dir / narrowed
        known = ", ".join(sorted({run.path.name for run in _runs(runs_dir, narrowed or "*")}))
        raise UserError(
            f"--run_name {name}: no such run in {where}; {f'there are: {known}' if known else 'train first: --train'}"
        )
    if len(found) > 1:
        places = ", ".join(run.path.parent.name for run in found)
        raise UserError(f"--run_name {name}: there is one in each of {places}; choose with --comparison")
    if not found[0].best.is_file():
        raise UserError(f"--run_name {name}: {found[0].path} holds no trained model yet; train it first: --train")
    record = found[0].record()
    unfinished = "" if record.get("status") in READY else ", though its training is not finished"
    return Choice(found[0], record, f"named by --run_name{unfinished}")


def _folders(runs_dir: Path, comparison: str) -> list[RunFolder]:
    return [RunFolder(path.parent) for path in sorted(runs_dir.glob(f"{comparison}/*/run.json"))]


def _runs(runs_dir: Path, comparison: str) -> dict[RunFolder, dict[str, Any]]:
    """All runs that hold a model, with their records; a folder with a damaged record is no candidate."""
    runs = {}
    for run in _folders(runs_dir, comparison):
        if not run.best.is_file():
            continue
        try:
            runs[run] = run.record()
        except UserError:
            continue
    return runs


def _score(record: dict[str, Any]) -> float:
    value = record.get("best_val_dice")
    return value if isinstance(value, int | float) and not math.isnan(value) else -1.0


def _lies_in_data(image: Path, record: dict[str, Any]) -> bool:
    root = record.get("data", {}).get("root")
    return bool(root) and image.resolve().is_relative_to(Path(root).resolve())
