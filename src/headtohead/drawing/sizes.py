"""Slices and masks in the size they are drawn in."""

from collections.abc import Sequence

import cv2
import numpy as np

Size = tuple[int, int]  # height, width


def within(shape: Sequence[int], longest: int) -> Size:
    """Give the size of a picture whose longer side becomes `longest`, its proportions kept."""
    factor = longest / max(shape)
    return max(1, round(shape[0] * factor)), max(1, round(shape[1] * factor))


def resized(pixels: np.ndarray, size: Size) -> np.ndarray:
    """Bring pixels [H, W] or [H, W, C] to a size: averaged where it is smaller, else linear between them."""
    smaller = size[0] <= pixels.shape[0] and size[1] <= pixels.shape[1]
    return cv2.resize(pixels, size[::-1], interpolation=cv2.INTER_AREA if smaller else cv2.INTER_LINEAR)


def resized_mask(mask: np.ndarray, size: Size) -> np.ndarray:
    """Bring a mask, nonzero inside, to a size: bool; where it becomes smaller it keeps every part, however small."""
    smaller = size[0] <= mask.shape[0] and size[1] <= mask.shape[1]
    method = cv2.INTER_AREA if smaller else cv2.INTER_NEAREST
    return cv2.resize((mask != 0).astype(np.float32), size[::-1], interpolation=method) > 0
