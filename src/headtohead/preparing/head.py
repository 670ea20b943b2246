"""Where the head is in a volume, and the intensity statistics of what is inside it."""

import cv2
import numpy as np

from headtohead.preparing.greys import count_greys, mean_and_deviation, percentiles
from headtohead.preparing.intensities import BETWEEN

FLOOR = 0.12
"""Share of the 99th percentile under which a pixel is air. Air carries noise, so zero would not do."""

RIM = 4
"""Pixels along the edges of the image whose median is taken for the level of air; in a few scans it is far above 0."""

DEPTH = 0.3
"""The inner head lies deeper than this share of the head's largest depth: past scalp, fat and skull."""

BESIDE = 2
"""Pixels that a step of OpenCV's distance transform looks ahead."""

NORMAL_80 = 2.563
"""Width of the central 80 % of a normal distribution, in standard deviations."""


def head_mask(volume: np.ndarray) -> np.ndarray:
    """Find the head in every slice of uint8 [slices, H, W, C]: its largest bright piece, holes filled.

    Returns:
        bool [slices, H, W]; all False where a slice holds only air.
    """
    air = air_levels(volume)
    brightest = np.zeros(volume.shape[:3], np.uint8)
    for image, out in zip(volume, brightest, strict=True):
        for plane, level in zip(cv2.split(image), air, strict=True):
            above = cv2.subtract(plane, float(level))  # type: ignore[call-overload]  # never below 0
            np.maximum(out, above, out=out)
    [[bright]] = percentiles(count_greys(brightest[..., None]), (99,))
    floor = max(4.0, FLOOR * bright)
    mask = np.zeros(brightest.shape, np.uint8)
    for image, out in zip(brightest, mask, strict=True):
        light = (cv2.blur(image, (5, 5)) > floor).view(np.uint8)
        pieces, _ = cv2.findContours(light, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        if pieces:
            cv2.drawContours(out, [max(pieces, key=cv2.contourArea)], -1, 1, cv2.FILLED)
    return mask.view(bool)


def air_levels(volume: np.ndarray) -> np.ndarray:
    """Measure how bright each channel of uint8 [slices, H, W, C] is along the edges of slices, in air: uint8 [C]."""
    edges = (volume[:, :RIM], volume[:, -RIM:], volume[:, RIM:-RIM, :RIM], volume[:, RIM:-RIM, -RIM:])
    small = min(volume.shape[1:3]) <= 2 * RIM  # then all of it is edge
    pixels = [part.reshape(-1, volume.shape[-1]) for part in ((volume,) if small else edges)]
    return percentiles(count_greys(np.concatenate(pixels)[None, None]), (50,))[0].astype(np.uint8)


def inner_head(mask: np.ndarray) -> np.ndarray:
    """Keep what lies deep in the head, so that bright scalp and fat do not affect the statistics.

    Of a mask from `head_mask`, bool [slices, H, W], these are the pixels farther from the head's edge, in their slice,
    than `DEPTH` of the largest such distance in the volume.
    """
    depth = np.zeros(mask.shape, np.float32)
    for one, out in zip(np.ascontiguousarray(mask).view(np.uint8), depth, strict=True):
        left, top, width, height = cv2.boundingRect(one)
        # With the air next to it, to which the distances are measured.
        box = tuple(
            slice(max(start - BESIDE, 0), start + side + BESIDE) for start, side in ((top, height), (left, width))
        )
        if width:
            out[box] = cv2.distanceTransform(np.ascontiguousarray(one[box]), cv2.DIST_L2, 5)
    return depth > max(DEPTH * depth.max(), 0.0)


def intensity_statistics(volume: np.ndarray, region: np.ndarray, normalise: str) -> np.ndarray:
    """Measure centre and scale of each channel.

    Args:
        volume: uint8 or uint16 [slices, H, W, C].
        region: bool [slices, H, W], where to measure; the whole volume if it is empty.
        normalise: `zscore` (mean and standard deviation; the region is the head) or `inner` (median, and the range
            from the 10th to the 90th percentile in units of a normal distribution's deviation; the region is the
            inner head: neither a bright scalp nor the lesion itself moves them much).

    Returns:
        float32 [C, 2]: (centre, scale) per channel in units of 8 bits; scale is at least 1.
    """
    counts = count_greys(volume, region if region.any() else None)
    if normalise == "inner":
        low, centre, high = percentiles(counts, (10, 50, 90))
        scale = (high - low) / NORMAL_80
    else:
        centre, scale = mean_and_deviation(counts)
    unit = 1 if volume.dtype.itemsize == 1 else BETWEEN
    return np.stack([centre / unit, np.maximum(scale / unit, 1.0)], axis=-1).astype(np.float32)
