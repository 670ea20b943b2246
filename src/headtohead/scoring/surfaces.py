"""How far two outlines lie apart: 95 % Hausdorff distance and surface Dice, in 3-D.

Dice counts voxels and so forgives a large lesion what it never forgives a small one. These two look at the surface
only, and both are made from one pass over it.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from headtohead.scoring.components import bounding_box

TOLERANCE = 1.0  # pixels, or mm where the spacing is known: about what two outlines of one reader differ by
PERCENT = 95.0


def unit_of(spacing: Sequence[float] | None) -> str:
    """Name the unit of a distance: `mm` where the spacing is known, else `px`."""
    return "px" if spacing is None else "mm"


def surface_scores(
    prediction: NDArray[np.bool_], truth: NDArray[np.bool_], spacing: Sequence[float] | None = None
) -> tuple[float, float]:
    """Compare the surfaces of two masks of one case.

    The surface of a mask are its voxels that share a face with a voxel outside it, where the edge of the image counts
    as outside. Surface voxels are counted, not their area. Of the two directions, from prediction to truth and back,
    the 95 % Hausdorff distance takes the larger 95th percentile, as a rule one that is interpolated.

    A lesion of which nothing was predicted has the worst scores there are: surface Dice 0 and, for the distance, the
    diagonal of the volume, than which no two of its voxels lie further apart. Left out, such a case would improve the
    mean of the entrant that missed it. The brain tumour segmentation challenge does the same (373 mm, the diagonal of
    its volumes). Where the truth is empty there is nothing to be near to, and both are NaN, whatever was predicted.

    Source: Huttenlocher et al. 1993, doi:10.1109/34.232073; Nikolov et al. 2021, doi:10.2196/26151; on empty
    predictions Reinke et al. 2024, doi:10.1038/s41592-023-02150-0.

    Args:
        prediction: bool [slices, H, W].
        truth: bool, the same shape.
        spacing: mm between voxels along (slices, H, W). None where it is unknown: then the unit is the pixel, and the
            step from slice to slice counts as one pixel, though in the patient it is usually several times longer.

    Returns:
        The 95 % Hausdorff distance in the unit of the spacing, 0 is best; and surface Dice, the share of both surfaces
        that lies within `TOLERANCE` of the other, 1 is best.

    Raises:
        ValueError: if the shapes differ, or the spacing is not three positive numbers.
    """
    if prediction.shape != truth.shape:
        raise ValueError(f"prediction {prediction.shape} and truth {truth.shape} differ in shape")
    if spacing is not None and not (len(spacing) == truth.ndim and all(0 < step < math.inf for step in spacing)):
        raise ValueError(f"spacing must be {truth.ndim} positive numbers in mm, not {tuple(spacing)}")
    if not truth.any():
        return math.nan, math.nan
    if not prediction.any():
        return _diagonal(truth.shape, spacing), 0.0
    to_truth, to_prediction = _surface_distances(prediction, truth, spacing)
    # One voxel of 1.0 mm steps may come out of float32 as 1.0000001 mm away.
    within = sum(np.count_nonzero(one <= TOLERANCE * (1 + 1e-6)) for one in (to_truth, to_prediction))
    hd95 = max(np.percentile(one, PERCENT) for one in (to_truth, to_prediction))
    return float(hd95), float(within / (to_truth.size + to_prediction.size))


def _diagonal(shape: Sequence[int], spacing: Sequence[float] | None) -> float:
    """The distance between opposite corner voxels."""
    steps = spacing or (1.0,) * len(shape)
    return math.hypot(*((n - 1) * step for n, step in zip(shape, steps, strict=True)))


def _surface_distances(
    prediction: NDArray[np.bool_], truth: NDArray[np.bool_], spacing: Sequence[float] | None
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Distance of each surface voxel of one mask to the nearest of the other: from the prediction, from the truth."""
    from scipy.ndimage import binary_erosion
    from scipy.spatial import KDTree

    box = bounding_box(prediction | truth)  # outside it there is nothing of either
    surfaces = [
        np.argwhere(mask & ~binary_erosion(mask)) * np.asarray(spacing or 1, np.float64)
        for mask in (prediction[box], truth[box])
    ]
    to_truth, to_prediction = (
        KDTree(other, leafsize=32).query(own)[0].astype(np.float32) for own, other in (surfaces, surfaces[::-1])
    )
    return to_truth, to_prediction
