"""Which sequence goes into which channel."""

from dataclasses import dataclass

import numpy as np

from headtohead.preparing.step import Made, SliceStep


@dataclass(frozen=True)
class Channels(SliceStep):
    """Put sequences into channels."""

    kind = "channels"
    order: tuple[int, ...]  # the sequence of each channel, by number; a case of one sequence has it in all of them

    def over(self, slices: Made) -> Made:
        def image(index: int) -> np.ndarray:
            found = slices.image(index)
            alone, straight = found.shape[-1] == 1, tuple(range(found.shape[-1]))
            if alone:
                return np.broadcast_to(found, (*found.shape[:2], len(self.order)))
            return found if self.order == straight else found[..., list(self.order)]

        def plane(index: int, channel: int) -> np.ndarray:
            found = slices.image(index)
            return found[..., 0 if found.shape[-1] == 1 else self.order[channel]]

        return Made(slices.number, image, plane)
