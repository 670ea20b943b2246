"""Choose the trained model for a prediction or an export: a named one, the best candidate, or the shipped one."""

import sys
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from headtohead.errors import DamagedModel, UserError
from headtohead.models.forms import title_of
from headtohead.options.flags import as_flags
from headtohead.options.model import ModelOptions
from headtohead.options.table import ChoiceOptions
from headtohead.runs.finding import READY, named_run
from headtohead.runs.folder import RunFolder
from headtohead.runs.record import name_left_out
from headtohead.trained.candidates import TrainedRun, find_runs, rank
from headtohead.trained.origin import is_made_up, trained_on
from headtohead.trained.shipped import SHIPPED, path_of_model
from headtohead.trained.source import Source, open_source

Result = TypeVar("Result")


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

    @property
    def origin(self) -> str:
        """What it was trained on, in a few words."""
        return trained_on(self.source.facts, self.record, self.source.folder)

    @property
    def made_up(self) -> bool:
        """Whether it was trained on made-up patients."""
        return is_made_up(self.record.get("data", {}) | self.source.facts.data, self.source.folder)

    @property
    def line(self) -> str:
        """Which model it is, what it was trained on, and why it was chosen."""
        return f"model {self.name} ({self.origin}; {self.reason})"


@dataclass(frozen=True)
class Search:
    """What was learned of the runs while a model is chosen, so that none is read, or named in a warning, twice.

    Attributes:
        damaged: run folders that nobody named and that cannot be read, and why.
        find: as `find_runs`.
    """

    damaged: dict[Path, str] = field(default_factory=dict)
    find: Callable[[Path, str], list[TrainedRun]] = field(default_factory=lambda: cache(find_runs))

    def open(self, run: TrainedRun, reason: str) -> Choice | None:
        """Open a run that nobody named; one whose files cannot be read is named, and gives None."""
        if run.folder.path in self.damaged:
            return None
        try:
            return _choice(run, reason)
        except UserError as fault:
            self.damaged[run.folder.path] = str(fault)
            name_left_out(str(fault))
            return None


def with_sound_models(options: ChoiceOptions, files: Path | None, use: Callable[[list[Choice]], Result]) -> Result:
    """Choose models and do with them what reads their weights and raises `DamagedModel` before it changes anything.

    The next candidate may be worse, so a warning names both, and how to insist on the first. In an average
    (`--ensemble`) the others go on without it.

    Raises:
        UserError: as `choose_models`; or a model that was named is damaged, or all are.
    """
    search = Search()
    choices = choose_models(options, files, search)
    while True:
        try:
            return use(choices)
        except DamagedModel as fault:
            run = next((choice.run for choice in choices if choice.run and choice.run.path == fault.folder), None)
            if run is None or options.comparison.run_name:  # named, or the one that comes with the program
                raise
            search.damaged[run.path] = str(fault)
            choices = choose_models(options, files, search)
            taken = ", ".join(choice.name for choice in choices)
            name = f"`run_name` {run.path.name} `comparison` {run.path.parent.name}"
            warning = f"{fault}; {taken} is used instead; to use the damaged one anyway: {name}"
            print(f"warning: {as_flags(warning)}", file=sys.stderr)


def choose_models(options: ChoiceOptions, files: Path | None, search: Search | None = None) -> list[Choice]:
    """Choose what predicts: one model, or several whose probabilities are averaged.

    `--model_path` decides, then `--ensemble` (all trained runs of `--comparison`), then `--run_name` (one run, or
    several with commas). Otherwise it is the best candidate of `trained.candidates`, and without one the model shipped
    with the program. `--model` narrows every choice to runs of that model. Files are what is to be predicted; None
    where that is not known yet.

    Raises:
        UserError: there is no such model, or it cannot be read.
    """
    found = _choose(options, files, search or Search())
    return [replace(choice, source=replace(choice.source, named=options.model.model)) for choice in found]


def _choose(options: ChoiceOptions, files: Path | None, search: Search) -> list[Choice]:
    wanted, settings, model = options.prediction, options.comparison, title_of(options.model.model)
    if wanted.model_path:
        return [_from_path(path_of_model(wanted.model_path), options.model)]
    runs_dir = Path(settings.runs_dir)
    if wanted.ensemble and settings.run_name:
        raise UserError(
            f"`run_name` {settings.run_name}: `ensemble` averages all runs of `comparison`; leave out one of the two "
            "(several runs are averaged without `ensemble`: `run_name=a,b`)"
        )
    if wanted.ensemble:
        return _whole_comparison(runs_dir, settings.comparison, model, search)
    if settings.run_name:
        names = [name.strip() for name in settings.run_name.split(",")]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise UserError(f"`run_name` {settings.run_name}: {twice} is named twice; name each run once")
        return [_named(runs_dir, name, settings.comparison, model) for name in names]
    return [_best_model(options, files, search)]


