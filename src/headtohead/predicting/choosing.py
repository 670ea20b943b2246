"""Choose the trained model for a prediction: the best run, those that were named, or the one shipped with us."""

import csv
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from headtohead.errors import UserError
from headtohead.options import ComparisonOptions, Options
from headtohead.runs.folder import RunFolder
from headtohead.trained.source import Source, open_source

READY = ("trained", "finished")
SHIPPED = Path(__file__).resolve().parents[1] / "shipped" / "lgg-small"
"""The bundle that comes with the program, for those who have trained nothing yet."""


@dataclass(frozen=True)
class Choice:
    """A trained model, and why it was chosen.

    Attributes:
        source: the model; its weights are not read yet.
        reason: why it was chosen, in one line.
        run: its run folder; None where the model is no run of ours.
        record: run.json of that folder.
    """

    source: Source
    reason: str
    run: RunFolder | None = None
    record: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """By which a user finds it: comparison and run, or the bundle."""
        return f"{self.run.path.parent.name}/{self.run.path.name}" if self.run else self.source.facts.name


def choose_models(options: Options, about: Path) -> list[Choice]:
    """Choose what predicts: one model, or several whose probabilities are averaged.

    `--model_path` decides, then `--ensemble` (all trained runs of `--comparison`), then `--run_name` (one run, or
    several with commas). Otherwise it is `best_run`; and where no run is trained, the model shipped with the program.

    Args:
        options: all options.
        about: the file or folder to predict.

    Raises:
        UserError: there is no such model, or it cannot be read.
    """
    wanted, settings = options.prediction, options.comparison
    if wanted.model_path:
        return [_from_path(Path(wanted.model_path), options.model.model)]
    runs_dir = Path(settings.runs_dir)
    if wanted.ensemble:
        return _whole_comparison(runs_dir, settings.comparison)
    if settings.run_name:
        return [_named(runs_dir, name, settings.comparison) for name in settings.run_name.split(",")]
    best = best_run(settings, about)
    if best is None:
        return [Choice(open_source(SHIPPED), "shipped with the program; no run is trained here")]
    return [best]


def best_run(settings: ComparisonOptions, about: Path) -> Choice | None:
    """Choose the run with the best validation Dice among those that were trained to their end.

    Runs trained on the data set that the image lies in go before others, because a Dice on one data set says nothing
    about another. `--comparison` narrows the choice to it.

    Returns:
        The run; None where none is trained and no comparison is named.

    Raises:
        UserError: the comparison that is named holds no trained run.
    """
    runs_dir, narrowed = Path(settings.runs_dir), settings.comparison
    ready = {run: record for run, record in _runs(runs_dir, narrowed or "*").items() if record.get("status") in READY}
    if not ready:
        if narrowed:
            raise UserError(
                f"--comparison {narrowed}: no trained model in {runs_dir / narrowed}; train one first: --train"
            )
        return None
    own = {run: record for run, record in ready.items() if _lies_in_data(about, record)}
    best = max(own or ready, key=lambda run: _score(ready[run]))
    count = len(own or ready)
    among = (
        f"best validation Dice {_score(ready[best]):.3f} of {count} trained runs"
        if count > 1
        else "the only trained run"
    )
    if own and len(own) < len(ready):
        among += " on this image's data set"
    return _choice(best, ready[best], among)


def part_of_split(choice: Choice, image: Path, index: int) -> str:
    """Say whether a model was trained on a slice.

    Args:
        choice: the model.
        image: the slice's file.
        index: its place among the slices of its case, from 0.

    Returns:
        `train`, `val` or `test`; empty where the image is not of the data the run knows.
    """
    if choice.run is None or not _lies_in_data(image, choice.record) or not choice.run.split.is_file():
        return ""
    case, number = image.absolute().parent.name, str(index + 1)
    with choice.run.split.open(newline="", encoding="utf-8") as rows:
        return next((row["part"] for row in csv.DictReader(rows) if row["case"] == case and row["slice"] == number), "")


def _from_path(path: Path, model: str) -> Choice:
    if path.is_dir():
        return Choice(open_source(path), "named by --model_path")
    if not path.is_file():
        raise UserError(f"--model_path {path}: no such bundle or file of weights")
    from headtohead.trained.foreign import read_foreign

    facts, state = read_foreign(path, model)
    return Choice(Source(facts, None, state), "named by --model_path")


def _whole_comparison(runs_dir: Path, comparison: str) -> list[Choice]:
    if not comparison:
        raise UserError("--ensemble: needs --comparison NAME, whose runs are averaged; or name runs: --run_name a,b,c")
    ready = {run: record for run, record in _runs(runs_dir, comparison).items() if record.get("status") in READY}
    if not ready:
        raise UserError(
            f"--comparison {comparison}: no trained model in {runs_dir / comparison}; train first: --compare"
        )
    return [_choice(run, record, f"one of {len(ready)} of the comparison") for run, record in ready.items()]


def _choice(run: RunFolder, record: dict[str, Any], reason: str) -> Choice:
    return Choice(open_source(run.path), reason, run, record)


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
    return _choice(found[0], record, f"named by --run_name{unfinished}")


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
