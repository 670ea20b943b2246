"""A step of preparation: plain data that turns a case into the next, and values on the grid of that back."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from functools import cache
from typing import Any, ClassVar, Protocol, Self

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


class Slices(Protocol):
    """Slices that are made when they are asked for; an array [slices, H, W, C] is some, too."""

    def __len__(self) -> int:
        """How many there are."""
        ...

    def __getitem__(self, index: int, /) -> np.ndarray:
        """One slice: [H, W, C]."""
        ...


class Made:
    """Slices that a step makes of others when they are asked for, as [H, W, C] or by channel."""

    def __init__(
        self,
        source: Slices,
        image: Callable[[int], np.ndarray],
        plane: Callable[[int, int], np.ndarray] | None = None,
        planes: Callable[[int], Sequence[np.ndarray]] | None = None,
    ) -> None:
        """Take the others, and what makes a slice of them.

        Args:
            source: the others; there are as many.
            image: makes a slice, [H, W, C].
            plane: makes a channel of it alone, [H, W], if that is less work.
            planes: makes all channels, [H, W] each, if they come one by one.
        """
        self._source, self._image = source, image
        self._plane, self._planes = plane, planes

    def __len__(self) -> int:
        return len(self._source)

    def __getitem__(self, index: int) -> np.ndarray:
        return self._image(index)

    def plane(self, index: int, channel: int) -> np.ndarray:
        """Give one channel of a slice: [H, W]."""
        return self._plane(index, channel) if self._plane else self._image(index)[..., channel]

    def planes(self, index: int) -> Sequence[np.ndarray]:
        """Give all channels of a slice, [H, W] each."""
        return self._planes(index) if self._planes else cv2.split(self._image(index))

    def kept(self) -> "Made":
        """Give the same slices, each made only once, whoever asks for it or for a channel of it."""
        made = cache(self.planes)
        return Made(self, lambda index: np.dstack(made(index)), lambda index, channel: made(index)[channel], made)


def made_of(slices: Slices) -> Made:
    """Give slices that can be had by channel, too."""
    return slices if isinstance(slices, Made) else Made(slices, lambda index: slices[index])


class SliceStep(Step):
    """A step that treats slice by slice, so that a single one can be had without the others."""

    @abstractmethod
    def over(self, slices: Made) -> Made:
        """Give the slices as they are after the step."""

    def undone(self, values: np.ndarray, height: int, width: int) -> np.ndarray:
        """Bring values [H', W'] of one slice back onto its own [height, width]."""
        return values

    def apply(self, case: Case) -> tuple[Case, Undo]:
        """Apply it to all slices; see `Step`."""
        after = self.over(made_of(case.images))
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
