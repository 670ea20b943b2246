"""Grey levels of any scanner as the 256 of a cohort, or its 65,536 where a reader asks for 16 bits."""

import math
from collections.abc import Sequence

import numpy as np

from headtohead.task.case import finite

WHITE = 99.9
"""Percentile of the positive voxels that becomes white: a few vessels or hot voxels must not darken the rest."""

SAMPLE = 4096
"""Voxels that show roughly where that percentile is, so that only brighter ones need to be sorted."""

EIGHT = np.dtype(np.uint8)
BETWEEN = 257
"""Levels of 16 bits for one of 8: 65,535 of them are 255."""


def to_depth(volume: np.ndarray, depth: np.dtype, whites: Sequence[float] = ()) -> np.ndarray:
    """Bring a volume to the depth in which it is stored, each channel by its own factor.

    Args:
        volume: [..., C] of any real type.
        depth: uint8 or uint16.
        whites: what becomes the last level, by channel; empty: `bright_end` it, and what is stored keeps its levels.
    """
    if volume.dtype == depth and not whites:
        return volume
    if volume.dtype == np.uint8 and not whites:
        return volume.astype(depth) * depth.type(BETWEEN)
    levels = np.empty(volume.shape, depth)
    for channel in range(volume.shape[-1]):
        values = finite(np.ascontiguousarray(volume[..., channel]))
        levels[..., channel] = to_levels(values, whites[channel] if whites else bright_end(values), depth)
    return levels


def to_eight_bits(levels: np.ndarray) -> np.ndarray:
    """Give stored levels in 8 bits; those that have no more stay as they are."""
    if levels.dtype.itemsize == 1:
        return levels
    return ((levels.astype(np.uint32) + BETWEEN // 2) // BETWEEN).astype(np.uint8)


def to_bytes(volume: np.ndarray) -> np.ndarray:
    """Scale a volume of one sequence to uint8: 0 stays 0, the 99.9th percentile of its positive voxels becomes 255.

    What is negative or not finite becomes 0.
    """
    values = finite(volume)
    return to_levels(values, bright_end(values))


def to_levels(values: np.ndarray, white: float, depth: np.dtype = EIGHT) -> np.ndarray:
    """Scale finite float32 values to the levels of a depth, so that `white` becomes the last; a negative becomes 0."""
    # Divided first: 255 over the white of a file in a tiny unit is more than float32 holds.
    with np.errstate(over="ignore"):
        levels = values / np.float32(white)
    np.clip(levels, 0, 1, out=levels)
    levels *= np.iinfo(depth).max
    return np.rint(levels, out=levels).astype(depth)


def bright_end(values: np.ndarray) -> float:
    """Give the 99.9th percentile of the positive voxels of finite values, which becomes 255; 1 where there are none."""
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
