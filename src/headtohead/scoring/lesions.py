"""Lesions as things rather than voxels: how many there are, and how many were found, missed and made up."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from headtohead.scoring.components import bounding_box, label_components

SMALLEST_ML = 0.1  # where the spacing is known
SMALLEST_PIXELS = 10  # voxels, where it is not


def smallest_lesion(spacing: Sequence[float] | None) -> int:
    """Give the size from which a connected component counts as a lesion, in voxels.

    Most components that a model misses are specks of 1 to 8 voxels at the edge of a lesion, which two readers would not
    both draw: counted, they say more of the outlines than of the model.

    It is the voxels that make up `SMALLEST_ML`, at least 1; `SMALLEST_PIXELS` where the spacing, in mm, is unknown.
    """
    return SMALLEST_PIXELS if spacing is None else max(1, math.ceil(SMALLEST_ML * 1000 / math.prod(spacing) - 1e-9))


def size_in_words(unit: str) -> str:
    """Say from which size a lesion counts: `at least 0.1 ml`, or where the unit is `px` `at least 10 pixels`."""
    return f"at least {SMALLEST_PIXELS} pixels" if unit == "px" else f"at least {SMALLEST_ML:g} ml"


def count_lesions(
    prediction: NDArray[np.bool_], truth: NDArray[np.bool_], smallest: int = 1
) -> tuple[int, int, int, int]:
    """Count lesions, and false ones, as connected components.

    Voxels are connected that share a face, an edge or a corner (26 neighbours in 3-D). One voxel of overlap finds a
    lesion: how well it is outlined is what Dice and the surface scores say. A component below the least size is neither
    a lesion nor a false one; one that touches a speck of the truth is not false either.

    Args:
        prediction: bool [slices, H, W].
        truth: bool, the same shape.
        smallest: voxels from which a component counts, in truth and prediction.

    Returns:
        Lesions, connected components of the truth; those found, which the prediction overlaps by however little, and
        those missed; false ones, components of the prediction that overlap nothing of the truth.

    Raises:
        ValueError: if the shapes differ.
    """
    if prediction.shape != truth.shape:
        raise ValueError(f"prediction {prediction.shape} and truth {truth.shape} differ in shape")
    lesions, found = _components(truth, prediction, smallest)
    predicted, right = _components(prediction, truth, smallest)
    return lesions, found, lesions - found, predicted - right


def _components(mask: NDArray[np.bool_], other: NDArray[np.bool_], smallest: int) -> tuple[int, int]:
    """Count the components of a mask that are large enough, and those among them that overlap the other mask."""
    box = bounding_box(mask)
    if box is None:
        return 0, 0
    labels, sizes = label_components(mask[box])
    large = sizes >= max(smallest, 1)
    return int(np.count_nonzero(large)), int(np.count_nonzero(large[np.unique(labels[other[box]])]))
