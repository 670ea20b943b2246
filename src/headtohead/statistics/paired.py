"""Every pair of entrants on the same cases: how large the difference is, how sure, and what could have been seen."""

import math
from collections.abc import Callable
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import binomtest, rankdata, wilcoxon

from headtohead.statistics.intervals import DECIMALS, FEWEST_VALUES, mean_intervals
from headtohead.statistics.matrix import complete
from headtohead.statistics.power import ALPHA, smallest_detectable
from headtohead.statistics.trainings import Luck

WILCOXON = "Wilcoxon"
FEW = 13  # cases, up to which all assignments of signs are counted


def paired_differences(
    matrix: pd.DataFrame, wanted: Callable[[str, str], bool] | None = None
) -> tuple[NDArray[np.float64], pd.DataFrame]:
    """Take the difference of every pair of entrants, or of those that are wanted, on every case.

    Returns:
        a - b, [cases, pairs], rounded so that 0.3 - 0.2 and 0.2 - 0.1 are of one size and equal scores differ by
        nothing; and the columns a and b, one row per pair.

    Raises:
        UserError: if an entrant lacks a score, as `matrix.complete`.
    """
    scores, names = complete(matrix), list(matrix.columns)
    pairs = [(a, b) for a, b in combinations(range(len(names)), 2) if wanted is None or wanted(names[a], names[b])]
    first, second = np.array(pairs, dtype=int).reshape(-1, 2).T
    table = pd.DataFrame([(names[a], names[b]) for a, b in pairs], columns=["a", "b"])
    return np.round(scores[:, first] - scores[:, second], DECIMALS), table


def describe_differences(differences: NDArray[np.float64], lower_is_better: bool = False) -> pd.DataFrame:
    """Describe paired differences, [cases, pairs], each column by itself.

    Args:
        differences: as `paired_differences` gives them.
        lower_is_better: whether a wins where its number is the smaller one.

    Returns:
        One row per pair: the columns n to smallest_detectable of `questions.compare_family`, without holm_p.
    """
    sign = -1 if lower_is_better else 1
    return pd.DataFrame(
        {"mean_difference": found.mean, "low": found.low, "high": found.high, **_describe(column, sign)}
        for column, found in zip(differences.T, mean_intervals(differences), strict=True)
    )


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
    """Two-sided p of the Wilcoxon signed-rank test; 1 where all differences are zero, NaN of none.

    Zeros, cases that both entrants score alike, are ranked, and their ranks then left out of the sum (Pratt). Dropped
    beforehand, as Wilcoxon did, they can turn the test on its head: a sample may become more surely positive when every
    difference in it is made smaller. The test is exact up to 13 cases, and up to 50 where no two differences are of
    one size.

    Sources: Wilcoxon 1945, doi:10.2307/3001968; Pratt 1959, doi:10.1080/01621459.1959.10501526.
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


def mcnemar_p(differences: NDArray[np.float64]) -> float:
    """Two-sided p of McNemar's exact test: of the cases that one entrant alone got right, how many the first did.

    Source: McNemar 1947, doi:10.1007/BF02295996.

    Args:
        differences: per case, above 0 where the first alone was right, below 0 where the second alone was, [N].
    """
    first, second = int(np.sum(differences > 0)), int(np.sum(differences < 0))
    return float(binomtest(first, first + second).pvalue) if first + second else 1.0


def rank_biserial(differences: NDArray[np.float64]) -> float:
    """Matched-pairs rank-biserial correlation: (ranks won - ranks lost) / all ranks, those of zeros among them.

    From -1 to 1; NaN without any difference. Source: Kerby 2014, doi:10.2466/11.IT.3.1.
    """
    if not differences.size:
        return math.nan
    ranks = rankdata(np.abs(differences))
    return float(np.sum(np.sign(differences) * ranks) / ranks.sum())


def equivalence(differences: NDArray[np.float64], margin: float, luck: Luck | None = None) -> pd.DataFrame:
    """Test each column of paired differences of shares for equivalence.

    That no difference was found is no evidence that there is none. Here the burden is reversed: the hypotheses are that
    the mean difference is at or below -margin, and that it is at or above +margin, and both must be rejected, each at
    5 % (paired t tests, by statsmodels). The t test takes the mean of many cases to be normal; differences in Dice are
    skewed, so the 90 % bootstrap interval, whose inclusion in the margin is the same pair of tests without that
    assumption, has to lie within the margin as well.

    Sources: Schuirmann 1987, doi:10.1007/BF01068419; Lakens 2017, doi:10.1177/1948550617697177.

    Returns:
        One row per pair: margin; low_90, high_90, the 90 % interval of the mean difference (BCa bootstrap over cases,
        and over seeds where there is luck); tost_p, the larger p of the two tests. NaN below 3 cases and where all
        differences are equal, which says nothing about other cases. `questions.judge` adds tost_holm_p and equivalent.
    """
    found = pd.DataFrame(
        {"low_90": interval.low, "high_90": interval.high, "tost_p": _tost_p(column, margin)}
        for column, interval in zip(differences.T, mean_intervals(differences, 1 - 2 * ALPHA), strict=True)
    )
    return (luck.on_equivalence(found, differences, margin) if luck else found).assign(margin=margin)


def _tost_p(differences: NDArray[np.float64], margin: float) -> float:
    if len(differences) < FEWEST_VALUES or not np.ptp(differences):
        return math.nan
    from statsmodels.stats.weightstats import DescrStatsW  # a second to import: only a comparison pays it

    return float(DescrStatsW(differences).ttost_mean(-margin, margin)[0])
