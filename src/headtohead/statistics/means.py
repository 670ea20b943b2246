"""What the scores of each entrant are by themselves: mean and median with their intervals, range, seeds."""

import pandas as pd

from headtohead.statistics.intervals import mean_interval, median_interval
from headtohead.statistics.matrix import holds_lesion, score_matrix
from headtohead.statistics.trainings import trainings, with_seeds

COLUMNS = ["n", "seeds", "seed_sd", "mean", "low", "high", "median", "median_low", "median_high", "minimum", "maximum"]


def sum_up(cases: pd.DataFrame, score: str = "dice", fraction: bool = True) -> pd.DataFrame:
    """Sum up one score of every entrant over the cases with a lesion, seeds averaged within each case first.

    Args:
        cases: one row per run and test case, as `over_targets` gives it.
        score: name of the column.
        fraction: whether the score lies between 0 and 1.

    Returns:
        `COLUMNS` by entrant, as `score_matrix` orders them: n, cases; the mean with its 95 % interval over cases, and
        over seeds where there are several; the median likewise, over cases; seed_sd as `trainings` gives it.
    """
    trained, rows = trainings(cases, score, holds_lesion(cases)), {}
    for name, values in score_matrix(cases, score).items():
        training = trained.loc[str(name)]
        mean, median = with_seeds(mean_interval(values), training, fraction), median_interval(values)
        means, medians = (mean.mean, mean.low, mean.high), (median.median, median.low, median.high)
        ends = values.min(), values.max()
        rows[name] = (mean.n, training["seeds"], training["seed_sd"], *means, *medians, *ends)
    return pd.DataFrame.from_dict(rows, orient="index", columns=COLUMNS).rename_axis(index="entrant")