def _best_model(options: ChoiceOptions, files: Path | None, search: Search) -> Choice:
    """Choose the best candidate among the trained runs; where there is none, and none is damaged, the shipped model.

    Raises:
        UserError: `--comparison` or `--model` leaves no trained run, or all candidates are damaged.
    """
    runs_dir, comparison = Path(options.comparison.runs_dir), options.comparison.comparison
    model = title_of(options.model.model)
    kind, kind_given = options.data.data, "data" in options.given
    runs = search.find(runs_dir, comparison)
    if comparison and not runs:
        raise UserError(
            f"`comparison` {comparison}: no trained model in {runs_dir / comparison}; train one first: `train`"
        )
    of_model = [run for run in runs if not model or run.model == model]
    left_out: list[TrainedRun] = []
    while True:
        ranking = rank(of_model, files, kind, named=bool(comparison), kind_given=kind_given)
        if not ranking.best:
            break
        names = ", ".join(run.name for run in left_out)
        if choice := search.open(ranking.best, ranking.reason + (f"; left out as damaged: {names}" if names else "")):
            return choice
        of_model.remove(ranking.best)
        left_out.append(ranking.best)
    if left_out:
        raise UserError(_all_damaged(len(left_out), search.damaged[left_out[-1].folder.path]))
    shipped = open_source(SHIPPED)
    if comparison or (model and model != shipped.facts.model):
        raise UserError(f"`model` {model}: {_none_of(runs, of_model, runs_dir / comparison, ranking.reason)}")
    why = f"passed over: {ranking.reason}" if ranking.reason else f"no {model or 'run'} is trained here"
    return Choice(shipped, f"shipped with the program; {why}")


def _all_damaged(runs: int, fault: str) -> str:
    """Say that no candidate can be read, and what to do."""
    count = "the only trained run that suits" if runs == 1 else f"so are all {runs} trained runs that suit"
    return f"{fault} ({count}), or name another model, such as `model_path` {SHIPPED}"


def _none_of(runs: list[TrainedRun], of_model: list[TrainedRun], place: Path, faults: str) -> str:
    """Say why `--model` leaves nothing, and what to do."""
    if of_model:
        return (
            f"none of its runs suits these files: {faults}; to use one anyway, name its `comparison`, such as "
            f"{of_model[0].folder.path.parent.name}"
        )
    models = sorted({run.model for run in runs})
    return f"no trained run of it in {place}; " + (
        f"there are runs of {', '.join(models)}" if models else "train it first"
    )


def _from_path(path: Path, model: ModelOptions) -> Choice:
    if path.is_dir():
        choice = Choice(open_source(path), "named by `model_path`")
        _refuse_other_model(choice, model.model, f"`model_path` {path}")
        return choice
    if not path.is_file():
        raise UserError(f"`model_path` {path}: no such bundle or file of weights; check the path")
    from headtohead.trained.foreign import read_foreign

    facts, state = read_foreign(path, model.architecture)
    return Choice(Source(facts, None, state, file=path), "named by `model_path`")


def _whole_comparison(runs_dir: Path, comparison: str, model: str, search: Search) -> list[Choice]:
    if not comparison:
        raise UserError("`ensemble`: needs `comparison=NAME`, whose runs are averaged; or name runs: `run_name=a,b,c`")
    ready = search.find(runs_dir, comparison)
    if not ready:
        raise UserError(
            f"`comparison` {comparison}: no trained model in {runs_dir / comparison}; train first: `compare`"
        )
    members = [run for run in ready if not model or run.model == model]
    if not members:
        raise UserError(f"`model` {model}: {_none_of(ready, [], runs_dir / comparison, '')}")
    about = f"{model} runs of the comparison" if model else "of the comparison"
    found = [choice for run in members if (choice := search.open(run, f"one of {len(members)} {about}"))]
    if not found:
        raise UserError(f"`comparison` {comparison}: no model in it can be read; train again with `overwrite`")
    return found


def _choice(run: TrainedRun, reason: str) -> Choice:
    return Choice(open_source(run.folder.path), reason, run.folder, run.record)


def _named(runs_dir: Path, name: str, comparison: str, model: str) -> Choice:
    run = named_run(runs_dir, name, comparison)
    record = run.record()
    unfinished = "" if record.get("status") in READY else ", though its training is not finished"
    choice = _choice(TrainedRun(run, record), f"named by `run_name`{unfinished}")
    _refuse_other_model(choice, model, f"`run_name` {name}")
    return choice


def _refuse_other_model(choice: Choice, model: str, flag: str) -> None:
    if model and title_of(model) != choice.source.facts.model:
        raise UserError(f"`model` {model}: {flag} is of {choice.source.facts.model}; leave one of the two out")
