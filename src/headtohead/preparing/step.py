"""A step of preparation: plain data that turns a case into the next, and values on the grid of that back."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from functools import cache
from typing import Any, ClassVar, Self

import cv2
import numpy as np

from headtohead.task import Case, Grid

Undo = Callable[[np.ndarray], np.ndarray]
"""Takes float32 values [slices, H, W] on the grid of a case after a step onto the grid before it."""


class Step(ABC):
    """One act of preparation; a frozen dataclass, whose fields are its settings.

    Attributes:
        kind: its name in files.
    """

    kind: ClassVar[str]

    def fitted(self, case: Case) -> Self:
        """Settle what the whole case decides, before it is resampled."""
        return self

    @abstractmethod
    def apply(self, case: Case) -> tuple[Case, Undo]:
        """Give the case as it is after the step, and the inverse for values on its grid."""

    def to_dict(self) -> dict[str, Any]:
        """Plain data: the kind, and the settings."""
        names = [one.name for one in fields(self) if one.metadata.get("saved", True)]  # type: ignore[arg-type]
        values = {name: getattr(self, name) for name in names}
        plain = {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}
        return {"step": self.kind, **plain}

    @property
    def in_words(self) -> str:
        """The step for a reader, such as `resize (size 256)`."""
        values = {name: value for name, value in self.to_dict().items() if name != "step"}
        settings = [f"{name} {' '.join(map(str, v)) if isinstance(v, list) else v}" for name, v in values.items()]
        return f"{self.kind} ({', '.join(settings)})" if settings else self.kind


@dataclass(frozen=True)
class Made:
    """Slices that are made when they are asked for, as [H, W, C] or by channel."""

    number: int
    image: Callable[[int], np.ndarray]  # makes a slice, [H, W, C]
    one_plane: Callable[[int, int], np.ndarray] | None = None  # makes a channel alone, [H, W], if that is less work
    all_planes: Callable[[int], Sequence[np.ndarray]] | None = None  # makes all channels, if they come one by one

    def plane(self, index: int, channel: int) -> np.ndarray:
        """Give one channel of a slice: [H, W]."""
        return self.one_plane(index, channel) if self.one_plane else self.image(index)[..., channel]

    def planes(self, index: int) -> Sequence[np.ndarray]:
        """Give all channels of a slice, [H, W] each."""
        return self.all_planes(index) if self.all_planes else cv2.split(self.image(index))

    def kept(self) -> "Made":
        """Give the same slices, each made only once, whoever asks for it or for a channel of it."""
        of = cache(self.planes)
        return Made(self.number, lambda index: np.dstack(of(index)), lambda index, channel: of(index)[channel], of)


def made_of(images: np.ndarray) -> Made:
    """Give the slices of [slices, H, W, C]."""
    return Made(len(images), images.__getitem__)


class SliceStep(Step):
    """A step that treats slice by slice, so that a single one can be had without the others."""

    @abstractmethod
    def over(self, slices: Made) -> Made:
        """Give the slices as they are after the step."""

    def undone(self, values: np.ndarray, height: int, width: int) -> np.ndarray:
        """Bring values [H', W'] of one slice back onto its own [height, width]."""
        return values

    def labelled(self, labels: np.ndarray) -> np.ndarray:
        """Bring the label map [H, W] of a slice onto the grid after the step."""
        return labels

    def inverse(self, height: int, width: int) -> Undo:
        """Give the inverse for the values of all slices, which are [height, width] before the step."""
        return lambda values: np.stack([self.undone(one, height, width) for one in values])

    def apply(self, case: Case) -> tuple[Case, Undo]:
        """Apply it to all slices; see `Step`."""
        after = self.over(made_of(case.images))
        images = np.stack([after.image(index) for index in range(after.number)])
        _, height, width = case.grid.shape
        grid = case.grid if images.shape[:3] == case.grid.shape else Grid((len(images), *images.shape[1:3]))
        labels = None if case.labels is None else np.stack([self.labelled(one) for one in case.labels])
        return replace(case, images=images, grid=grid, labels=labels), self.inverse(height, width)


def as_it_is(values: np.ndarray) -> np.ndarray:
    """Undo a step that moves nothing."""
    return values
