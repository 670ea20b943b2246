"""How bright a picture is drawn. MRI of 8 bits is often dark, and only its fat is bright."""

import cv2
import numpy as np

WHITE = 99.8
"""Percentile of what is drawn together that is drawn white."""


def white_of(grey: np.ndarray) -> float:
    """Give the grey level that is drawn white, at least 1; of all slices of a case, so that they stay comparable."""
    return max(1.0, float(np.percentile(grey, WHITE)))


def brightened(image: np.ndarray, white: float) -> np.ndarray:
    """Stretch uint8 [H, W] or [H, W, C], so that `white` becomes 255, all channels by one factor."""
    return cv2.convertScaleAbs(image, alpha=255 / white)
