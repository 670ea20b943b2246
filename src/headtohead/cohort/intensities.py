"""Grey levels of any scanner as the 256 of a cohort."""

import numpy as np

WHITE = 99.9
"""Percentile of the positive voxels that becomes white: a few vessels or hot voxels must not darken the rest."""


def to_bytes(volume: np.ndarray) -> np.ndarray:
    """Scale a volume to uint8: 0 stays 0, the 99.9th percentile of its positive voxels becomes 255.

    Args:
        volume: real numbers of any shape, one sequence. What is negative or not finite becomes 0.

    Returns:
        uint8, the same shape; all 0 where no voxel is positive.
    """
    finite = np.nan_to_num(volume.astype(np.float32, copy=False), nan=0.0, posinf=0.0, neginf=0.0)
    positive = finite[finite > 0]
    if not positive.size:
        return np.zeros(volume.shape, np.uint8)
    scaled = finite * (255.0 / np.percentile(positive, WHITE))
    return np.rint(np.clip(scaled, 0, 255)).astype(np.uint8)
