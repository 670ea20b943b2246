"""A case's predicted probabilities as a histogram: small enough to keep, enough for every threshold's counts."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

BINS = 256
Counts = NDArray[np.int64]


def probability_histogram(probability: NDArray[np.floating], truth: NDArray[np.bool_]) -> NDArray[np.uint32]:
    """Count how often each probability was given to lesion voxels and to others.

    Args:
        probability: float in [0, 1], any shape.
        truth: bool, the same shape.

    Returns:
        uint32 [2, 256]: row 0 other voxels, row 1 lesion voxels. Bin b holds b/256 <= p < (b+1)/256, the last one
        also p = 1. A threshold that is a multiple of 1/256, such as .5, falls between two bins and is exact.

    Raises:
        ValueError: if the shapes differ, the truth is not bool, or a probability is not in [0, 1].
    """
    if probability.shape != truth.shape or truth.dtype != np.bool_:
        raise ValueError(f"truth must be bool {probability.shape}, not {truth.dtype} {truth.shape}")
    if probability.size and not (probability.min() >= 0 and probability.max() <= 1):  # NaN is not either
        raise ValueError("probabilities must be in [0, 1]")
    # Multiplied by a power of two, which rounds nothing: p = .5 is in bin 128, never in 127.
    bins = np.minimum(probability * BINS, BINS - 1).astype(np.uint8)
    every = np.bincount(bins.ravel(), minlength=BINS)
    lesion = np.bincount(bins[truth], minlength=BINS)
    return np.stack([every - lesion, lesion]).astype(np.uint32)


def counts_at_thresholds(histogram: ArrayLike) -> tuple[Counts, Counts, Counts, Counts]:
    """Give the counts at each threshold from a histogram, [2, 256], of one case or summed over several.

    Returns:
        TP, FP, FN, TN, each int64 [256]: entry b for the threshold b/256, at which p >= b/256 is called lesion.
    """
    other, lesion = np.asarray(histogram, dtype=np.int64)
    tp, fp = (np.cumsum(row[::-1])[::-1] for row in (lesion, other))
    return tp, fp, lesion.sum() - tp, other.sum() - fp
