"""One or several trained models at work as one: a scan goes in, the probability of its targets comes out."""

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from headtohead.errors import UserError
from headtohead.options.machine import MachineOptions
from headtohead.options.prediction import PredictionOptions
from headtohead.options.table import ChoiceOptions
from headtohead.predicting.cleaning.postprocessing import NO_CLEAN_UP, CleanUp, parse_clean_up
from headtohead.predicting.scan import Scan
from headtohead.preparing.chain import Prepared
from headtohead.trained.choosing import Choice, with_sound_models
from headtohead.trained.engines import Engine, open_engine
from headtohead.trained.engines.ahead import EngineAhead
from headtohead.trained.engines.opening import say_unread_files
from headtohead.trained.facts import ModelFacts

PIXELS = 64 * 128 * 128
"""Input pixels given to an engine at once, roughly: enough to keep all cores busy, few enough for the memory."""


@dataclass(frozen=True)
class Estimate:
    """What the models say of a scan, on the grid of `Scan.volume`: float32 [K, slices, H, W].

    Attributes:
        probability: of each target, mean over the models.
        variance: between the models; None where there is one model.
    """

    probability: np.ndarray
    variance: np.ndarray | None


class Inputs:
    """The inputs that a model gets of a volume, in batches; the first is made at once."""

    def __init__(self, prepared: Prepared, wanted: slice, by_slice: bool) -> None:
        """Make the first batch; an input for each wanted slice, or if not `by_slice` all that the volume gives."""
        self.prepared, self.wanted, self.by_slice = prepared, wanted, by_slice
        self.places = range(prepared.n)[wanted] if by_slice else range(prepared.n)
        first = prepared.input(self.places[0])
        self.size = max(1, PIXELS // first[0].size)
        self.first = np.stack([first, *map(prepared.input, self.places[1 : self.size])])

    def restore(self, answers: np.ndarray) -> np.ndarray:
        """Bring answers, float32 [n, K, S, S], onto the grid of the volume: [K, wanted slices, H, W]."""
        found = [self.prepared.restore(answers[:, target]) for target in range(answers.shape[1])]
        if not self.by_slice:
            found = [whole[self.wanted] for whole in found]
        return np.stack(found) if len(found) > 1 else found[0][None]

    def batches(self) -> Iterator[np.ndarray]:
        """Give all inputs in their order: float32 [n, C, S, S] at a time."""
        yield self.first
        for start in range(self.size, len(self.places), self.size):
            yield np.stack([self.prepared.input(place) for place in self.places[start : start + self.size]])


@dataclass(frozen=True)
class Predictor:
    """Trained models with their engines open.

    Attributes:
        choices: the models and why they were chosen.
        engines: what runs each of them.
        threshold: probability from which a voxel is lesion.
        clean_up: of the label maps.
        mirror: whether each slice is also predicted mirrored left to right, and both answers averaged.
    """

    choices: tuple[Choice, ...]
    engines: tuple[Engine, ...]
    threshold: float
    clean_up: CleanUp = NO_CLEAN_UP
    mirror: bool = False

    @property
    def facts(self) -> ModelFacts:
        """Those of the first model; of several, the sequences and the plane of the task are the same."""
        return self.choices[0].source.facts

    @property
    def idle(self) -> frozenset[str]:
        """The sequences of the task that no model is shown."""
        return _idle(self.choices)

    @property
    def members(self) -> int:
        """How many models are averaged."""
        return len(self.choices)

    @property
    def name(self) -> str:
        """What to call it in a line."""
        others = f" and {self.members - 1} more" if self.members > 1 else ""
        return f"{self.choices[0].name}{others}"

    def ready(self) -> None:
        """Wait until all engines are open; what `open_choices` says of a model that cannot be read is raised now."""
        for engine in self.engines:
            if isinstance(engine, EngineAhead):
                engine.ready()

    def __call__(self, scan: Scan) -> Estimate:
        """Predict the slices of a scan."""
        inputs = self.prepare(scan)
        return self.combine(inputs, self.ask(inputs))

    def prepare(self, scan: Scan) -> tuple[Inputs, ...]:
        """Prepare a scan for each model, once for all that want it alike. No model is asked yet.

        With `ask` and `combine` after it, it is what a call does, in three steps that can overlap: of several scans,
        only `ask` keeps all cores busy.
        """
        chains = [choice.source.facts.chain for choice in self.choices]
        alike = {str(one.to_dict()): one for one in chains}
        done = {key: Inputs(Prepared(one, scan.volume), scan.wanted, one.slicewise) for key, one in alike.items()}
        return tuple(done[str(one.to_dict())] for one in chains)

    def ask(self, inputs: tuple[Inputs, ...]) -> tuple[np.ndarray, ...]:
        """Ask each model for the probability of its inputs: float32 [inputs, K, S, S] of each."""
        return tuple(
            np.concatenate([self._answer(engine, batch) for batch in one.batches()])
            for engine, one in zip(self.engines, inputs, strict=True)
        )

    def _answer(self, engine: Engine, batch: np.ndarray) -> np.ndarray:
        answer = engine(batch)
        return (answer + engine(batch[..., ::-1])[..., ::-1]) / 2 if self.mirror else answer

    def combine(self, inputs: tuple[Inputs, ...], answers: tuple[np.ndarray, ...]) -> Estimate:
        """Bring the answers onto the grid of the scan, and average them."""
        mean = inputs[0].restore(answers[0])
        if self.members == 1:
            return Estimate(mean, None)
        # Welford's way: neither all members' maps at once, nor the cancellation of a difference of squares.
        spread = np.zeros_like(mean)
        for number, (one, answer) in enumerate(zip(inputs[1:], answers[1:], strict=True), 2):
            planes = (values.reshape(-1, *values.shape[2:]) for values in (one.restore(answer), mean, spread))
            for plane_found, plane_mean, plane_spread in zip(*planes, strict=True):
                step = plane_found - plane_mean
                plane_mean += step / number
                plane_spread += step * (plane_found - plane_mean)
        spread /= self.members
        return Estimate(mean, spread)


def open_predictor(options: ChoiceOptions, files: Path | None = None, many: bool = True) -> Predictor:
    """Choose the models for some files and open them; a damaged one that nobody named gives way to the next.

    Raises:
        UserError: as `with_sound_models`, or as `open_choices`.
    """

    def opened(choices: list[Choice]) -> Predictor:
        predictor = open_choices(choices, options.prediction, options.machine, many)
        if any(choice.run for choice in choices) and not options.comparison.run_name:
            predictor.ready()  # now, since what is read of a scan depends on the model
        return predictor

    return with_sound_models(options, files, opened)


def open_choices(
    choices: list[Choice], wanted: PredictionOptions, machine: MachineOptions, many: bool = True
) -> Predictor:
    """Open the models that were chosen.

    If `many` slices will be asked for, the engines are opened while the caller goes on, until `Predictor.ready` or the
    first question; a single slice is better served by what starts soonest.

    Raises:
        UserError: several models do not go together, or a step of the clean-up is not understood. Now or, with
            `many`, at `Predictor.ready`: a model cannot be read.
    """
    facts = [choice.source.facts for choice in choices]
    for choice, other in zip(choices, facts, strict=True):
        for name in ("sequences", "plane", "targets"):
            if getattr(other.task, name) != getattr(facts[0].task, name):
                raise UserError(
                    f"`run_name`: {choices[0].name} and {choice.name} differ in {name}, so they cannot be averaged; "
                    "leave one of them out"
                )
    targets = facts[0].task.targets
    alike = len({other.postprocessing for other in facts}) == 1
    stored = facts[0].postprocessing if alike else ""
    if many and not wanted.postprocessing and not alike:
        kept = ", ".join(
            f"{one.name} {other.postprocessing or 'none'}" for one, other in zip(choices, facts, strict=True)
        )
        print(
            f"clean-up differs between the models ({kept}), so none is applied; choose one with --postprocessing",
            file=sys.stderr,
        )
    openings = [
        partial(open_engine, one.source, wanted.engine, machine.gpus, machine.precision, many) for one in choices
    ]
    say_unread_files([one.source for one in choices], wanted.engine, machine.gpus, many, machine.precision)
    engines: list[Engine] = [EngineAhead(opening) if many else opening() for opening in openings]
    label = "`postprocessing`" if wanted.postprocessing else f"{facts[0].name}: clean-up"
    clean_up = parse_clean_up(wanted.postprocessing or stored, targets, label)
    threshold = wanted.threshold or float(np.mean([other.threshold for other in facts]))
    asked = [
        replace(one, source=replace(one.source, facts=one.source.facts.without_asking_for(_idle(choices))))
        for one in choices
    ]
    return Predictor(tuple(asked), tuple(engines), threshold, clean_up, wanted.tta)


def _idle(choices: Iterable[Choice]) -> frozenset[str]:
    return frozenset.intersection(*(choice.source.facts.idle for choice in choices))
