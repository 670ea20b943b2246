"""Whether two entrants are so alike that the difference does not matter: two one-sided tests at a declared margin."""

import math

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from headtohead.statistics.correction import holm
from headtohead.statistics.intervals import FEWEST_VALUES, mean_intervals
from headtohead.statistics.power import ALPHA
from headtohead.statistics.trainings import Luck

COLUMNS = ["margin", "low_90", "high_90", "tost_p", "tost_holm_p", "equivalent"]


def equivalence(
    differences: NDArray[np.float64],
    margin: float,
    seed: int = 0,
    luck: Luck | None = None,
    fraction: bool = False,
) -> pd.DataFrame:
    """Test each column of paired differences for equivalence.

    That no difference was found is no evidence that there is none. Here the burden is reversed: the hypotheses are that
    the mean difference is at or below -margin, and that it is at or above +margin, and both must be rejected, each at
    5 % (paired t tests, by statsmodels). The t test takes the mean of many cases to be normal; differences in Dice are
    skewed, so the 90 % bootstrap interval, whose inclusion in the margin is the same pair of tests without that
    assumption, has to lie within the margin as well.

    Sources: Schuirmann 1987, doi:10.1007/BF01068419; Lakens 2017, doi:10.1177/1948550617697177.

    Args:
        differences: one row per case, one column per pair, [N, K], in units of the score.
        margin: the largest difference that does not matter, in units of the score; above 0.
        seed: seed of the bootstrap.
        luck: what several trainings add; both intervals and tests are over cases and seeds then.
        fraction: whether the score lies between 0 and 1.

    Returns:
        One row per pair: margin; low_90, high_90, the 90 % interval of the mean difference (BCa bootstrap over cases);
        tost_p, the larger p of the two tests; tost_holm_p, corrected over all rows; equivalent. NaN below 3 cases and
        where all differences are equal, which says nothing about other cases.
    """
    found = pd.DataFrame(
        {"low_90": interval.low, "high_90": interval.high, "tost_p": _tost_p(column, margin)}
        for column, interval in zip(
            differences.T, mean_intervals(differences, confidence=1 - 2 * ALPHA, seed=seed), strict=True
        )
    )
    if luck:
        found = luck.on_equivalence(found, differences, margin, fraction)
    return judge(found.assign(margin=margin))[COLUMNS]


def judge(found: pd.DataFrame) -> pd.DataFrame:
    """Add tost_holm_p, over all rows, and equivalent to a table that has the other `COLUMNS`."""
    corrected = holm(found["tost_p"].to_numpy(dtype=np.float64))
    within = (found["low_90"] > -found["margin"]) & (found["high_90"] < found["margin"])
    return found.assign(tost_holm_p=corrected, equivalent=(corrected < ALPHA) & within)


def _tost_p(differences: NDArray[np.float64], margin: float) -> float:
    if len(differences) < FEWEST_VALUES or not np.ptp(differences):
        return math.nan
    from statsmodels.stats.weightstats import DescrStatsW  # a second to import: only a comparison pays it

    return float(DescrStatsW(differences).ttost_mean(-margin, margin)[0])
