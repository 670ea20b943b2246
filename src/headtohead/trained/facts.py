"""model.json: all that a program must know about a trained model besides its weights. Plain data; no PyTorch."""

from collections.abc import Collection
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from headtohead.errors import UserError
from headtohead.models.forms import Form
from headtohead.models.registry import MODELS, ModelSpec, spec_of_form
from headtohead.preparing.chain import Chain, UnknownStepError
from headtohead.preparing.recipe import RECIPE, chain_of, published_chain
from headtohead.preparing.steps.channels import Channels
from headtohead.readers.tasks import LGG, TASKS
from headtohead.records.json_reader import read_json
from headtohead.records.regular import UnreadableError
from headtohead.runs.record import FILE as RECORD
from headtohead.saving import write_json
from headtohead.task import Task
from headtohead.trained.shape_of_facts import LONGEST, MOST_SEQUENCES, MOST_TARGETS, wrong_value

FILE = "model.json"
FORMAT = 2
"""Raised whenever an older program would read the file wrongly. Format 1 had sequences and plane in place of a task."""


@dataclass(frozen=True)
class ModelFacts:
    """What a trained model is and expects.

    Attributes:
        name: by which a user finds it, such as `lgg_cv/buda-cosine-s0-f0`.
        model: a name of the registry, or the title of another net.
        width: channels of its first level; 0: as published.
        in_channels: channels of its input.
        recipe: how a case becomes its input: the steps of a chain as plain data, or, as earlier versions had it, the
            settings of an `InputRecipe`.
        task: what it segments from what.
        threshold: probability from which a pixel is lesion.
        postprocessing: steps that clean its masks, as `--postprocessing` takes them; empty: none.
        familiar: what its training cases looked like, as `predicting.trust.familiarity` measures it.
        scores: what is known of its quality: `val_dice`, and of the test `mean`, `low`, `high`, `median`, `n`;
            `cross_validated` and `cross_validated_n`, the mean over all cases of the cross-validation it is a fold of.
        net: where the net comes from, if it is no row of the table: `kind`, `source`, `arguments`, and of a file the
            `sha256` of its content, as `models.sources.source_of` gives them.
        data: the data set: `key`, `cases`, `slices`, and its name; `parts`: the names of the cases that it was trained
            on (`train`) and chosen by (`val`), where they are known.
    """

    name: str
    model: str
    width: int
    in_channels: int
    recipe: list[dict[str, Any]] | dict[str, Any]
    task: Task
    threshold: float = 0.5
    postprocessing: str = ""
    familiar: dict[str, Any] = field(default_factory=dict)
    scores: dict[str, Any] = field(default_factory=dict)
    data: dict[str, Any] = field(default_factory=dict)
    net: dict[str, Any] = field(default_factory=dict)

    @property
    def spec(self) -> ModelSpec:
        """What is known of its architecture."""
        return spec_of_form(Form(self.net["kind"], self.model)) if self.net else MODELS[self.model]

    @property
    def idle(self) -> frozenset[str]:
        """The sequences of its task that it is not shown (`inputs`)."""
        chosen, names = self.chain.only(Channels), self.task.sequences
        if chosen is None or len(names) == 1:
            return frozenset()
        return frozenset(name for number, name in enumerate(names) if number not in chosen.order)

    def without_asking_for(self, idle: Collection[str]) -> "ModelFacts":
        """Give the same facts, but for a task for which some sequences may be missing: the primary one stands in."""
        task = self.task
        bound = {*task.stand_ins, *task.stand_ins.values(), task.primary}
        free = [one for one in task.sequences if one in idle and one not in bound]
        if not free:
            return self
        return replace(self, task=replace(task, stand_ins=task.stand_ins | dict.fromkeys(free, task.primary)))

    @cached_property
    def chain(self) -> Chain:
        """The steps that a case goes through.

        Raises:
            ValueError: as `chain_of`.
        """
        return chain_of(self.recipe)

    @property
    def image_size(self) -> int:
        """Pixels of a side of its input."""
        return self.chain.size

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        plain = {one.name: getattr(self, one.name) for one in fields(self)} | {"task": self.task.to_dict()}
        if not self.net:  # as files of before there were others
            del plain["net"]
        return plain

    def write(self, folder: Path) -> None:
        """Write model.json into a folder."""
        write_json(folder / FILE, {"format": FORMAT, **self.to_dict()})


