"""Does an input look like the cases a model was trained on? Measured in training, asked before every prediction.

What is measured does not depend on the units of a scanner. A warning is a hint to a reader, never a refusal: few usual
cases get one, and an input without one may still be odd.
"""

from collections.abc import Sequence
from itertools import permutations
from typing import TYPE_CHECKING, Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from headtohead.preparing.greys import count_greys, percentiles
from headtohead.preparing.head import NORMAL_80, head_mask, inner_head
from headtohead.preparing.intensities import EIGHT, to_depth

if TYPE_CHECKING:
    from headtohead.cohort import Cohort

VERSION = 1
"""Raised whenever what is measured changes; older measurements are then ignored."""

SIDE, LOOKED_AT = 128, 12
"""Longer side to which slices are shrunk, smaller ones stay; and how many of them are looked at, evenly spaced."""

LEVELS, FARTHEST = 4, 20.0
"""Numbers that describe the grey values of one sequence, and their bound: farther out it does not matter how odd."""

LONE, FEWEST = (0.3, 0.5, 0.7), 8
"""Where along a training case slices are taken to be measured alone, as an input of one slice will be; and cases below
which nothing is said of grey values."""

HEADLESS, OTHER_HEAD, OTHER_TEXTURE = 0.01, 0.1, 0.05
"""Share of the image below which no head was found; differences from the range of training that are odd."""

UNLIKE, SWAPPED = 2.2, 10.0
"""Distance that is odd; and gain in its square, times the numbers, from which another order of the sequences is
believed: odds of 150 to 1 if grey values are spread normally."""


class Look(NamedTuple):
    """One volume, measured.

    Attributes:
        missing: whether a channel is but a copy of the primary one.
        head: share of the image that is head.
        texture: correlation of neighbouring pixels in the inner head, of the channel where it is lowest: near 0 in
            noise, near 1 in what was enlarged. 0 where there is no head.
        levels: float64 [C, LEVELS]: distances from the median of the inner head, in units of its central 80 % range as
            a normal distribution's deviation: of the 2nd and the 98th percentile, of the air, of the brightest pixels.
        alike: float64 [C, C]: correlations of the channels in the inner head. Both are NaN of what is missing.
    """

    missing: bool
    head: float
    texture: float
    levels: NDArray[np.float64]
    alike: NDArray[np.float64]

    def numbers(self, order: Sequence[int]) -> NDArray[np.float64]:
        """Join levels and correlations (of 0-1, 0-2, 1-2), those of the channel `order[0]` first."""
        pairs = self.alike[np.ix_(order, order)][np.triu_indices(len(order), 1)]
        return np.concatenate([self.levels[list(order)].ravel(), pairs])


def look_at(volume: np.ndarray, primary: int) -> Look:
    """Measure a volume, uint8 or float32 [slices, H, W, C] and finite; its primary channel stands in for others."""
    slices, *sides, channels = volume.shape
    height, width = (max(1, round(side * min(1.0, SIDE / max(sides)))) for side in sides)
    chosen = np.ascontiguousarray(volume[np.unique(np.linspace(0, slices - 1, LOOKED_AT).round().astype(int))])
    shrunk = [cv2.resize(one, (width, height), interpolation=cv2.INTER_AREA) for one in chosen]
    small = to_depth(np.stack(shrunk).reshape(-1, height, width, channels), EIGHT)
    head = head_mask(small)
    inner = inner_head(head)
    # Without a head everything is looked at, so that every number is defined.
    inner = inner if inner.any() else np.ones(head.shape, bool)
    planes, share = np.moveaxis(small, -1, 0), float(head.mean())
    beside = inner[:, :, 1:] & inner[:, :, :-1]
    textures = [_correlation(one[:, :, 1:][beside], one[:, :, :-1][beside]) for one in planes if share > HEADLESS]
    inside = [one[inner] for one in planes]
    alike = np.array([[_correlation(one, other) for other in inside] for one in inside])
    levels = _levels(small, head, inner)
    missing = [place != primary and (one == planes[primary]).all() for place, one in enumerate(planes)]
    levels[missing] = alike[missing] = alike[:, missing] = np.nan
    return Look(any(missing), share, min(textures, default=0.0), levels, alike)


def _levels(small: np.ndarray, head: NDArray[np.bool_], inner: NDArray[np.bool_]) -> NDArray[np.float64]:
    deep = count_greys(small, inner)
    lowest, low, middle, high, highest = percentiles(deep, (2, 10, 50, 90, 98))
    air = np.zeros(small.shape[-1]) if head.all() else percentiles(count_greys(small, ~head), (50,))[0]
    brightest = percentiles(count_greys(small, head) if head.any() else deep, (99.5,))[0]
    scale = np.maximum((high - low) / NORMAL_80, 1.0)
    levels = np.stack([middle - lowest, highest - middle, middle - air, brightest - middle], axis=-1) / scale[:, None]
    return np.clip(levels, -FARTHEST, FARTHEST)


