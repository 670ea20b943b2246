"""How some numbers of many cases are spread together, and how far a new case lies from them.

Source: Mahalanobis 1936 (reprinted 2018, doi:10.1007/s13171-019-00164-5); correlations shrunk towards none as in
Ledoit & Wolf 2004, doi:10.1016/S0047-259X(03)00096-4, but by a rule of thumb: numbers / (numbers + cases).
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]
Which = NDArray[np.bool_]
"""Those of the numbers that a case has."""

FEWEST = 8
"""Cases below which nothing is said of how they are spread."""

MUCH = 1.5
"""Multiple that is odd of the distance that 95 % of the cases keep, each measured from the others."""


def profile_of(groups: list[NDArray[np.float64]], parts: dict[str, Which]) -> dict[str, Any] | None:
    """Sum up how cases are spread, of each float64 [measurements, numbers]; None for fewer than `FEWEST`.

    Returns:
        Plain data: `centre` and `scale` of each number; `correlation`, each row a line of text; `much`, by the names of
        `parts`, which are numbers that a later case may have, the distance from which a case is odd.
    """
    if len(groups) < FEWEST:
        return None
    profile = _fit(np.concatenate(groups))
    distances: dict[str, list[float]] = {name: [] for name in parts}
    for place, group in enumerate(groups):
        others = _fit(np.concatenate(groups[:place] + groups[place + 1 :]))
        for name, which in parts.items():
            distances[name] += [distance_from(others, one, which) for one in group]
    return profile | {"much": {name: round(MUCH * float(np.percentile(far, 95)), 2) for name, far in distances.items()}}


def distance_from(profile: dict[str, Any], vector: Vector, which: Which) -> float:
    """Give the Mahalanobis distance of a case by those of its numbers that are there, in standard deviations.

    It is divided by the root of their number: a usual case is about 1 away, whatever is missing.
    """
    off = ((vector - np.array(profile["centre"])) / np.array(profile["scale"]))[which]
    correlation = np.array([row.split() for row in profile["correlation"]], np.float64)[np.ix_(which, which)]
    return float(np.sqrt(off @ np.linalg.solve(correlation, off) / len(off)))


def _fit(cases: NDArray[np.float64]) -> dict[str, Any]:
    centre = np.median(cases, axis=0)
    scale = np.maximum(cases.std(axis=0), 1e-3)
    own = (cases - centre) / scale
    numbers = cases.shape[1]
    shrinking = numbers / (numbers + len(cases))
    correlation = (1 - shrinking) * (own.T @ own) / len(cases) + shrinking * np.eye(numbers)
    return {
        "centre": [round(float(one), 4) for one in centre],
        "scale": [round(float(one), 4) for one in scale],
        "correlation": [" ".join(f"{one:.4f}" for one in row) for row in correlation],
    }
