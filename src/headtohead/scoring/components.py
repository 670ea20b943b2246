"""A mask's box and its connected components: one labeller for clean-up, for what is measured, and for lesion scores."""

import cv2
import numpy as np
from numpy.typing import NDArray

PART = 2**20
"""Voxels that are counted at a time: NumPy counts, and looks up, in a copy of twice the size."""


def bounding_box(mask: NDArray[np.bool_]) -> tuple[slice, ...] | None:
    """Find the smallest box that holds every voxel of a mask, bool, as one slice per axis; None where it is empty."""
    sides = []
    for axis in range(mask.ndim):
        others = tuple(other for other in range(mask.ndim) if other != axis)
        occupied = np.flatnonzero(mask.any(axis=others))
        if not occupied.size:
            return None
        sides.append(slice(int(occupied[0]), int(occupied[-1]) + 1))
    return tuple(sides)


def label_components(mask: NDArray[np.bool_]) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Label the connected components of a mask: voxels that share a face, an edge or a corner (26 neighbours in 3-D).

    Args:
        mask: bool [slices, H, W].

    Returns:
        Labels of the same shape, 0 outside; and the number of voxels of each label, that of 0 put to 0.
    """
    labels: NDArray[np.int32]
    if len(mask) == 1:  # a plane, as of a single image: importing SciPy would take as long as its prediction
        number, plane = cv2.connectedComponents(np.ascontiguousarray(mask[0]).astype(np.uint8), connectivity=8)
        labels, number = plane[None].astype(np.int32, copy=False), number - 1
    else:
        from scipy import ndimage

        labels, number = ndimage.label(mask, structure=np.ones((3, 3, 3)))
    flat, sizes = labels.ravel(), np.zeros(number + 1, np.int64)
    part = max(PART, number + 1)
    for start in range(0, flat.size, part):
        sizes += np.bincount(flat[start : start + part], minlength=number + 1)
    sizes[0] = 0
    return labels, sizes


def count_components(mask: NDArray[np.bool_]) -> int:
    """Count the connected components of a mask, bool [slices, H, W]."""
    box = bounding_box(mask)
    return 0 if box is None else len(label_components(mask[box])[1]) - 1


def largest_component(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Give the largest component of a mask, bool [slices, H, W]; of equally large ones the first in memory."""
    kept = np.zeros_like(mask)
    box = bounding_box(mask)
    if box is not None:
        labels, sizes = label_components(mask[box])
        among = _of(labels, sizes == sizes.max())
        kept[box] = labels == labels.ravel()[np.argmax(among)]
    return kept


def without_small(mask: NDArray[np.bool_], least: float) -> NDArray[np.bool_]:
    """Give a mask, bool [slices, H, W], without its connected components of fewer voxels than `least`, above 0."""
    labels, sizes = label_components(mask)
    return _of(labels, sizes >= least)


def _of(labels: NDArray[np.int32], wanted: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Say which voxels have labels that are wanted, bool by label."""
    among = np.empty(labels.shape, bool)
    for here, out in zip(labels, among, strict=True):
        out[:] = wanted[here]
    return among
