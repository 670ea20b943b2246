"""Lesions as things rather than voxels: how many there are, and how many were found, missed and made up."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headtohead.scoring.bounding import bounding_box


@dataclass(frozen=True)
class LesionCounts:
    """Lesions of one case.

    Attributes:
        lesions: connected components of the truth; found and missed add up to it.
        found: those that the prediction overlaps, by however little.
        missed: those that it does not.
        false: connected components of the prediction that overlap no lesion.
    """

    lesions: int
    found: int
    missed: int
    false: int


def count_lesions(prediction: NDArray[np.bool_], truth: NDArray[np.bool_]) -> LesionCounts:
    """Count lesions, and false ones, as connected components.

    Voxels are connected that share a face, an edge or a corner (26 neighbours in 3-D). One voxel of overlap finds a
    lesion: how well it is outlined is what Dice and the surface scores say. There is no least size, so a lone voxel
    of the truth is a lesion and a lone voxel of the prediction a false one.

    Args:
        prediction: bool [slices, H, W].
        truth: bool, the same shape.

    Returns:
        The counts; all 0 where both masks are empty.

    Raises:
        ValueError: if the shapes differ.
    """
    if prediction.shape != truth.shape:
        raise ValueError(f"prediction {prediction.shape} and truth {truth.shape} differ in shape")
    lesions, found = _components(truth, prediction)
    predicted, right = _components(prediction, truth)
    return LesionCounts(lesions, found, lesions - found, predicted - right)


def largest_component(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Keep the largest connected component of a mask (26 neighbours in 3-D), a clean-up that some score after.

    Args:
        mask: bool [slices, H, W]. It is left as it is.

    Returns:
        bool, the same shape: of equally large components the first in memory; empty where the mask is empty.
    """
    kept = np.zeros_like(mask)
    box = bounding_box(mask)
    if box is not None:
        labels, _ = _label(mask[box])
        kept[box] = labels == 1 + np.argmax(np.bincount(labels.ravel())[1:])
    return kept


def _components(mask: NDArray[np.bool_], other: NDArray[np.bool_]) -> tuple[int, int]:
    """Count the components of a mask, and those among them that overlap the other mask."""
    box = bounding_box(mask)
    if box is None:
        return 0, 0
    labels, number = _label(mask[box])
    touched = np.unique(labels[other[box]])
    return number, int(np.count_nonzero(touched))  # label 0 is no component


def _label(mask: NDArray[np.bool_]) -> tuple[NDArray[np.int32], int]:
    from scipy import ndimage

    labels, number = ndimage.label(mask, structure=np.ones((3,) * mask.ndim))
    return labels, int(number)
