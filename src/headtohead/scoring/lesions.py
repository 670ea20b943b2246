"""Lesions as things rather than voxels: how many there are, and how many were found, missed and made up."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headtohead.scoring.bounding import bounding_box
from headtohead.scoring.components import label_components

SMALLEST_ML = 0.1  # where the spacing is known
SMALLEST_PIXELS = 10  # voxels, where it is not


@dataclass(frozen=True)
class LesionCounts:
    """Lesions of one case, all of the least size that was asked for.

    Attributes:
        lesions: connected components of the truth; found and missed add up to it.
        found: those that the prediction overlaps, by however little.
        missed: those that it does not.
        false: connected components of the prediction that overlap nothing of the truth.
    """

    lesions: int
    found: int
    missed: int
    false: int


def smallest_lesion(spacing: Sequence[float] | None) -> int:
    """Give the size from which a connected component counts as a lesion, in voxels.

    Most components that a model misses are specks of 1 to 8 voxels at the edge of a lesion, which two readers would not
    both draw: counted, they say more of the outlines than of the model.

    Args:
        spacing: mm between voxels along (slices, H, W), or None where it is unknown.

    Returns:
        The voxels that make up `SMALLEST_ML`, at least 1; `SMALLEST_PIXELS` where the spacing is unknown.
    """
    return SMALLEST_PIXELS if spacing is None else max(1, math.ceil(SMALLEST_ML * 1000 / math.prod(spacing) - 1e-9))


def size_in_words(unit: str) -> str:
    """Say beside a count from which size a lesion counts: `at least 0.1 ml`, `at least 10 pixels`.

    Args:
        unit: `px` or `mm`, as `surfaces.unit_of` gives it.
    """
    return f"at least {SMALLEST_PIXELS} pixels" if unit == "px" else f"at least {SMALLEST_ML:g} ml"


def count_lesions(prediction: NDArray[np.bool_], truth: NDArray[np.bool_], smallest: int = 1) -> LesionCounts:
    """Count lesions, and false ones, as connected components.

    Voxels are connected that share a face, an edge or a corner (26 neighbours in 3-D). One voxel of overlap finds a
    lesion: how well it is outlined is what Dice and the surface scores say. A component below the least size is neither
    a lesion nor a false one; one that touches a speck of the truth is not false either.

    Args:
        prediction: bool [slices, H, W].
        truth: bool, the same shape.
        smallest: voxels from which a component counts, in truth and prediction.

    Returns:
        The counts; all 0 where both masks are empty.

    Raises:
        ValueError: if the shapes differ.
    """
    if prediction.shape != truth.shape:
        raise ValueError(f"prediction {prediction.shape} and truth {truth.shape} differ in shape")
    lesions, found = _components(truth, prediction, smallest)
    predicted, right = _components(prediction, truth, smallest)
    return LesionCounts(lesions, found, lesions - found, predicted - right)


def _components(mask: NDArray[np.bool_], other: NDArray[np.bool_], smallest: int) -> tuple[int, int]:
    """Count the components of a mask that are large enough, and those among them that overlap the other mask."""
    box = bounding_box(mask)
    if box is None:
        return 0, 0
    labels, sizes = label_components(mask[box])
    large = sizes >= max(smallest, 1)
    return int(np.count_nonzero(large)), int(np.count_nonzero(large[np.unique(labels[other[box]])]))
