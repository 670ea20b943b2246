"""Where the head is in a volume, and the intensity statistics of what is inside it."""

import cv2
import numpy as np

FLOOR = 0.12
"""Share of the 99th percentile under which a pixel is air. Air carries noise, so zero would not do."""

RIM = 4
"""Pixels along the edges of the image whose median is taken for the level of air; in a few scans it is far above 0."""

DEPTH = 0.3
"""The inner head lies deeper than this share of the head's largest depth: past scalp, fat and skull."""

NORMAL_80 = 2.563
"""Width of the central 80 % of a normal distribution, in standard deviations."""


def head_mask(volume: np.ndarray) -> np.ndarray:
    """Find the head in every slice: its largest bright piece, holes filled.

    Args:
        volume: uint8 [slices, H, W, 3].

    Returns:
        bool [slices, H, W]; all False where a slice holds only air.
    """
    above = volume.astype(np.int16) - air_levels(volume)
    brightest = np.clip(above.max(axis=-1), 0, 255).astype(np.uint8)
    air = max(4.0, FLOOR * float(np.percentile(brightest, 99)))
    mask = np.zeros(brightest.shape, np.uint8)
    for image, out in zip(brightest, mask, strict=True):
        bright = (cv2.blur(np.ascontiguousarray(image), (5, 5)) > air).astype(np.uint8)
        pieces, _ = cv2.findContours(bright, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        if pieces:
            cv2.drawContours(out, [max(pieces, key=cv2.contourArea)], -1, 1, cv2.FILLED)
    return mask.astype(bool)


def air_levels(volume: np.ndarray) -> np.ndarray:
    """Measure how bright each channel is where there is nothing: along the edges of the slices.

    Args:
        volume: uint8 [slices, H, W, 3].

    Returns:
        int16 [3].
    """
    rim = np.ones(volume.shape[1:3], bool)
    rim[RIM:-RIM, RIM:-RIM] = False
    return np.median(volume[:, rim], axis=(0, 1)).astype(np.int16)


def inner_head(mask: np.ndarray) -> np.ndarray:
    """Keep what lies deep in the head, so that bright scalp and fat have no say in the statistics.

    Args:
        mask: bool [slices, H, W] from `head_mask`.

    Returns:
        bool [slices, H, W]: pixels farther from the head's edge, in their slice, than `DEPTH` of the
        largest such distance in the volume.
    """
    depth = np.stack([cv2.distanceTransform(one.astype(np.uint8), cv2.DIST_L2, 5) for one in mask])
    return depth > max(DEPTH * depth.max(), 0.0)


def intensity_statistics(volume: np.ndarray, region: np.ndarray, normalise: str) -> np.ndarray:
    """Measure centre and scale of each channel.

    Args:
        volume: uint8 [slices, H, W, 3].
        region: bool [slices, H, W], where to measure; the whole volume if it is empty.
        normalise: `zscore` (mean and standard deviation; the region is the head) or `inner` (median, and the range
            from the 10th to the 90th percentile in units of a normal distribution's deviation; the region is the
            inner head: neither a bright scalp nor the lesion itself moves them much).

    Returns:
        float32 [3, 2]: (centre, scale) per channel in uint8 units; scale is at least 1.
    """
    pixels = volume[region] if region.any() else volume.reshape(-1, volume.shape[-1])
    if normalise == "inner":
        low, centre, high = np.percentile(pixels, (10, 50, 90), axis=0)
        scale = (high - low) / NORMAL_80
    else:
        centre, scale = pixels.mean(axis=0), pixels.std(axis=0)
    return np.stack([centre, np.maximum(scale, 1.0)], axis=-1).astype(np.float32)
