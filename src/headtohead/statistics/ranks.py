"""How often an entrant would come first, second, third, had other patients been scanned."""

import numpy as np
import pandas as pd

from headtohead.statistics.intervals import RESAMPLES, ROUNDING
from headtohead.statistics.matrix import complete


def rank_distribution(matrix: pd.DataFrame) -> pd.DataFrame:
    """Rank the entrants by their mean in each of 10,000 bootstrap resamples of the cases.

    All entrants are ranked on the same drawn cases, so that a hard case weighs on all of them alike. The shares show
    how firm a ranking is; they are no probability that a model is the best.

    Source: Wiesenfarth et al. 2021, doi:10.1038/s41598-021-82017-6.

    Args:
        matrix: as `score_matrix` gives it, [cases with a lesion, entrants]; higher is better.

    Returns:
        [entrants, ranks], ranks from 1: share of the resamples in which the entrant's mean has that rank. Entrants of
        equal mean share their ranks evenly, so that rows and columns add up to 1. NaN without a case.

    Raises:
        UserError: as `complete`.
    """
    scores = complete(matrix)
    count = matrix.shape[1]
    shares = np.full((count, count), np.nan)
    if len(scores):
        n = len(scores)
        # How often each case is drawn is all that a mean needs to know: one small row instead of n rows of scores.
        times = np.random.default_rng(0).multinomial(n, np.full(n, 1 / n), size=RESAMPLES)
        means = times @ scores / n  # [RESAMPLES, entrants]
        for k in range(count):
            above = np.sum(means > means[:, [k]] + ROUNDING, axis=1)
            alike = np.sum(np.abs(means - means[:, [k]]) <= ROUNDING, axis=1)  # itself among them
            for rank in range(count):
                shares[k, rank] = np.mean(((above <= rank) & (rank < above + alike)) / alike)
    return pd.DataFrame(shares, index=matrix.columns, columns=pd.RangeIndex(1, count + 1, name="rank"))
