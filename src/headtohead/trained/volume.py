"""A volume as it comes to a model, whatever prepares it further: 8 bits, three sequences."""

import numpy as np

from headtohead.preparing.intensities import to_bytes

Volume = np.ndarray
"""uint8 or float32 [slices, H, W, C], finite."""


def in_bytes(volume: Volume) -> np.ndarray:
    """Bring a volume to uint8, each channel by its own factor, as a NIfTI cohort is read; uint8 stays as it is."""
    if volume.dtype == np.uint8:
        return volume
    return np.stack([to_bytes(volume[..., channel]) for channel in range(volume.shape[-1])], axis=-1)


def three_sequences(volume: np.ndarray) -> np.ndarray:
    """Let a single sequence stand for all three: [slices, H, W, C] to [slices, H, W, 3]."""
    return np.repeat(volume, 3, axis=-1) if volume.shape[-1] == 1 else volume
