"""Every pair of entrants on the same cases: how large the difference is, how sure, and what could have been seen."""

import math
from collections.abc import Callable
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import rankdata, wilcoxon

from headtohead.options.comparison import MARGIN
from headtohead.statistics import equivalence as alike
from headtohead.statistics.correction import holm
from headtohead.statistics.intervals import DECIMALS, mean_intervals
from headtohead.statistics.matrix import complete
from headtohead.statistics.power import ALPHA, smallest_detectable
from headtohead.statistics.trainings import Luck

WILCOXON = "Wilcoxon"
FEW = 13  # cases, up to which all assignments of signs are counted
DESCRIBED = [
    "a", "b", "n", "mean_difference", "low", "high", "median_difference", "test", "p", "holm_p", "rank_biserial",
    "wins", "ties", "losses", "smallest_detectable", "different",
]  # fmt: skip
COLUMNS = [*DESCRIBED, *alike.COLUMNS]


def compare_pairs(
    matrix: pd.DataFrame,
    margin: float = MARGIN,
    seed: int = 0,
    trained: pd.DataFrame | None = None,
    wanted: Callable[[str, str], bool] | None = None,
    tests: int | None = None,
) -> pd.DataFrame:
    """Compare every pair of entrants case by case.

    A difference is reported only if two questions that fail in different ways agree: the Wilcoxon signed-rank test
    after Holm's correction over all pairs, which a few cases of huge difference cannot decide; and the interval of the
    mean difference, which does not need the differences to be symmetric about their middle. Equivalence is reported
    only after two one-sided tests at the margin (`equivalence`), corrected over all pairs as well. A pair may be both:
    a difference that is real and too small to matter. Where an entrant was trained several times, intervals and tests
    are over cases and seeds (`trainings`), and both tests have to agree as well.

    Zeros, cases that both entrants score alike, are ranked, and their ranks then left out of the sum (Pratt). Dropped
    beforehand, as Wilcoxon did, they can turn the test on its head: a sample may become more surely positive when every
    difference in it is made smaller. The test is exact up to 13 cases, and up to 50 where no two differences are of
    one size.

    Sources: Wilcoxon 1945, doi:10.2307/3001968; Pratt 1959, doi:10.1080/01621459.1959.10501526; Kerby 2014,
    doi:10.2466/11.IT.3.1; Efron 1987, doi:10.1080/01621459.1987.10478410.

    Args:
        matrix: Dice, or another share, as `score_matrix` gives it, [cases, entrants].
        margin: the largest mean difference that does not matter, declared before the results are seen.
        seed: seed of the bootstrap.
        trained: how often each entrant was trained, as `trainings` gives it; None: once.
        wanted: says of two columns, in their order, whether they are a pair to compare; None: all are.
        tests: how many are corrected for together, if these are only some of them; the caller corrects them then.

    Returns:
        One row per unordered pair, in the order of the columns; all differences are a - b, in units of the score.
            a, b: the entrants. n: cases, the same for every pair.
            mean_difference, low, high: with its 95 % interval (BCa bootstrap over cases). median_difference.
            test, p, holm_p: two-sided p, before and after the correction over all pairs; NaN where n is 0.
            rank_biserial: share of the sum of ranks won by a minus that won by b: 1 if a is better in every case, 0 if
                they are even; cases scored alike count on neither side and pull it towards 0.
            wins, ties, losses: cases in which a is better than, equal to and worse than b.
            smallest_detectable: mean difference that would be found four times in five, as `smallest_detectable`.
            different: whether holm_p is below .05 and the interval does not hold zero.
            margin to equivalent: as `equivalence`.

    Raises:
        ValueError: as `paired_differences`.
    """
    differences, pairs = paired_differences(matrix)
    if wanted:
        kept = [wanted(a, b) for a, b in zip(pairs["a"], pairs["b"], strict=True)]
        differences, pairs = differences[:, kept], pairs[kept].reset_index(drop=True)
    if pairs.empty:
        return pd.DataFrame(columns=COLUMNS)
    luck = None if trained is None else Luck.of(pairs, trained)
    described = describe(differences, seed=seed)
    tests = tests or len(pairs)
    found = judge(luck.on_pairs(described, differences, tests, fraction=True) if luck else described)
    even = alike.equivalence(differences, margin, seed, luck, fraction=True)
    return pd.concat([pairs, found, even], axis=1)[COLUMNS]


def paired_differences(matrix: pd.DataFrame) -> tuple[NDArray[np.float64], pd.DataFrame]:
    """Take the difference of every pair of entrants on every case.

    Returns:
        a - b, [cases, pairs], rounded so that 0.3 - 0.2 and 0.2 - 0.1 are of one size and equal scores differ by
        nothing; and the columns a and b, one row per pair.

    Raises:
        ValueError: if an entrant lacks a score, as `matrix.complete`.
    """
    names = pd.DataFrame(combinations(matrix.columns, 2), columns=["a", "b"])
    scores = complete(matrix)
    first, second = np.array(list(combinations(range(scores.shape[1]), 2)), dtype=int).reshape(-1, 2).T
    return np.round(scores[:, first] - scores[:, second], DECIMALS), names


def describe(differences: NDArray[np.float64], lower_is_better: bool = False, seed: int = 0) -> pd.DataFrame:
    """Describe paired differences, each column by itself.

    Args:
        differences: one row per case, one column per pair, [N, K], as `paired_differences` gives them.
        lower_is_better: whether a wins where its number is the smaller one.
        seed: seed of the bootstrap.

    Returns:
        One row per pair: the columns n to smallest_detectable of `compare_pairs`, without holm_p.
    """
    sign = -1 if lower_is_better else 1
    return pd.DataFrame(
        {"mean_difference": found.mean, "low": found.low, "high": found.high, **_describe(column, sign)}
        for column, found in zip(differences.T, mean_intervals(differences, seed=seed), strict=True)
    )


def judge(described: pd.DataFrame) -> pd.DataFrame:
    """Add to what `describe` gives the columns holm_p, over all rows, and different."""
    holm_p = holm(described["p"].to_numpy(dtype=np.float64))
    apart = (described["low"] > 0) | (described["high"] < 0)
    return described.assign(holm_p=holm_p, different=(holm_p < ALPHA) & apart)


def _describe(differences: NDArray[np.float64], sign: int) -> dict[str, Any]:
    n = differences.size
    return {
        "n": n,
        "median_difference": float(np.median(differences)) if n else math.nan,
        "test": WILCOXON,
        "p": signed_rank_p(differences),
        "rank_biserial": rank_biserial(sign * differences),
        "wins": int(np.sum(sign * differences > 0)),
        "ties": int(np.sum(differences == 0)),
        "losses": int(np.sum(sign * differences < 0)),
        "smallest_detectable": smallest_detectable(n, float(differences.std(ddof=1))) if n > 1 else math.nan,
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
    if differences.size <= FEW:
        # The sum of signed ranks under every assignment of the signs; with ties SciPy does this too, but takes seconds.
        ranks = rankdata(np.abs(differences)) * (differences != 0)
        dealt = np.zeros(1)
        for rank in ranks:
            dealt = np.concatenate([dealt - rank, dealt + rank])
        return float(np.mean(np.abs(dealt) >= abs(np.sum(np.sign(differences) * ranks))))
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
