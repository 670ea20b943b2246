"""Every pair of entrants on the same cases: how large the difference is, how sure, and what could have been seen."""

import math
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import rankdata, wilcoxon

from headtohead.statistics.intervals import DECIMALS, mean_intervals
from headtohead.statistics.power import ALPHA, smallest_detectable

COLUMNS = [
    "a", "b", "n", "mean_difference", "low", "high", "median_difference", "wilcoxon_p", "holm_p", "rank_biserial",
    "wins", "ties", "losses", "smallest_detectable", "different",
]  # fmt: skip


def compare_pairs(matrix: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
    """Compare every pair of entrants case by case.

    A difference is called one only if two questions that fail in different ways agree: the Wilcoxon signed-rank test
    after Holm's correction over all pairs, which a few cases of huge difference cannot decide; and the interval of the
    mean difference, which does not need the differences to be symmetric about their middle.

    Zeros, cases that both entrants score alike, are ranked, and their ranks then left out of the sum (Pratt). Dropped
    beforehand, as in Wilcoxon's own way, they can turn the test on its head: a sample may become more surely positive
    when every difference in it is made smaller. The test is exact up to 13 cases, and up to 50 where no two
    differences are of one size.

    Sources: Wilcoxon 1945, doi:10.2307/3001968; Pratt 1959, doi:10.1080/01621459.1959.10501526; Holm 1979,
    doi:10.2307/4615733; Kerby 2014, doi:10.2466/11.IT.3.1; Efron 1987, doi:10.1080/01621459.1987.10478410.

    Args:
        matrix: as `score_matrix` gives it, [cases, entrants].
        seed: seed of the bootstrap.

    Returns:
        One row per unordered pair, in the order of the columns; all differences are a - b, in units of the score.
            a, b: the entrants. n: cases on which both have a score; the others are left out.
            mean_difference, low, high: with its 95 % interval (BCa bootstrap over cases). median_difference.
            wilcoxon_p, holm_p: two-sided, before and after the correction over all pairs; NaN where n is 0.
            rank_biserial: share of the sum of ranks won by a minus that won by b: 1 if a wins every case, 0 if they
                are even; cases scored alike count on neither side and pull it towards 0.
            wins, ties, losses: cases in which a is above, equal to and below b.
            smallest_detectable: mean difference that would be found four times in five, as `smallest_detectable`.
            different: whether holm_p is below .05 and the interval holds no zero.
    """
    pairs = list(combinations(matrix.columns, 2))
    if not pairs:
        return pd.DataFrame(columns=COLUMNS)
    scores = matrix.to_numpy(dtype=np.float64)
    first, second = np.array(list(combinations(range(scores.shape[1]), 2))).T
    found = judge(describe(scores[:, first] - scores[:, second], seed))
    return found.assign(a=[a for a, _ in pairs], b=[b for _, b in pairs])[COLUMNS]


def describe(differences: NDArray[np.float64], seed: int = 0) -> pd.DataFrame:
    """Describe paired differences, each column by itself.

    Args:
        differences: one row per case, one column per pair, [N, K]; NaN where either score is undefined.
        seed: seed of the bootstrap.

    Returns:
        One row per pair: the columns n to smallest_detectable of `compare_pairs`, without holm_p.
    """
    # Rounded, so that 0.3 - 0.2 and 0.2 - 0.1 are differences of one size, and equal scores differ by nothing.
    columns = np.round(differences, DECIMALS)
    return pd.DataFrame(
        {"mean_difference": found.mean, "low": found.low, "high": found.high, **_describe(column)}
        for column, found in zip(columns.T, mean_intervals(columns, seed=seed), strict=True)
    )


def judge(described: pd.DataFrame) -> pd.DataFrame:
    """Add to what `describe` gives the columns holm_p, over all rows, and different."""
    holm_p = holm(described["wilcoxon_p"].to_numpy())
    apart = (described["low"] > 0) | (described["high"] < 0)
    return described.assign(holm_p=holm_p, different=(holm_p < ALPHA) & apart)


def _describe(differences: NDArray[np.float64]) -> dict[str, Any]:
    defined = differences[~np.isnan(differences)]
    n = defined.size
    return {
        "n": n,
        "median_difference": float(np.median(defined)) if n else math.nan,
        "wilcoxon_p": signed_rank_p(defined),
        "rank_biserial": rank_biserial(defined),
        "wins": int(np.sum(defined > 0)),
        "ties": int(np.sum(defined == 0)),
        "losses": int(np.sum(defined < 0)),
        "smallest_detectable": smallest_detectable(n, float(defined.std(ddof=1))) if n > 1 else math.nan,
    }


def signed_rank_p(differences: NDArray[np.float64]) -> float:
    """Two-sided p of the Wilcoxon signed-rank test, zeros as Pratt has them.

    Args:
        differences: one per case, [N], without NaN.

    Returns:
        The p value; 1 where all differences are zero, NaN without any.
    """
    if not differences.any():
        return 1.0 if differences.size else math.nan
    return float(wilcoxon(differences, zero_method="pratt").pvalue)


def rank_biserial(differences: NDArray[np.float64]) -> float:
    """Matched-pairs rank-biserial correlation: (ranks won - ranks lost) / all ranks, those of zeros among them.

    Args:
        differences: one per case, [N], without NaN.

    Returns:
        A number from -1 to 1; NaN without any difference.
    """
    if not differences.size:
        return math.nan
    ranks = rankdata(np.abs(differences))
    return float(np.sum(np.sign(differences) * ranks) / ranks.sum())


def holm(p: NDArray[np.float64]) -> NDArray[np.float64]:
    """Correct p values for their number by Holm's step-down method.

    Args:
        p: [K]; NaN where nothing could be tested, which then does not count as a test.

    Returns:
        Corrected p values, [K]; NaN where `p` is.
    """
    corrected = np.full(len(p), np.nan)
    order = np.argsort(p)[: np.sum(~np.isnan(p))]  # NaN sorts last
    # The smallest is held to the strictest bound, and none comes out below one that was smaller before.
    corrected[order] = np.minimum(1, np.maximum.accumulate(p[order] * np.arange(len(order), 0, -1)))
    return corrected
