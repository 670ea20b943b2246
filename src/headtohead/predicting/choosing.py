"""Choose the trained model for a prediction: the best run, those that were named, or the one shipped with us."""

import csv
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from headtohead.errors import UserError
from headtohead.options import ComparisonOptions, Options
from headtohead.runs.finding import READY, named_run, trained_runs, validation_dice
from headtohead.runs.folder import RunFolder
from headtohead.trained.source import Source, open_source

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
    ready = trained_runs(runs_dir, narrowed)
    if not ready:
        if narrowed:
            raise UserError(
                f"--comparison {narrowed}: no trained model in {runs_dir / narrowed}; train one first: --train"
            )
        return None
    own = {run: record for run, record in ready.items() if _lies_in_data(about, record)}
    best = max(own or ready, key=lambda run: validation_dice(ready[run]))
    count = len(own or ready)
    among = (
        f"best validation Dice {validation_dice(ready[best]):.3f} of {count} trained runs"
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
    ready = trained_runs(runs_dir, comparison)
    if not ready:
        raise UserError(
            f"--comparison {comparison}: no trained model in {runs_dir / comparison}; train first: --compare"
        )
    return [_choice(run, record, f"one of {len(ready)} of the comparison") for run, record in ready.items()]


def _choice(run: RunFolder, record: dict[str, Any], reason: str) -> Choice:
    return Choice(open_source(run.path), reason, run, record)


def _named(runs_dir: Path, name: str, narrowed: str) -> Choice:
    run = named_run(runs_dir, name, narrowed)
    record = run.record()
    unfinished = "" if record.get("status") in READY else ", though its training is not finished"
    return _choice(run, record, f"named by --run_name{unfinished}")


def _lies_in_data(image: Path, record: dict[str, Any]) -> bool:
    root = record.get("data", {}).get("root")
    return bool(root) and image.resolve().is_relative_to(Path(root).resolve())
