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
        """The case is slices, rows, columns."""
        spacing, (slices, *size) = case.grid.spacing, case.grid.shape
        if spacing is None or case.grid.affine is None:
            return case, as_it_is
        before = size[0], size[1]
        after = squared(before, *spacing[1:])
        if after == before:
            return case, as_it_is
        images = np.empty((slices, *after, case.images.shape[-1]), case.images.dtype)
        for image, out in zip(case.images, images, strict=True):
            for channel in range(images.shape[-1]):
                out[..., channel] = resampled(image[..., channel], after)
        labels = None if case.labels is None else np.stack([resized_labels(one, after) for one in case.labels])
        to_before = np.eye(4)  # from indices after: edges stay in their place, not centres
        for axis, (old, new) in enumerate(zip(before, after, strict=True), 1):
            to_before[axis, axis] = old / new
            to_before[axis, 3] = (old / new - 1) / 2
        grid = Grid((slices, *after), case.grid.affine @ to_before)

        def undo(values: np.ndarray) -> np.ndarray:
            whole = np.empty((len(values), *before), values.dtype)
            for image, place in zip(values, whole, strict=True):
                place[:] = resampled(image, before)
            return whole

        return replace(case, images=images, labels=labels, grid=grid), undo


def squared(size: tuple[int, int], rows: float, columns: float) -> tuple[int, int]:
    """Give the (H, W) that slices of a size get with square pixels; rows and columns lie so many millimetres apart."""
    if max(rows, columns) <= ALIKE * min(rows, columns):
        return size
    # The finer side, so that nothing is lost, unless that takes more pixels than any scanner makes.
    side = min(rows, columns)
    largest = max(size[0] * rows, size[1] * columns)
    side = max(side, min(largest / MOST, max(rows, columns)))
    return max(1, round(size[0] * rows / side)), max(1, round(size[1] * columns / side))


def resampled(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
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
        most = resampled((labels == 0) * np.uint8(255), size)
    for label in present:
        share = resampled((labels == label) * np.uint8(255), size)
        more = share > most
        found[more] = label
        most = np.where(more, share, most)
    return found
