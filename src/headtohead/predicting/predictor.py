"""One or several trained models at work as one: a scan goes in, its probability comes out."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from headtohead.errors import UserError
from headtohead.options.table import Options
from headtohead.predicting.cleaning.postprocessing import Step, parse_steps
from headtohead.predicting.scan import Scan
from headtohead.preparing.chain import Prepared
from headtohead.trained.choosing import Choice
from headtohead.trained.engines import Engine, open_engine
from headtohead.trained.engines.ahead import EngineAhead
from headtohead.trained.facts import ModelFacts
from headtohead.trained.trying import with_sound_models

PIXELS = 64 * 128 * 128
"""Input pixels given to an engine at once, roughly: enough to keep all cores busy, few enough for the memory."""


@dataclass(frozen=True)
class Estimate:
    """What the models say of a scan, on the grid of `Scan.volume`.

    Attributes:
        probability: mean over the models: float32 [slices, H, W].
        variance: between the models, float32 of the same shape; None where there is one model.
    """

    probability: np.ndarray
    variance: np.ndarray | None


class Inputs:
    """The inputs that a model gets of a volume, in batches; the first is made at once."""

    def __init__(self, prepared: Prepared, places: range) -> None:
        """Make the first batch.

        Args:
            prepared: the volume.
            places: which of its inputs.
        """
        self.prepared, self.places = prepared, places
        first = prepared.input(places[0])
        self.size = max(1, PIXELS // first[0].size)
        self.first = np.stack([first, *map(prepared.input, places[1 : self.size])])

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
        steps: clean-up of the masks.
        mirror: whether each slice is also predicted mirrored left to right, and both answers averaged.
    """

    choices: tuple[Choice, ...]
    engines: tuple[Engine, ...]
    threshold: float
    steps: tuple[Step, ...] = ()
    mirror: bool = False

    @property
    def facts(self) -> ModelFacts:
        """Those of the first model; of several, the sequences and the plane of the task are the same."""
        return self.choices[0].source.facts

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
        """Wait until all engines are open.

        Raises:
            UserError: one cannot be opened; see `open_choices`.
        """
        for engine in self.engines:
            if isinstance(engine, EngineAhead):
                engine.ready()

    def __call__(self, scan: Scan) -> Estimate:
        """Predict all slices of a scan."""
        return self.volume(scan.volume)

    def volume(self, volume: np.ndarray) -> Estimate:
        """Predict all slices of a volume: uint8 or float32 [slices, H, W, C], channels as `facts.task.sequences`."""
        inputs = self._inputs(volume)
        return self.combine(inputs, self.ask(inputs))

    def prepare(self, scan: Scan) -> tuple[Inputs, ...]:
        """Prepare a scan for each model, once for all that want it alike. No model is asked yet.

        With `ask` and `combine` after it, it is what a call does, in three steps that can overlap: of several scans,
        only `ask` keeps all cores busy.
        """
        return self._inputs(scan.volume)

    def ask(self, inputs: tuple[Inputs, ...]) -> tuple[np.ndarray, ...]:
        """Ask each model: float32 [inputs, S, S] of each."""
        return tuple(self._run(engine, one) for engine, one in zip(self.engines, inputs, strict=True))

    def combine(self, inputs: tuple[Inputs, ...], answers: tuple[np.ndarray, ...]) -> Estimate:
        """Bring the answers onto the grid of the scan, and average them."""
        # Welford's way: neither all members' maps at once, nor the cancellation of a difference of squares.
        mean = spread = None
        for number, (one, answer) in enumerate(zip(inputs, answers, strict=True), 1):
            found = one.prepared.restore(answer)
            if mean is None:
                mean, spread = found, np.zeros_like(found) if self.members > 1 else None
                continue
            assert spread is not None
            for slice_found, slice_mean, slice_spread in zip(found, mean, spread, strict=True):
                step = slice_found - slice_mean
                slice_mean += step / number
                slice_spread += step * (slice_found - slice_mean)
        assert mean is not None
        if spread is not None:
            spread /= self.members
        return Estimate(mean, spread)

    def slice(self, volume: np.ndarray, index: int) -> np.ndarray:
        """Predict one slice of a volume as in its volume: float32 [H, W], without the work for the others."""
        if not all(choice.source.facts.chain.slicewise for choice in self.choices):
            return self.volume(volume).probability[index]
        found = []
        for choice, engine in zip(self.choices, self.engines, strict=True):
            inputs = Inputs(choice.source.facts.chain.prepare(volume), range(index, index + 1))
            found.append(inputs.prepared.restore(self._run(engine, inputs))[0])
        return np.stack(found).mean(axis=0, dtype=np.float32)

    def _inputs(self, volume: np.ndarray) -> tuple[Inputs, ...]:
        done: dict[str, Inputs] = {}
        inputs = []
        for choice in self.choices:
            chain = choice.source.facts.chain
            key = str(chain.to_dict())
            if key not in done:
                prepared = chain.prepare(volume)
                done[key] = Inputs(prepared, range(prepared.n))
            inputs.append(done[key])
        return tuple(inputs)

    def _run(self, engine: Engine, inputs: Inputs) -> np.ndarray:
        """Ask an engine for the probability of its inputs: float32 [n, S, S]."""
        found = []
        for batch in inputs.batches():
            answer = engine(batch)
            if self.mirror:
                answer = (answer + engine(batch[..., ::-1])[..., ::-1]) / 2
            found.append(answer)
        return np.concatenate(found)


