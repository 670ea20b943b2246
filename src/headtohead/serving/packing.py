"""Voxels as the page reads them: few bytes each, in the order of slices, rows and columns."""

import numpy as np


def probability_bytes(probability: np.ndarray) -> bytes:
    """Give a probability a byte a voxel, 255 for 1. Rounded down, so that no threshold loses a voxel by it."""
    return np.floor(probability * np.float32(255)).astype(np.uint8).tobytes()


def bits(masks: np.ndarray) -> bytes:
    """Give masks [K, ...] a bit a voxel, the first in the highest bit; each begins with a byte of its own."""
    return b"".join(np.packbits(one).tobytes() for one in masks)
