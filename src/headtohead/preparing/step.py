"""A step of preparation: plain data that turns a case into the next, and values on the grid of that back."""

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any, ClassVar, Protocol, Self

import cv2
import numpy as np

from headtohead.task import Case, Grid

Undo = Callable[[np.ndarray], np.ndarray]
"""Takes float32 values [slices, H, W] on the grid of a case after a step onto the grid before it."""


class Step:
    """One act of preparation; a frozen dataclass, whose fields are its settings.

    Attributes:
        kind: its name in files.
    """

    kind: ClassVar[str]

    def fitted(self, case: Case) -> Self:
        """Settle what the whole case decides, before it is resampled."""
        return self

    def apply(self, case: Case) -> tuple[Case, Undo]:
        """Give the case as it is after the step, and the inverse for values on its grid."""
        raise NotImplementedError

    def to_dict(self) -> dict[str, Any]:
        """Plain data: the kind, and the settings."""
        names = [one.name for one in fields(self) if one.metadata.get("saved", True)]  # type: ignore[arg-type]
        values = {name: getattr(self, name) for name in names}
        plain = {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}
        return {"step": self.kind, **plain}

    @property
    def in_words(self) -> str:
        """The step for a reader, such as `resize (size 256)`."""
        settings = [f"{name} {_in_words(value)}" for name, value in self.to_dict().items() if name != "step"]
        return f"{self.kind} ({', '.join(settings)})" if settings else self.kind


def _in_words(value: Any) -> str:
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)


class Slices(Protocol):
    """Slices that are made when they are asked for; an array [slices, H, W, C] is some, too."""

    def __len__(self) -> int:
        """How many there are."""
        ...

    def __getitem__(self, index: int, /) -> np.ndarray:
        """One slice: [H, W, C]."""
        ...


def plane_of(slices: Slices, index: int, channel: int) -> np.ndarray:
    """Give one channel of a slice, [H, W], by itself where the slices can be had so."""
    plane = getattr(slices, "plane", None)
    return plane(index, channel) if plane else slices[index][..., channel]


def planes_of(slices: Slices, index: int) -> tuple[np.ndarray, ...]:
    """Give the channels of a slice, [H, W] each."""
    planes = getattr(slices, "planes", None)
    return planes(index) if planes else tuple(cv2.split(slices[index]))


class Kept:
    """Slices of which each is made only once, whoever asks for it or for a channel of it."""

    def __init__(self, source: Slices) -> None:
        """Take slices."""
        self.source = source
        self._made: dict[int, tuple[np.ndarray, ...]] = {}

    def __len__(self) -> int:
        return len(self.source)

    def __getitem__(self, index: int) -> np.ndarray:
        return np.dstack(self.planes(index))

    def plane(self, index: int, channel: int) -> np.ndarray:
        """Give one channel of a slice: [H, W]."""
        return self.planes(index)[channel]

    def planes(self, index: int) -> tuple[np.ndarray, ...]:
        """Give all channels of a slice, [H, W] each."""
        if index not in self._made:
            self._made[index] = planes_of(self.source, index)
        return self._made[index]


class SliceStep(Step):
    """A step that treats slice by slice, so that a single one can be had without the others."""

    def over(self, slices: Slices) -> Slices:
        """Give the slices as they are after the step."""
        raise NotImplementedError

    def undone(self, values: np.ndarray, height: int, width: int) -> np.ndarray:
        """Bring values [H', W'] of one slice back onto its own [height, width]."""
        return values

    def apply(self, case: Case) -> tuple[Case, Undo]:
        """Apply it to all slices; see `Step`."""
        after = self.over(case.images)
        images = np.stack([after[index] for index in range(len(after))])
        _, height, width = case.grid.shape
        grid = case.grid if images.shape[:3] == case.grid.shape else Grid((len(images), *images.shape[1:3]))
        labels = case.labels if grid is case.grid else None
        return replace(case, images=images, grid=grid, labels=labels), lambda values: np.stack(
            [self.undone(one, height, width) for one in values]
        )


def as_it_is(values: np.ndarray) -> np.ndarray:
    """Undo a step that moves nothing."""
    return values
