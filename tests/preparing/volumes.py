"""Made-up volumes."""

import numpy as np


def volume_of(slices: int, height: int, width: int) -> np.ndarray:
    """Noise, so that no two planes are alike."""
    return np.random.default_rng(0).integers(0, 256, (slices, height, width, 3), dtype=np.uint8)
