"""What a volume looks like, in a few numbers that do not depend on its scanner's units: head, texture, grey values."""

from dataclasses import dataclass
from itertools import combinations

import cv2
import numpy as np
from numpy.typing import NDArray

from headtohead.preparing.greys import count_greys, percentiles
from headtohead.preparing.head import NORMAL_80, head_mask, inner_head
from headtohead.preparing.intensities import to_bytes
from headtohead.scoring.components import bounding_box

SIDE, LOOKED_AT = 128, 12
"""Longer side to which slices are shrunk, smaller ones stay; and how many of them are looked at, evenly spaced."""

LEVELS, FARTHEST = 4, 20.0
"""Numbers that describe the grey values of one sequence, and their bound: farther out it does not matter how odd."""

HEADLESS = 0.01
"""Share of the image below which nothing of use was found."""


@dataclass(frozen=True)
class Appearance:
    """One volume, measured.

    Attributes:
        slices: how many.
        side: longer side of a slice in pixels.
        missing: places of the sequences that are but copies of the primary one.
        head: share of the image that is head.
        texture: correlation of neighbouring pixels in the inner head, of the sequence where it is lowest: near 0 in
            noise, near 1 in what was enlarged. 0 where there is no head.
        symmetry: correlation of a slice's primary sequence with its mirror image, left to right, in the head's box;
            median over the slices. 0 where there is no head.
        grey: `LEVELS` numbers a sequence, then the correlation of each pair of them (0-1, 0-2, 1-2), in the inner
            head. The numbers are distances from the median, in units of the central 80 % range as a normal
            distribution's deviation: of the 2nd and the 98th percentile, of the air, of the brightest of the head.
    """

    slices: int
    side: int
    missing: tuple[int, ...]
    head: float
    texture: float
    symmetry: float
    grey: NDArray[np.float64]


def look_at(volume: np.ndarray, primary: int) -> Appearance:
    """Measure a volume, uint8 or float32 [slices, H, W, C] and finite; its primary channel stands in for others."""
    slices, height, width, channels = volume.shape
    small = _shrink(volume)
    head = head_mask(small)
    # Without a head everything is looked at, so that every number is defined.
    inner = inner_head(head)
    inner = inner if inner.any() else np.ones(head.shape, bool)
    shown = small[..., primary]
    copies = tuple(place for place in range(channels) if place != primary and (small[..., place] == shown).all())
    share = float(head.mean())
    texture = min(_texture(small[..., place], inner) for place in range(channels)) if share > HEADLESS else 0.0
    grey = _grey(small, head, inner)
    return Appearance(slices, max(height, width), copies, share, texture, _symmetry(shown, head), grey)


def pairs_of(channels: int) -> list[tuple[int, int]]:
    """List the pairs of sequences in the order of their correlations in `Appearance.grey`."""
    return list(combinations(range(channels), 2))


def reordered(grey: NDArray[np.float64], order: tuple[int, ...]) -> NDArray[np.float64]:
    """Give the grey values as if the sequences stood in another order: first the one at place `order[0]`, and so on."""
    channels, pairs = len(order), pairs_of(len(order))
    levels, correlations = np.split(grey, [LEVELS * channels])
    places = [pairs.index((min(order[one], order[other]), max(order[one], order[other]))) for one, other in pairs]
    return np.concatenate([levels.reshape(channels, LEVELS)[list(order)].ravel(), correlations[places]])


def without(channels: int, missing: tuple[int, ...]) -> NDArray[np.bool_]:
    """Say which grey values are left where some sequences are missing: bool, as long as `Appearance.grey`."""
    there = [place not in missing for place in range(channels)]
    both = [there[one] and there[other] for one, other in pairs_of(channels)]
    return np.concatenate([np.repeat(there, LEVELS), both]).astype(bool)


def _shrink(volume: np.ndarray) -> NDArray[np.uint8]:
    """Bring a volume to 8 bits, a few slices and `SIDE` pixels."""
    slices, height, width, channels = volume.shape
    chosen = volume[np.unique(np.linspace(0, slices - 1, LOOKED_AT).round().astype(int))]
    factor = min(1.0, SIDE / max(height, width))
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    small = np.stack([cv2.resize(np.ascontiguousarray(one), size, interpolation=cv2.INTER_AREA) for one in chosen])
    small = small.reshape(*small.shape[:3], channels)
    if small.dtype == np.uint8:
        return small.view(np.uint8)
    return np.stack([to_bytes(small[..., place]) for place in range(channels)], axis=-1)


def _texture(image: NDArray[np.uint8], inner: NDArray[np.bool_]) -> float:
    both = np.zeros_like(inner)
    both[:, :, 1:] = inner[:, :, 1:] & inner[:, :, :-1]
    places, pixels = np.flatnonzero(both), image.ravel()
    return _correlation(pixels[places], pixels[places - 1])


def _symmetry(image: NDArray[np.uint8], head: NDArray[np.bool_]) -> float:
    alike = []
    for pixels, mask in zip(image, head, strict=True):
        box = bounding_box(mask)
        if box is not None and mask.mean() > HEADLESS:
            # So small that two halves of a brain, never quite mirror images, are alike.
            coarse = cv2.resize(np.ascontiguousarray(pixels[box]), (32, 32), interpolation=cv2.INTER_AREA)
            alike.append(_correlation(coarse.ravel(), coarse[:, ::-1].ravel()))
    return float(np.median(alike)) if alike else 0.0


def _grey(small: NDArray[np.uint8], head: NDArray[np.bool_], inner: NDArray[np.bool_]) -> NDArray[np.float64]:
    deep = count_greys(small, inner)
    lowest, low, middle, high, highest = percentiles(deep, (2, 10, 50, 90, 98))
    air = np.zeros(small.shape[-1]) if head.all() else percentiles(count_greys(small, ~head), (50,))[0]
    brightest = percentiles(count_greys(small, head) if head.any() else deep, (99.5,))[0]
    scale = np.maximum((high - low) / NORMAL_80, 1.0)
    levels = np.stack([middle - lowest, highest - middle, middle - air, brightest - middle], axis=-1) / scale[:, None]
    places = np.flatnonzero(inner)
    inside = [small[..., place].ravel()[places] for place in range(small.shape[-1])]
    correlations = [_correlation(inside[one], inside[other]) for one, other in pairs_of(len(inside))]
    return np.concatenate([np.clip(levels, -FARTHEST, FARTHEST).ravel(), correlations])


def _correlation(one: np.ndarray, other: np.ndarray) -> float:
    """Correlate two lists of grey values; 0 where one of them is constant or there are too few to tell."""
    if len(one) < 3:
        return 0.0
    one, other = one - one.mean(), other - other.mean()
    # Not as matrix products: NumPy would wake threads for them, which then wait for those of the net.
    spread = float(np.sqrt((one * one).sum() * (other * other).sum()))
    return float((one * other).sum()) / spread if spread else 0.0
