"""Pixels made square where a scanner's are not, and the inverse."""

from dataclasses import dataclass, replace

import cv2
import numpy as np

from headtohead.preparing.step import Step, Undo, as_it_is
from headtohead.task import Case, Grid

ALIKE = 1.01
"""Sides of a pixel that differ by no more than this factor are left: a resampling would blur more than it mends."""

MOST = 2048
"""A finer side is not kept where slices would get more pixels than this: then the coarser one gives."""


@dataclass(frozen=True)
class Square(Step):
    """Make the pixels of slices square, as fine as the finer side; pixel centres keep their place in millimetres."""

    kind = "square"

    def apply(self, case: Case) -> tuple[Case, Undo]:
        """See `Step`; the case is slices, rows, columns."""
        spacing, (slices, *before) = case.grid.spacing, case.grid.shape
        if spacing is None or case.grid.affine is None:
            return case, as_it_is
        after = squared((before[0], before[1]), *spacing[1:])
        if after == (before[0], before[1]):
            return case, as_it_is
        images = np.empty((slices, *after, case.images.shape[-1]), case.images.dtype)
        for image, out in zip(case.images, images, strict=True):
            for channel in range(images.shape[-1]):
                out[..., channel] = resized(image[..., channel], after)
        labels = None if case.labels is None else np.stack([resized_labels(one, after) for one in case.labels])
        grid = Grid((slices, *after), case.grid.affine @ _finer((before[0], before[1]), after))
        return replace(case, images=images, labels=labels, grid=grid), lambda values: unsquared(
            values, (before[0], before[1])
        )


def squared(size: tuple[int, int], rows: float, columns: float) -> tuple[int, int]:
    """Give the (H, W) of slices with square pixels.

    Args:
        size: (H, W) before.
        rows: millimetres between rows.
        columns: millimetres between columns.
    """
    if max(rows, columns) <= ALIKE * min(rows, columns):
        return size
    # The finer side, so that nothing is lost, unless that takes more pixels than any scanner makes.
    side = min(rows, columns)
    largest = max(size[0] * rows, size[1] * columns)
    side = max(side, min(largest / MOST, max(rows, columns)))
    return max(1, round(size[0] * rows / side)), max(1, round(size[1] * columns / side))


def resized(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Resize uint8, uint16 or float32 [H, W], one axis after the other.

    It averages where an axis shrinks, and draws a straight line between centres where it grows.
    """
    for axis in (0, 1):
        if image.shape[axis] != size[axis]:
            wanted = (image.shape[1], size[0]) if axis == 0 else (size[1], image.shape[0])
            how = cv2.INTER_AREA if size[axis] < image.shape[axis] else cv2.INTER_LINEAR
            image = cv2.resize(np.ascontiguousarray(image), wanted, interpolation=how)
    return image


def resized_labels(labels: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Resize a label map [H, W]: each pixel gets the label that holds most of it."""
    found = np.zeros(size, labels.dtype)
    most = np.full(size, 127, np.uint8)  # more than half of it where there is one label
    several = len(present := [label for label in np.unique(labels) if label]) > 1
    if several:
        most = resized((labels == 0) * np.uint8(255), size)
    for label in present:
        share = resized((labels == label) * np.uint8(255), size)
        more = share > most
        found[more] = label
        most = np.where(more, share, most)
    return found


def unsquared(slices: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Bring slices back onto their own pixels: float32 [slices, H', W'] to [slices, *size]."""
    whole = np.empty((len(slices), *size), slices.dtype)
    for image, place in zip(slices, whole, strict=True):
        place[:] = resized(image, size)
    return whole


def _finer(before: tuple[int, int], after: tuple[int, int]) -> np.ndarray:
    """Give the affine [4, 4] from indices after to those before: edges stay in their place, not centres."""
    found = np.eye(4)
    for axis, (old, new) in enumerate(zip(before, after, strict=True), 1):
        found[axis, axis] = old / new
        found[axis, 3] = (old / new - 1) / 2
    return found
