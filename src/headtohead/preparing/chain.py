"""A chain of steps: how a case becomes what a model sees, and its inverse. Plain data in files."""

from collections.abc import Sequence
from dataclasses import MISSING, dataclass, fields
from functools import reduce
from typing import Any, TypeVar

import numpy as np

from headtohead.preparing.intensities import BETWEEN, EIGHT
from headtohead.preparing.step import SliceStep, Step, Undo, made_of
from headtohead.preparing.steps.channels import Channels
from headtohead.preparing.steps.crop import Crop, Trim
from headtohead.preparing.steps.neighbours import Neighbours
from headtohead.preparing.steps.resize import Resize
from headtohead.preparing.steps.scale import FIXED, MEASURED, Scale
from headtohead.preparing.steps.spline import Spline
from headtohead.preparing.steps.standardise import Standardise
from headtohead.preparing.steps.stretch import Stretch
from headtohead.preparing.steps.window import Window
from headtohead.records.shape import Check, listing, mapping, number, one_of, whole
from headtohead.task import Case, Grid

STEPS: dict[str, type[Step]] = {
    step.kind: step for step in (Channels, Crop, Neighbours, Resize, Scale, Spline, Standardise, Stretch, Trim, Window)
}
"""The steps that a model's chain may have, by their names in files."""

DEPTHS = ("uint8", "uint16")
NUMBERS, SHARE, PERCENTILE = listing(whole(0, 63), 1, 64), number(0, 1), number(0, 100)
SETTINGS: dict[str, Check] = {
    "size": whole(16, 2048), "count": whole(0, 8), "channel": whole(0, 63), "order": NUMBERS, "of": NUMBERS,
    "ends": whole(0, 100), "degree": whole(0, 5), "dark": SHARE, "low": PERCENTILE, "high": PERCENTILE,
    "percentile": PERCENTILE, "by": one_of(*MEASURED, *FIXED), "depth": one_of(*DEPTHS),
}  # fmt: skip
"""What is believed of a file: a made-up number must not exhaust the memory."""

MOST_STEPS = 32

S = TypeVar("S", bound=Step)


class UnknownStepError(ValueError):
    """A chain has a step that this version does not know."""


@dataclass(frozen=True)
class Chain:
    """Steps in their order."""

    steps: tuple[Step, ...]

    def fitted(self, case: Case) -> "Chain":
        """Settle what the whole case decides, before it is resampled."""
        return Chain(tuple(step.fitted(case) for step in self.steps))

    def apply(self, case: Case) -> tuple[Case, Undo]:
        """Apply all steps; see `Step.apply`. The last ones, which treat slice by slice, are settled before them."""
        case, undo_whole, steps = self.begin(case)
        case, undo_slices = _applied(steps, case)
        return case, lambda values: undo_whole(undo_slices(values))

    def begin(self, case: Case) -> tuple[Case, Undo, tuple[SliceStep, ...]]:
        """Apply the steps that need the whole case, and settle those after them, which treat slice by slice."""
        case, undo = _applied(self.steps[: self._first], case)
        return case, undo, tuple(step.fitted(case) for step in self.slice_steps)

    @property
    def _first(self) -> int:
        """Place of the first step from which on all treat slice by slice."""
        return max((place for place, step in enumerate(self.steps, 1) if not isinstance(step, SliceStep)), default=0)

    @property
    def slice_steps(self) -> tuple[SliceStep, ...]:
        """The steps after those that need the whole case; they treat slice by slice."""
        return tuple(step for step in self.steps[self._first :] if isinstance(step, SliceStep))

    def inverse(self, case: Case) -> Undo:
        """Give the inverse of what `begin` does to a case, sooner than `begin` does.

        Where voxels go depends on their values only up to the last crop; no step after it is carried out.
        """
        whole = self.steps[: self._first]
        last = max((place for place, step in enumerate(whole, 1) if isinstance(step, Crop | Trim)), default=0)
        case, undo_crops = _applied(whole[:last], case)
        _, height, width = case.grid.shape
        undoes = [step.inverse(height, width) for step in whole[last:] if isinstance(step, SliceStep)]
        return lambda values: undo_crops(reduce(lambda found, undo: undo(found), reversed(undoes), values))

    def view(self, images: np.ndarray, index: int) -> np.ndarray:
        """Show a slice of a case whose grey levels are stored, [slices, H, W, C], before they are scaled.

        Returns:
            [size, size, channels]: uint8, or float32 in units of 8 bits of what has more.
        """
        return viewed(self.slice_steps, images, index)

    def only(self, kind: type[S]) -> S | None:
        """Give the step of a kind; None where there is none."""
        return next((step for step in self.steps if isinstance(step, kind)), None)

    @property
    def slicewise(self) -> bool:
        """Whether a slice can be prepared without those far from it, once the case is in 8 bits."""
        return all(isinstance(step, SliceStep | Window) for step in self.steps)

    @property
    def in_words(self) -> str:
        """The steps for a reader: `window (depth uint8), resize (size 256)`."""
        return ", ".join(step.in_words for step in self.steps)

    @property
    def depth(self) -> str:
        """In which grey levels a case is stored, or kept where the chain does not begin with them."""
        window = self.only(Window)
        return window.depth if window else EIGHT.name

    @property
    def takes_levels(self) -> bool:
        """Whether it begins with the grey levels that a cohort stores."""
        return bool(self.steps) and isinstance(self.steps[0], Window)

    @property
    def scaling(self) -> Scale:
        """The step that a training does on its device."""
        found = self.only(Scale)
        assert found is not None
        return found

    @property
    def resize(self) -> Resize:
        """The step that masks go through, too."""
        found = self.only(Resize)
        assert found is not None
        return found

    def suits(self, sequences: int) -> bool:
        """Say whether a case of so many sequences has all that go into channels; a single one is in all of them."""
        chosen = self.only(Channels)
        return sequences == 1 or chosen is None or max(chosen.order) < sequences

    @property
    def size(self) -> int:
        """Pixels of a side of the model's input."""
        return next(step.size for step in self.steps if isinstance(step, Resize | Spline))

    @property
    def channels(self) -> int:
        """Channels of the model's input."""
        chosen, around = self.only(Channels), self.only(Neighbours)
        return (len(chosen.order) if chosen else 0) + (2 * around.count if around else 0)

    def to_dict(self) -> list[dict[str, Any]]:
        """Plain data: the steps in their order."""
        return [step.to_dict() for step in self.steps]

    @classmethod
    def from_dict(cls, found: Any) -> "Chain":
        """Make a chain of plain data, which may come from anybody.

        Raises:
            UnknownStepError: it has a step that this version does not know.
            ValueError: it is no chain; the message names the step and its setting.
        """
        if not isinstance(found, list) or not 0 < len(found) <= MOST_STEPS:
            raise ValueError("not a list of steps")
        chain = cls(tuple(_step(one) for one in found))
        if sum(isinstance(step, Resize | Spline) for step in chain.steps) != 1 or not chain.only(Channels):
            raise ValueError("needs channels and one size")
        return chain


