"""The box around a mask: what lies outside it need not be looked at."""

import numpy as np
from numpy.typing import NDArray

Box = tuple[slice, ...]


def bounding_box(mask: NDArray[np.bool_]) -> Box | None:
    """Find the smallest box that holds every voxel of a mask.

    Args:
        mask: bool, any number of axes.

    Returns:
        One slice per axis, to index an array of the mask's shape with; None where the mask is empty.
    """
    sides = []
    for axis in range(mask.ndim):
        others = tuple(other for other in range(mask.ndim) if other != axis)
        occupied = np.flatnonzero(mask.any(axis=others))
        if not occupied.size:
            return None
        sides.append(slice(int(occupied[0]), int(occupied[-1]) + 1))
    return tuple(sides)
