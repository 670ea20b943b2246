"""Slices padded to a square and resized to that of a model, and the inverse."""

from dataclasses import dataclass

import cv2
import numpy as np

from headtohead.preparing.intensities import BETWEEN
from headtohead.preparing.step import Made, SliceStep
from headtohead.preparing.steps.square import resized_labels

AT_ONCE = 4
"""Channels that OpenCV resizes by area together."""


@dataclass(frozen=True)
class Resize(SliceStep):
    """Pad to a square (zeros on the right and at the bottom, so the aspect is kept), and resize by area."""

    kind = "resize"
    size: int  # side in pixels of the square given to the model

    def over(self, slices: Made) -> Made:
        """16 bits become float32 in units of 8 bits."""

        def image(index: int) -> np.ndarray:
            found = slices.image(index)
            return self.fit(found).reshape(self.size, self.size, found.shape[-1])

        return Made(slices.number, image, lambda index, channel: self.fit(slices.plane(index, channel)))

    def fit(self, image: np.ndarray) -> np.ndarray:
        """Resize [H, W] or [H, W, C] to [size, size(, C)]; the type is kept, but 16 bits become float32."""
        if image.dtype == np.uint16:
            image = image.astype(np.float32) / BETWEEN
        image = np.ascontiguousarray(_padded(image))
        if image.ndim < 3 or image.shape[2] <= AT_ONCE:
            return cv2.resize(image, (self.size, self.size), interpolation=cv2.INTER_AREA)
        return np.dstack([self.fit(image[..., channel]) for channel in range(image.shape[2])])

    def fit_mask(self, mask: np.ndarray) -> np.ndarray:
        """Bring a mask {0, 1} to the model's grid: uint8 [size, size], the majority of each area."""
        return (self.fit(mask * np.uint8(255)) > 127).astype(np.uint8)

    def labelled(self, labels: np.ndarray) -> np.ndarray:
        """Each pixel gets the label that holds most of its area."""
        return resized_labels(_padded(labels), (self.size, self.size))

    def undone(self, values: np.ndarray, height: int, width: int) -> np.ndarray:
        """Bring float32 [size, size] onto the source grid: float32 [height, width]."""
        side = max(height, width)
        square = cv2.resize(values, (side, side), interpolation=cv2.INTER_LINEAR)
        return np.ascontiguousarray(square[:height, :width])


def _padded(image: np.ndarray) -> np.ndarray:
    """Pad [H, W] or [H, W, C] with zeros on the right or at the bottom to a square."""
    height, width = image.shape[:2]
    if height == width:
        return image
    spare = [(0, max(height, width) - side) for side in (height, width)]
    return np.pad(image, spare + [(0, 0)] * (image.ndim - 2))
