"""Choose the trained model for a prediction: the best run, those that were named, or the one shipped with us."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from headtohead.cohort.sequence_names import sequence_in_name
from headtohead.errors import UserError
from headtohead.options import ComparisonOptions, Options
from headtohead.predicting.files.finding import Job
from headtohead.predicting.files.naming import stem
from headtohead.runs.finding import READY, named_run, trained_runs, validation_dice
from headtohead.runs.folder import RunFolder
from headtohead.trained.source import Source, open_source

SHIPPED = Path(__file__).resolve().parents[1] / "shipped" / "lgg-small"
"""The bundle that comes with the program, for those who have trained nothing yet."""

SEEN = {"train": "trained on", "val": "chosen by validation on"}


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
    if wanted.ensemble and settings.run_name:
        raise UserError(
            f"--run_name {settings.run_name}: --ensemble averages all runs of --comparison; leave out one of the two "
            "(several runs are averaged without --ensemble: --run_name a,b)"
        )
    if wanted.ensemble:
        return _whole_comparison(runs_dir, settings.comparison)
    if settings.run_name:
        names = [name.strip() for name in settings.run_name.split(",")]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise UserError(f"--run_name {settings.run_name}: {twice} is named twice; name each run once")
        return [_named(runs_dir, name, settings.comparison) for name in names]
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
        `train`, `val` or `test`; empty where the image is not of the data the run knows. Away from that data, and of a
        bundle, what model.json lists counts: `train` or `val`, by the name of the case's folder.
    """
    case = image.absolute().parent.name
    # Split by slices, a case has some in each part: only the run's own list knows which.
    found = [part for number, part in _split_of(choice, image, case) if number == index + 1]
    return found[0] if found else _listed_part(choice, case)


def part_of_case(choice: Choice, job: Job) -> str:
    """Say whether a model was trained on a case, or on any slice of it.

    Args:
        choice: the model.
        job: the case, which is known by the name of its folder of slices, or of its volume.

    Returns:
        `train`, `val` (it chose epoch, threshold or clean-up), or empty: neither, as far as is known.
    """
    image = job.files[0]
    names = [image.absolute().parent.name]
    if job.kind == "nifti":
        named = sequence_in_name(stem(image))
        names = [stem(image), *([named.case] if named and named.case else [])]
    elif not stem(image).startswith(f"{names[0]}_"):  # a picture that only happens to lie there
        return ""
    for case in names:
        parts = {part for _, part in _split_of(choice, image, case)} or {_listed_part(choice, case)}
        if parts & {"train", "val"}:
            return "train" if "train" in parts else "val"
    return ""


def seen_before(choices: Sequence[Choice], job: Job) -> tuple[str, list[str]]:
    """Say whether any of several models has seen a case, which flatters its Dice.

    Returns:
        The part that says most, `train` before `val`, or empty; and warnings in words.
    """
    parts = [part_of_case(choice, job) for choice in choices]
    warnings = []
    for part, words in SEEN.items():
        number = parts.count(part)
        if number:
            who = "the model was" if len(parts) == 1 else f"{number} of {len(parts)} models were"
            warnings.append(f"{who} {words} this case")
    return next((part for part in SEEN if part in parts), ""), warnings


def _listed_part(choice: Choice, case: str) -> str:
    parts = choice.source.facts.data.get("parts") or {}
    return next((part for part in ("train", "val") if case in parts.get(part, ())), "")


def _split_of(choice: Choice, image: Path, case: str) -> list[tuple[int, str]]:
    """Give number and part of each slice of a case of the run's own data, from its split.csv; none of other data."""
    if choice.run is None or not _lies_in_data(image, choice.record) or not choice.run.split.is_file():
        return []
    with choice.run.split.open(newline="", encoding="utf-8") as rows:
        return [(int(row["slice"]), row["part"]) for row in csv.DictReader(rows) if row["case"] == case]


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