class Prepared:
    """The inputs of a volume that is cut into slices, and the inverse for their answers.

    What treats the whole volume is done at once. The steps after it that treat single slices are done when an input is
    asked for, each slice once.
    """

    def __init__(self, chain: Chain, volume: np.ndarray) -> None:
        """Take uint8 or float32 [slices, H, W, C], finite."""
        slices, height, width = volume.shape[:3]
        case, self._undo, self._steps = chain.begin(Case("", volume, Grid((slices, height, width))))
        self._shape = case.grid.shape
        self._slices = made_of(case.images)
        for step in self._steps:
            self._slices = step.over(self._slices)
            if isinstance(step, Resize):
                self._slices = self._slices.kept()

    @property
    def n(self) -> int:
        """How many inputs there are; not always one a slice."""
        return self._slices.number

    def input(self, index: int) -> np.ndarray:
        """Give one input: float32 [C, S, S], scaled."""
        return np.stack(self._slices.planes(index))

    def restore(self, probability: np.ndarray) -> np.ndarray:
        """Bring the probability of all inputs, float32 [n, S, S], onto the volume's grid, float32 [slices, H, W]."""
        _, height, width = self._shape
        return self._undo(restored(probability, self._steps, height, width))


def viewed(steps: Sequence[SliceStep], images: np.ndarray, index: int) -> np.ndarray:
    """Show a slice of [slices, H, W, C] after all steps but the scaling; 16 bits become float32 in units of 8 bits."""
    slices = made_of(images)
    for step in steps:
        if not isinstance(step, Scale):
            slices = step.over(slices)
    view = slices.image(index)
    return view if view.dtype != np.uint16 else view.astype(np.float32) / BETWEEN


def restored(probability: np.ndarray, steps: Sequence[SliceStep], height: int, width: int) -> np.ndarray:
    """Undo the steps that treated slice by slice on float32 [n, S, S]: float32 [n, height, width]."""
    whole = np.empty((len(probability), height, width), np.float32)
    for values, place in zip(probability, whole, strict=True):
        for step in reversed(steps):
            values = step.undone(values, height, width)
        place[:] = values
    return whole


def _applied(steps: Sequence[Step], case: Case) -> tuple[Case, Undo]:
    undoes = []
    for step in steps:
        case, undo = step.apply(case)
        undoes.append(undo)

    def undo_all(values: np.ndarray) -> np.ndarray:
        for undo in reversed(undoes):
            values = undo(values)
        return values

    return case, undo_all


def _step(found: Any) -> Step:
    if not isinstance(found, dict) or not isinstance(found.get("step"), str):
        raise ValueError("a step has no name")
    name = found["step"]
    if name not in STEPS:
        raise UnknownStepError(name[:100])
    known = {one.name: one for one in fields(STEPS[name]) if one.metadata.get("saved", True)}  # type: ignore[arg-type]
    needed = tuple(key for key, one in known.items() if one.default is MISSING)
    settings = {key: value for key, value in found.items() if key != "step"}
    wrong = mapping(SETTINGS, needed)(settings)
    if wrong is not None or not settings.keys() <= known.keys():
        raise ValueError(f"{name}: {wrong or 'other settings than ' + ', '.join(known)}")
    return STEPS[name](**{key: tuple(value) if isinstance(value, list) else value for key, value in settings.items()})
