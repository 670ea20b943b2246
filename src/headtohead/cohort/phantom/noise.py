"""Smooth random fields: what makes one made-up head differ from the next."""

import cv2
import numpy as np
from numpy.typing import NDArray

Field = NDArray[np.float32]
Mask = NDArray[np.bool_]


def smooth_noise(rng: np.random.Generator, z: Field, size: int, cell: float) -> Field:
    """Draw a smooth random field of mean 0 and standard deviation 1.

    The field is drawn on a coarse lattice and interpolated, cubic in the slice and linear between slices, so it is
    coherent through the volume however many slices sample it, and costs far less than filtering white noise.

    Args:
        rng: source of randomness.
        z: ascending heights of the slices, shape [n], in head units (1 is from the middle of the head to its top).
        size: height and width of a slice in pixels.
        cell: spacing of the lattice in head units; a slice is about 3 head units wide.
    """
    across = max(4, round(3.0 / cell) + 3)
    layers = max(2, round(float(z[-1] - z[0]) / cell) + 2)
    lattice = rng.standard_normal((layers, across, across), dtype=np.float32)
    position = (z - z[0]) / cell
    below = np.minimum(position.astype(np.int64), layers - 2)
    weight = np.clip(position - below, 0, 1).astype(np.float32)[:, None, None]
    rows = (1 - weight) * lattice[below] + weight * lattice[below + 1]
    field = np.empty((len(z), size, size), np.float32)
    for k, row in enumerate(rows):
        field[k] = cv2.resize(row, (size, size), interpolation=cv2.INTER_CUBIC)
    sparse = field[:, ::4, ::4]  # enough to know mean and spread, at a sixteenth of the time
    mean, spread = sparse.mean(), sparse.std() + np.float32(1e-6)
    field -= mean
    field /= spread
    return field
