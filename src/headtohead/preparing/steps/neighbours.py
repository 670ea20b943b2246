"""Slices before and after a slice as further channels of it."""

from dataclasses import dataclass

import numpy as np

from headtohead.preparing.step import Slices, SliceStep, plane_of, planes_of


@dataclass(frozen=True)
class Neighbours(SliceStep):
    """Add a channel of the slices around each; at the ends the first or last slice stands in for what is not there.

    Attributes:
        count: slices before, and as many after.
        channel: which channel of them.
    """

    kind = "neighbours"
    count: int
    channel: int

    def over(self, slices: Slices) -> Slices:
        """See `SliceStep`."""
        return Surrounded(slices, self)

    def around(self, index: int, slices: int) -> list[int]:
        """List the slices that become channels of a slice, in the order of the channels."""
        steps = (step for step in range(-self.count, self.count + 1) if step)
        return [min(max(index + step, 0), slices - 1) for step in steps]


class Surrounded:
    """Slices with a channel of those around them."""

    def __init__(self, source: Slices, step: Neighbours) -> None:
        """Take slices."""
        self.source, self.step = source, step

    def __len__(self) -> int:
        return len(self.source)

    def __getitem__(self, index: int) -> np.ndarray:
        return np.dstack([self.source[index], *self._others(index)])

    def planes(self, index: int) -> tuple[np.ndarray, ...]:
        """Give all channels of a slice, [H, W] each."""
        return (*planes_of(self.source, index), *self._others(index))

    def _others(self, index: int) -> list[np.ndarray]:
        around = self.step.around(index, len(self))
        return [plane_of(self.source, place, self.step.channel) for place in around]
