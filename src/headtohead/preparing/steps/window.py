"""Grey levels of any scanner as the whole numbers that a cohort stores."""

from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np

from headtohead.preparing.intensities import bright_end, to_depth
from headtohead.preparing.step import Step, Undo, as_it_is
from headtohead.task import Case
from headtohead.task.case import finite

TOGETHER = 16
"""Slices that are scaled at once: neighbours in memory may lie across slices, and to fetch the voxels of one slice
alone would then read the whole volume once a slice."""


@dataclass(frozen=True)
class Window(Step):
    """Scale each sequence: 0 stays 0, its bright end becomes the last level; see `intensities.to_bytes`.

    Attributes:
        depth: `uint8` or `uint16`.
        again: whether 8 bits are scaled, too; else they keep their levels.
        whites: what becomes the last level, by channel; settled by `fitted`.
    """

    kind = "window"
    depth: str = "uint8"
    again: bool = field(default=False, metadata={"saved": False})
    whites: tuple[float, ...] | None = field(default=None, metadata={"saved": False})

    def fitted(self, case: Case) -> Self:
        """Measure the bright ends before anything is resampled."""
        if case.images.dtype in (np.uint8, np.dtype(self.depth)) and not self.again:
            return self
        channels = range(case.images.shape[-1])
        return replace(self, whites=tuple(bright_end(finite(case.images[..., channel])) for channel in channels))

    def apply(self, case: Case) -> tuple[Case, Undo]:
        depth = np.dtype(self.depth)
        if self.whites is None:
            return replace(case, images=to_depth(case.images, depth)), as_it_is
        levels = np.empty(case.images.shape, depth)
        for first in range(0, len(levels), TOGETHER):
            part = slice(first, first + TOGETHER)
            levels[part] = to_depth(case.images[part], depth, self.whites)
        return replace(case, images=levels), as_it_is