def open_predictor(options: Options) -> Predictor:
    """Choose the models for what `--predict` or `--image_path` names, and open them.

    Raises:
        UserError: there is no such model, or as `open_sound`.
    """
    files = options.verbs.predict or options.verbs.image_path
    return open_sound(options, Path(files) if files else None)


def open_sound(options: Options, files: Path | None, many: bool = True) -> Predictor:
    """Choose the models for some files and open them; a damaged one that nobody named gives way to the next.

    Args:
        options: all options.
        files: as `choose_models` takes it.
        many: as `open_choices` takes it.

    Raises:
        UserError: as `with_sound_models`, or as `open_choices`.
    """

    def opened(choices: list[Choice]) -> Predictor:
        predictor = open_choices(choices, options, many)
        if any(choice.run for choice in choices) and not options.comparison.run_name:
            predictor.ready()  # now, since what is read of a scan depends on the model
        return predictor

    return with_sound_models(options, files, opened)


def open_choices(choices: list[Choice], options: Options, many: bool = True) -> Predictor:
    """Open the models that were chosen.

    Args:
        choices: the models.
        options: all options.
        many: whether many slices will be asked for. Then the engines are opened while the caller goes on, until
            `Predictor.ready` or the first question; a single slice is better served by what starts soonest.

    Raises:
        UserError: several models do not go together, or a step of the clean-up is not understood. Now or, with
            `many`, at `Predictor.ready`: a model cannot be read.
    """
    wanted, machine = options.prediction, options.machine
    facts = [choice.source.facts for choice in choices]
    for choice, other in zip(choices, facts, strict=True):
        for name in ("sequences", "plane"):
            if getattr(other.task, name) != getattr(facts[0].task, name):
                raise UserError(
                    f"--run_name: {choices[0].name} and {choice.name} differ in {name}, so they cannot be averaged; "
                    "leave one of them out"
                )
    stored = facts[0].postprocessing if len({other.postprocessing for other in facts}) == 1 else ""
    if many and not wanted.postprocessing and any(other.postprocessing != stored for other in facts):
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
    engines: tuple[Engine, ...] = tuple(EngineAhead(opening) if many else opening() for opening in openings)
    return Predictor(
        tuple(choices),
        engines,
        wanted.threshold or float(np.mean([other.threshold for other in facts])),
        parse_steps(wanted.postprocessing)
        if wanted.postprocessing
        else parse_steps(stored, f"{facts[0].name}: clean-up"),
        wanted.tta,
    )
