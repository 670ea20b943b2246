"""How often each grey value occurs in images of 8 or 16 bits: all that percentiles, means and deviations need.

Pixels are counted far sooner than sorted.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

AT_ONCE = 2**24
"""OpenCV gives its counts as float32, which holds whole numbers up to this."""


def count_greys(images: np.ndarray, region: np.ndarray | None = None) -> NDArray[np.int64]:
    """Count the grey values of each channel of uint8 or uint16 [slices, H, W, C]: int64 [C, 256 or 65,536].

    They are counted in a region, bool [slices, H, W], or everywhere.
    """
    slices, height, width, channels = images.shape
    together = max(1, AT_ONCE // (height * width))
    levels = 256**images.dtype.itemsize
    counts = np.zeros((channels, levels), np.int64)
    for start in range(0, slices, together):
        # A pile of slices is one tall image.
        pile = np.ascontiguousarray(images[start : start + together]).reshape(-1, width, channels)
        mask = None
        if region is not None:
            mask = np.ascontiguousarray(region[start : start + together]).view(np.uint8).reshape(-1, width)
        for channel in range(channels):
            counts[channel] += cv2.calcHist([pile], [channel], mask, [levels], [0, levels]).ravel().astype(np.int64)
    return counts


def percentiles(counts: NDArray[np.int64], shares: Sequence[float]) -> NDArray[np.float64]:
    """Give percentiles of counted grey values, as `numpy.percentile` gives those of the pixels: float64 [shares, C]."""
    below = np.cumsum(counts, axis=-1)
    found = np.empty((len(shares), len(counts)))
    for channel, total in enumerate(below):
        rank = np.asarray(shares, np.float64) / 100 * (total[-1] - 1)
        whole = np.floor(rank)
        low, high = (np.searchsorted(total, np.minimum(whole + step, total[-1] - 1), side="right") for step in (0, 1))
        found[:, channel] = low + (high - low) * (rank - whole)
    return found


def mean_and_deviation(counts: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give mean and standard deviation of counted grey values: float64 [C] each."""
    values, total = np.arange(counts.shape[-1], dtype=np.float64), counts.sum(axis=-1)
    mean = counts @ values / total
    squares = np.einsum("cv,cv->c", counts, (values - mean[:, None]) ** 2)
    return mean, np.sqrt(squares / total)
