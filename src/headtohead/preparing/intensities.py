"""Grey levels of any scanner as the 256 of a cohort."""

import math

import numpy as np

WHITE = 99.9
"""Percentile of the positive voxels that becomes white: a few vessels or hot voxels must not darken the rest."""

SAMPLE = 4096
"""Voxels that show roughly where that percentile is, so that only brighter ones need to be sorted."""


def to_bytes(volume: np.ndarray) -> np.ndarray:
    """Scale a volume to uint8: 0 stays 0, the 99.9th percentile of its positive voxels becomes 255.

    Args:
        volume: real numbers of any shape, all of one sequence. What is negative or not finite becomes 0.

    Returns:
        uint8, the same shape; all 0 where no voxel is positive.
    """
    with np.errstate(over="ignore"):  # what float32 does not hold is infinite
        values = volume.astype(np.float32, copy=False)
    if not np.isfinite(values).all():
        values = np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0)
    return to_levels(values, white_of(values))


def to_levels(values: np.ndarray, white: float) -> np.ndarray:
    """Scale values to uint8, so that `white` becomes 255; what is negative becomes 0.

    Args:
        values: float32 of any shape, finite.
        white: more than 0, in the unit of the values.
    """
    # Divided first: 255 over the white of a file in a tiny unit is more than float32 holds.
    with np.errstate(over="ignore"):
        levels = values / np.float32(white)
    np.clip(levels, 0, 1, out=levels)
    levels *= 255
    return np.rint(levels, out=levels).astype(np.uint8)


def white_of(values: np.ndarray) -> float:
    """Give the brightness that becomes 255: the 99.9th percentile of the positive voxels, 1 where there are none.

    Args:
        values: real and finite, of any shape.
    """
    flat = values.ravel(order="K")  # as it lies in memory: another order takes far longer
    positive = int(np.count_nonzero(flat > 0))
    if not positive:
        return 1.0
    rank = WHITE / 100 * (positive - 1)
    needed = positive - math.floor(rank)
    sample = flat[:: max(1, flat.size // SAMPLE)]
    sample = sample[sample > 0]
    bright = flat[flat > (np.percentile(sample, 99) if sample.size else 0)]
    if len(bright) < needed:  # the sample misled
        bright = flat[flat > 0]
    place = len(bright) - needed
    bright.partition((place, min(place + 1, len(bright) - 1)))
    low, high = (float(bright[min(place + step, len(bright) - 1)]) for step in (0, 1))
    return low + (high - low) * (rank - math.floor(rank))
