"""Slices before and after a slice as further channels of it."""

from dataclasses import dataclass

import numpy as np

from headtohead.preparing.step import Made, SliceStep


@dataclass(frozen=True)
class Neighbours(SliceStep):
    """Add a channel of the slices around each; at the ends the first or last slice stands in for what is not there."""

    kind = "neighbours"
    count: int  # slices before, and as many after
    channel: int  # which channel of them

    def over(self, slices: Made) -> Made:
        def others(index: int) -> list[np.ndarray]:
            steps = (step for step in range(-self.count, self.count + 1) if step)
            return [slices.plane(min(max(index + step, 0), slices.number - 1), self.channel) for step in steps]

        return Made(
            slices.number,
            lambda index: np.dstack([slices.image(index), *others(index)]),
            all_planes=lambda index: [*slices.planes(index), *others(index)],
        )