def _correlation(one: np.ndarray, other: np.ndarray) -> float:
    """Correlate two lists of grey values; 0 where one of them is constant or there are too few to tell."""
    if len(one) < 3:
        return 0.0
    one, other = one - one.mean(), other - other.mean()
    # Not as matrix products: NumPy would wake threads for them, which then wait for those of the net.
    spread = float(np.sqrt((one * one).sum() * (other * other).sum()))
    return float((one * other).sum()) / spread if spread else 0.0


def measure_cohort(cohort: "Cohort", cases: Sequence[int] | NDArray[np.int64]) -> dict[str, Any]:
    """Measure what the training cases look like: plain data for model.json, empty where there are no cases."""
    sequences, primary = cohort.task.sequences, cohort.task.primary_channel
    volumes = [cohort.in_bytes(int(case))[..., : len(sequences)] for case in cases]
    if not volumes:
        return {}
    alone = [volume[[int(share * len(volume))]] for volume in volumes for share in LONE]
    return {
        "version": VERSION,
        "cases": len(volumes),
        "sequences": list(sequences),
        "slices": [min(map(len, volumes)), max(map(len, volumes))],
        "volume": _looks([look_at(volume, primary) for volume in volumes]),
        "slice": _looks([look_at(volume, primary) for volume in alone]),
    }


def _looks(seen: list[Look]) -> dict[str, Any]:
    """Sum up what cases look like.

    Source: Mahalanobis 1936 (reprinted 2018, doi:10.1007/s13171-019-00164-5); correlations shrunk towards none as in
    Ledoit & Wolf 2004, doi:10.1016/S0047-259X(03)00096-4, but by a rule of thumb: numbers / (numbers + cases).
    """
    # Without the few that failed: a slice at the top of a head may hold none.
    head, texture = np.percentile([(one.head, one.texture) for one in seen], (1, 99), axis=0).T.round(4).tolist()
    looks: dict[str, Any] = {"head": head, "texture": texture, "grey": None}
    # Copies of the primary one would pass for grey values of the other sequences.
    grey = np.array([one.numbers(range(len(one.levels))) for one in seen if not one.missing])
    if len(grey) >= FEWEST:
        centre, scale = np.median(grey, axis=0), np.maximum(np.std(grey, axis=0), 1e-3)
        own, shrinking = (grey - centre) / scale, len(centre) / (len(centre) + len(grey))
        correlation = (1 - shrinking) * (own.T @ own) / len(own) + shrinking * np.eye(len(centre))
        rows = [" ".join(f"{one:.4f}" for one in row) for row in correlation]
        looks["grey"] = {"centre": centre.round(4).tolist(), "scale": scale.round(4).tolist(), "correlation": rows}
    return looks


def unfamiliar_features(volume: np.ndarray, familiar: dict[str, Any], primary: int) -> list[str]:
    """Say what is odd about an input, compared with the cases a model was trained on.

    Args:
        volume: uint8 or float32 [slices, H, W, C], finite, its channels as the model's sequences.
        familiar: as `measure_cohort` gave it; empty where nothing is known.
        primary: channel of the primary sequence among those of the model.
    """
    if familiar.get("version") != VERSION:
        return []
    names = familiar["sequences"]
    volume = np.repeat(volume, len(names), axis=-1) if volume.shape[-1] == 1 else volume[..., : len(names)]
    seen = look_at(volume, primary)
    usual = familiar["slice" if len(volume) * 2 < familiar["slices"][0] else "volume"]
    (least, most), (low, high) = usual["head"], usual["texture"]
    if seen.head < HEADLESS < least:
        return ["no head was found in it; is it an MRI with a dark background?"]
    lines = []
    if not least - OTHER_HEAD <= seen.head <= most + OTHER_HEAD:
        lines.append(f"the head fills {seen.head:.0%} of it; in training {least:.0%} to {most:.0%}")
    if not low - OTHER_TEXTURE <= seen.texture <= high + OTHER_TEXTURE:
        how = "noisier" if seen.texture < low else "smoother"
        lines.append(f"{how} than in training (correlation {seen.texture:.2f}; in training {low:.2f} to {high:.2f})")
    # What looks like no head of training has no channels that could stand in a wrong order.
    return lines or _grey_lines(seen, usual["grey"], names)


def _grey_lines(seen: Look, profile: dict[str, Any] | None, names: list[str]) -> list[str]:
    if profile is None:
        return []
    order = tuple(range(len(names)))
    orders = [order] if seen.missing else list(permutations(order))
    there = ~np.isnan(seen.numbers(order))
    correlation = np.array([row.split() for row in profile["correlation"]], np.float64)[np.ix_(there, there)]
    squares = []  # of the distance, times the numbers
    for one in orders:
        off = ((seen.numbers(one) - profile["centre"]) / profile["scale"])[there]
        squares.append(float(off @ np.linalg.solve(correlation, off)))
    best = int(np.argmin(squares))
    if squares[0] - squares[best] > SWAPPED:
        found = ", ".join(names[orders[best].index(place)] for place in order)
        return [f"its channels look like {found}; the model takes {', '.join(names)} (`channels` says which is which)"]
    far = float(np.sqrt(squares[0] / there.sum()))
    unlike = "its grey values are unlike those of the training cases"
    return [f"{unlike} (distance {far:.1f}; above {UNLIKE} is unusual)"] if far > UNLIKE else []
