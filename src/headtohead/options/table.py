"""All options in their groups, as one value and as a flat dictionary."""

import dataclasses
from collections.abc import Collection, Mapping
from dataclasses import Field, dataclass, field
from typing import Any, TypeVar

from headtohead.errors import UserError, did_you_mean
from headtohead.options.comparison import ComparisonOptions
from headtohead.options.data import DataOptions
from headtohead.options.declaring import description_of
from headtohead.options.files import FileOptions
from headtohead.options.group import Group, declarations
from headtohead.options.input import InputOptions
from headtohead.options.machine import MachineOptions
from headtohead.options.model import ModelOptions
from headtohead.options.prediction import PredictionOptions
from headtohead.options.scoring import ScoringOptions
from headtohead.options.serving import ServingOptions
from headtohead.options.starting import StartingOptions
from headtohead.options.training import TrainingOptions
from headtohead.options.verbs import Verbs


@dataclass(frozen=True)
class ChoiceOptions:
    """The groups that choose a trained model and open it.

    `given` has the names of the flags on the command line: some verbs take from elsewhere what was left at its default,
    and must not do so where a user has written the default out.
    """

    data: DataOptions = field(default_factory=DataOptions)
    model: ModelOptions = field(default_factory=ModelOptions)
    comparison: ComparisonOptions = field(default_factory=ComparisonOptions)
    prediction: PredictionOptions = field(default_factory=PredictionOptions)
    machine: MachineOptions = field(default_factory=MachineOptions)
    given: frozenset[str] = field(default=frozenset(), compare=False)


@dataclass(frozen=True)
class RunOptions(ChoiceOptions):
    """The groups that one experiment is made with."""

    input: InputOptions = field(default_factory=InputOptions)
    training: TrainingOptions = field(default_factory=TrainingOptions)
    starting: StartingOptions = field(default_factory=StartingOptions)


@dataclass(frozen=True)
class Options(RunOptions):
    """All options of one command, in their groups. Made by `parsing.parse` and checked here."""

    verbs: Verbs = field(default_factory=Verbs)
    files: FileOptions = field(default_factory=FileOptions)
    serving: ServingOptions = field(default_factory=ServingOptions)
    scoring: ScoringOptions = field(default_factory=ScoringOptions)


Some = TypeVar("Some", bound=ChoiceOptions)
GROUPS: dict[str, type[Group]] = {
    "verbs": Verbs,
    "data": DataOptions,
    "input": InputOptions,
    "model": ModelOptions,
    "training": TrainingOptions,
    "starting": StartingOptions,
    "comparison": ComparisonOptions,
    "scoring": ScoringOptions,
    "prediction": PredictionOptions,
    "files": FileOptions,
    "serving": ServingOptions,
    "machine": MachineOptions,
}
"""In the order of `--help`."""
OPTIONS: dict[str, "Field[Any]"] = {one.name: one for group in GROUPS.values() for one in declarations(group)}


def flat(options: ChoiceOptions, verbs: bool = False) -> dict[str, Any]:
    """Give options as one dictionary of plain values (lists for tuples), in the order of `--help`.

    What to do is part of it only with `verbs`, and what concerns one command (`--config`, `--print_config`) never.
    """
    values: dict[str, Any] = {}
    for group, kind in GROUPS.items():
        there = hasattr(options, group) and (verbs or group != "verbs")
        for one in declarations(kind) if there else ():
            if description_of(one).stored:
                value = getattr(getattr(options, group), one.name)
                values[one.name] = list(value) if isinstance(value, tuple) else value
    return values


def from_flat(values: Mapping[str, Any], given: Collection[str] = ()) -> Options:
    """Make options from a dictionary such as `flat` gives; what it leaves out has its default.

    Raises:
        UserError: a name is unknown, or a value is refused.
    """
    for name in values:
        known_option(name, f"`{name}`")
    return Options(
        **{
            group: kind(**{one.name: values[one.name] for one in declarations(kind) if one.name in values})
            for group, kind in GROUPS.items()
        },  # type: ignore[arg-type]
        given=frozenset(given),
    )


def replace(options: Some, **changes: Any) -> Some:
    """Give a copy of `options` with some of them changed by name: `replace(options, seed=1)`.

    Raises:
        UserError: a name is unknown, or a value is refused.
    """
    for name in changes:
        known_option(name, f"`{name}`")
    changed: dict[str, Any] = {}
    for group, kind in GROUPS.items():
        if own := {one.name: changes[one.name] for one in declarations(kind) if one.name in changes}:
            changed[group] = dataclasses.replace(getattr(options, group), **own)
    return dataclasses.replace(options, **changed)


def known_option(name: str, label: str) -> "Field[Any]":
    """Find an option by name; `label` is what the user knows it by: a name in backquotes, or `demo.yaml: batch_size`.

    Raises:
        UserError: there is none; the nearest name is suggested.
    """
    if name not in OPTIONS:
        raise UserError(f"{label}: no such option{did_you_mean(name, OPTIONS)}")
    return OPTIONS[name]
