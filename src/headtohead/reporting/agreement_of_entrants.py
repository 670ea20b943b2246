"""How far entrants agree with each other, whatever the truth says: raters among themselves, and models with raters.

Dice is symmetric, so the agreement of two raters is on the same scale as the score of a model against one of them.
"""

import math
from collections.abc import Callable, Sequence
from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from headtohead.statistics.intervals import mean_interval, median_interval

AGREEMENT_COLUMNS = ["a", "b", "n", "mean", "low", "high", "median"]


def agreement_of(
    entrants: Sequence[str], cases: Sequence[str], masks_of: Callable[[str, str], NDArray[np.bool_] | None]
) -> pd.DataFrame:
    """Compare the masks of every pair of entrants.

    Args:
        entrants: by name.
        cases: all test cases.
        masks_of: (entrant, case) -> bool [K, slices, H, W], or None where none was kept.

    Returns:
        One row a pair: a, b, n, mean Dice over cases with its interval, median. A case in which neither marks anything
        counts in none; pairs without a case are left out.
    """
    found: dict[tuple[str, str], list[float]] = {pair: [] for pair in combinations(entrants, 2)}
    for case in cases:
        masks = {entrant: mask for entrant in entrants if (mask := masks_of(entrant, case)) is not None}
        for a, b in combinations(masks, 2):
            found[a, b].append(case_agreement(masks[a], masks[b]))
    rows = []
    for (a, b), each in found.items():
        dice = np.array([one for one in each if not math.isnan(one)])
        if len(dice):
            mean, median = mean_interval(dice), median_interval(dice)
            rows.append((a, b, len(dice), mean.mean, mean.low, mean.high, median.median))
    return pd.DataFrame(rows, columns=AGREEMENT_COLUMNS)


def case_agreement(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> float:
    """Give the Dice between two masks of one case, bool [K, slices, H, W]: the mean over targets that either marks.

    NaN where neither marks any.
    """
    axes = (1, 2, 3)
    both, sizes = (one & other).sum(axis=axes), one.sum(axis=axes) + other.sum(axis=axes)
    marked = sizes > 0
    return float((2 * both[marked] / sizes[marked]).mean()) if marked.any() else math.nan
