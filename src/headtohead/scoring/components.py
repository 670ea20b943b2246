"""Connected components of a mask: one labeller for clean-up, for what is measured of a mask, and for lesion scores."""

import cv2
import numpy as np
from numpy.typing import NDArray

from headtohead.scoring.bounding import bounding_box

PART = 2**20
"""Voxels that are counted at a time: NumPy counts, and looks up, in a copy of twice the size."""


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
    """Keep the largest connected component of a mask.

    Args:
        mask: bool [slices, H, W]. It is left as it is.

    Returns:
        bool, the same shape: of equally large components the first in memory; empty where the mask is empty.
    """
    kept = np.zeros_like(mask)
    box = bounding_box(mask)
    if box is not None:
        labels, sizes = label_components(mask[box])
        among = _of(labels, sizes == sizes.max())
        kept[box] = labels == labels.ravel()[np.argmax(among)]
    return kept


def without_small(mask: NDArray[np.bool_], least: float) -> NDArray[np.bool_]:
    """Drop the connected components of fewer voxels than `least`.

    Args:
        mask: bool [slices, H, W]. It is left as it is.
        least: voxels, above 0.
    """
    labels, sizes = label_components(mask)
    return _of(labels, sizes >= least)


def _of(labels: NDArray[np.int32], wanted: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Say which voxels have labels that are wanted, bool by label."""
    among = np.empty(labels.shape, bool)
    for here, out in zip(labels, among, strict=True):
        out[:] = wanted[here]
    return among
