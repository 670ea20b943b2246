"""Pixels made square where a scanner's are not, and the way back."""

from dataclasses import dataclass

import cv2
import numpy as np

ALIKE = 1.01
"""Sides of a pixel that differ by no more than this factor are left: a resampling would blur more than it mends."""

MOST = 2048
"""A finer side is not kept where slices would get more pixels than this: then the coarser one gives."""


@dataclass(frozen=True)
class Squaring:
    """Resampling of slices to square pixels; made by `squaring`. Pixel centres keep their place in millimetres.

    Attributes:
        before: (H, W) of the slices.
        after: (H, W) of the slices with square pixels.
    """

    before: tuple[int, int]
    after: tuple[int, int]

    def there(self, image: np.ndarray) -> np.ndarray:
        """Make the pixels of a slice square: uint8 or float32 [H, W] to the same type [H', W']."""
        return _resize(image, self.after)

    def mask(self, image: np.ndarray) -> np.ndarray:
        """Make the pixels of a mask {0, 1} square: uint8 {0, 1} [H', W'], the majority of each area."""
        return (self.there(image * np.uint8(255)) > 127).astype(np.uint8)

    def spacing(self, rows: float, columns: float) -> tuple[float, float]:
        """Give the millimetres between rows and columns, once pixels are square."""
        return rows * self.before[0] / self.after[0], columns * self.before[1] / self.after[1]

    def back(self, slices: np.ndarray) -> np.ndarray:
        """Bring slices back onto their own pixels: float32 [slices, H', W'] to [slices, H, W]."""
        if self.before == self.after:
            return slices
        whole = np.empty((len(slices), *self.before), slices.dtype)
        for image, place in zip(slices, whole, strict=True):
            place[:] = _resize(image, self.before)
        return whole


def squaring(size: tuple[int, int], rows: float, columns: float) -> Squaring:
    """Decide how slices get square pixels.

    Args:
        size: (H, W).
        rows: millimetres between rows.
        columns: millimetres between columns.
    """
    if max(rows, columns) <= ALIKE * min(rows, columns):
        return Squaring(size, size)
    # The finer side, so that nothing is lost, unless that takes more pixels than any scanner makes.
    side = min(rows, columns)
    largest = max(size[0] * rows, size[1] * columns)
    side = max(side, min(largest / MOST, max(rows, columns)))
    return Squaring(size, (max(1, round(size[0] * rows / side)), max(1, round(size[1] * columns / side))))


def _resize(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    # One axis after the other: averaging where it shrinks, a straight line between centres where it grows.
    for axis in (0, 1):
        if image.shape[axis] != size[axis]:
            wanted = (image.shape[1], size[0]) if axis == 0 else (size[1], image.shape[0])
            how = cv2.INTER_AREA if size[axis] < image.shape[axis] else cv2.INTER_LINEAR
            image = cv2.resize(np.ascontiguousarray(image), wanted, interpolation=how)
    return image
