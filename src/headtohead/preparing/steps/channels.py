"""Which sequence goes into which channel."""

from dataclasses import dataclass

import numpy as np

from headtohead.preparing.step import Slices, SliceStep


@dataclass(frozen=True)
class Channels(SliceStep):
    """Put sequences into channels.

    Attributes:
        order: the sequence of each channel, by number; a case of one sequence has it in all of them.
    """

    kind = "channels"
    order: tuple[int, ...]

    def over(self, slices: Slices) -> Slices:
        """See `SliceStep`."""
        return Chosen(slices, self.order)


class Chosen:
    """Slices with their channels in some order."""

    def __init__(self, source: Slices, order: tuple[int, ...]) -> None:
        """Take slices, and the number of each channel."""
        self.source, self.order = source, order

    def __len__(self) -> int:
        return len(self.source)

    def __getitem__(self, index: int) -> np.ndarray:
        image = self.source[index]
        if image.shape[-1] == 1:
            return np.broadcast_to(image, (*image.shape[:2], len(self.order)))
        if self.order == tuple(range(image.shape[-1])):
            return image
        if self.order == tuple(range(image.shape[-1]))[::-1]:
            return image[..., ::-1]
        return image[..., list(self.order)]

    def plane(self, index: int, channel: int) -> np.ndarray:
        """Give one channel of a slice: [H, W]."""
        image = self.source[index]
        return image[..., 0 if image.shape[-1] == 1 else self.order[channel]]