def read_facts(folder: Path) -> ModelFacts:
    """Read model.json from a run folder or a bundle.

    Raises:
        UserError: there is none, or it is of a later version of this program, or damaged: a field is missing, or has
            a value that no model of this program has; the message names the field.
    """
    path = folder / FILE
    mend = "make the bundle again with `export=bundle`"
    if (folder / RECORD).exists():
        mend = "restore it, or delete it and run `test` again, then `tune_postprocessing` if that was used"
    try:
        found = read_json(path)
        if found["format"] not in (1, FORMAT):
            raise UserError(f"{path}: written by another version of this program; update this one, or {mend}")
        found["task"] = _read_task(found, path, mend)
        protocol = found.get("preparation", RECIPE)
        if protocol != RECIPE:  # of a version before chains: a published one by its name
            found["recipe"] = published_chain(protocol, found["in_channels"]).to_dict()
        known = {one.name for one in fields(ModelFacts)}
        facts = ModelFacts(**{name: value for name, value in found.items() if name in known})
        wrong = wrong_field(facts)
    except UnknownStepError as fault:
        raise UserError(
            f"{path}: the model needs the preparation {fault}, which this version does not know; update the program"
        ) from fault
    except FileNotFoundError:
        raise UserError(
            f"{folder}: no {FILE} in it, so it is not a bundle; name a folder that `export=bundle` wrote"
        ) from None
    except (UnreadableError, KeyError, TypeError, AttributeError, ValueError, OSError) as fault:
        raise UserError(f"{path}: damaged; {mend}") from fault
    if wrong:
        raise UserError(f"{path}: damaged ({wrong}); {mend}")
    return facts


def _read_task(found: dict[str, Any], path: Path, mend: str) -> Task:
    """Read the task of a model.json; one of format 1 names only sequences and plane.

    Raises:
        UserError: it is none that a model of this program has.
    """
    try:
        if found["format"] == FORMAT:
            task = Task.from_dict(found["task"])
        else:
            first = TASKS[LGG]
            sequences = tuple(found.get("sequences", first.sequences))
            [task] = [one for one in TASKS.values() if one.sequences == sequences]
            task = replace(task, plane=found.get("plane", first.plane))
        plain = task.to_dict()
        texts = (*task.targets.names, *(str(plain[name]) for name in plain if name != "targets"))
        if len(task.sequences) > MOST_SEQUENCES or len(task.targets) > MOST_TARGETS or max(map(len, texts)) > LONGEST:
            raise ValueError("not of this program")
    except (ValueError, TypeError, KeyError) as fault:
        raise UserError(f"{path}: damaged (task); {mend}") from fault
    return task


def wrong_field(facts: ModelFacts) -> str:
    """Name the first field whose value no model of this program has; empty: all are sound.

    Raises:
        UnknownStepError: its input needs a step that this version does not know.
    """
    wrong = wrong_value({one.name: getattr(facts, one.name) for one in fields(facts)}, facts.task)
    return wrong or _wrong_in_recipe(facts)


def _wrong_in_recipe(facts: ModelFacts) -> str:
    try:
        chain = facts.chain
    except UnknownStepError:
        raise
    except ValueError as fault:
        return f"recipe: {fault}"
    if chain.size % facts.spec.divisor:
        return "recipe: image_size"
    if not chain.suits(len(facts.task.sequences)):
        return "recipe: channels"
    return "" if facts.in_channels == chain.channels else "in_channels"
