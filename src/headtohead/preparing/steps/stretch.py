"""Each slice scaled by itself, as the fetal brain masking system does (Ebner et al., NeuroImage 206:116324, 2020)."""

from dataclasses import dataclass

import numpy as np

from headtohead.preparing.step import Made, SliceStep


@dataclass(frozen=True)
class Stretch(SliceStep):
    """Scale each slice to whole numbers by a percentile of its own; bright fat beyond it would darken the rest."""

    kind = "stretch"
    percentile: float = 97.0  # of the slice, which becomes 255

    def over(self, slices: Made) -> Made:
        """Slices of one channel."""
        return Made(slices.number, lambda index: stretched(slices.image(index)[..., 0], self.percentile)[..., None])


def stretched(image: np.ndarray, percentile: float = 97.0) -> np.ndarray:
    """Scale a finite slice [H, W] to uint8: 255 where it reaches its percentile; all 0 where that is not above 0."""
    positive = np.maximum(image.astype(np.float32), 0)
    capped = np.minimum(positive, np.percentile(positive, percentile))
    brightest = capped.max()
    if brightest <= 0:
        return np.zeros(image.shape, np.uint8)
    return (capped / brightest * 255).round().astype(np.uint8)
