"""How many trainings stand behind each entrant, how far they lie apart, and what that does to intervals and tests.

A comparison is about models only as far as each was trained more than once: Bouthillier et al. 2021, arXiv:2103.03098.
The folds of one seed share training data (Nadeau and Bengio 2003, doi:10.1023/A:1024068626366) and first weights, so a
seed counts as one draw with all its folds.
"""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from headtohead.options.comparison import is_baseline, is_given
from headtohead.statistics.intervals import FEWEST_VALUES, Interval
from headtohead.statistics.matrix import entrants
from headtohead.statistics.seeds import (
    Numbers,
    equivalence_p,
    pooled,
    seed_variance,
    smallest_detectable_over_seeds,
    two_level_p,
    widened,
)

if TYPE_CHECKING:
    import pandas as pd

TRAINED, ENSEMBLE, GIVEN = "trained", "ensemble", "given masks"
COLUMNS = ["kind", "seeds", "seed_sd", "variance", "freedom"]
THIS_TRAINING = "this training of "  # before the name of an entrant that was trained once, in every sentence
TWO_LEVEL = "two-level t"  # the test over cases and seeds, beside the test over cases


def trainings(cases: "pd.DataFrame", score: str = "dice", among: "pd.Series[bool] | None" = None) -> "pd.DataFrame":
    """Sum up the seeds of each entrant in one score.

    Args:
        cases: rows as in cases.csv.
        score: name of the column.
        among: which rows are of cases that the score is about; None: all.

    Returns:
        One row per entrant: kind (trained, ensemble, given masks, or the baseline's name); seeds, how many trainings (0
        for the other kinds, which are not trained); seed_sd, the standard deviation over seeds of the mean over cases
        (NaN with one); variance of the mean over the seeds and its degrees of freedom, 0 and 1 where nothing is known
        of it.
    """
    import pandas as pd

    rows: dict[str, dict[str, Any]] = {}
    for name, own in cases.assign(entrant=entrants(cases)).groupby("entrant", sort=False):
        model, one_draw = str(own["model"].iloc[0]), own["seed"].isna().all()
        counted = own if among is None else own[among.loc[own.index]]
        means = counted.groupby("seed")[score].mean().to_numpy(np.float64)
        seeds = own["seed"].nunique()
        several = len(means) > 1 and not np.isnan(means).any()
        rows[str(name)] = {
            "kind": _kind(model, str(own["schedule"].iloc[0]), one_draw),
            "seeds": 0 if one_draw else seeds,
            "seed_sd": float(means.std(ddof=1)) if several else float("nan"),
            "variance": float(seed_variance(means)) if several else 0.0,
            "freedom": max(1, seeds - 1),
        }
    return pd.DataFrame.from_dict(rows, orient="index", columns=COLUMNS).rename_axis(index="entrant")


def _kind(model: str, schedule: str, one_draw: bool) -> str:
    if is_baseline(model):
        return model
    if is_given(model, schedule):
        return GIVEN
    return ENSEMBLE if one_draw else TRAINED


def without_ensembles(found: "pd.DataFrame") -> list[str]:
    """Names of the entrants that are no ensembles, as `trainings` gives them, in its order."""
    return [str(name) for name in found.index[found["kind"] != ENSEMBLE]]


def with_seeds(interval: Interval, training: "pd.Series", fraction: bool = False) -> Interval:
    """Widen the interval of an entrant's mean over cases to one over cases and seeds; with one training it stays.

    Args:
        interval: over cases, of the scores averaged over seeds.
        training: the entrant's row of `trainings`.
        fraction: whether the score lies between 0 and 1.
    """
    low, high = widened(interval.mean, interval.low, interval.high, training["variance"], training["freedom"])
    if fraction:
        low, high = np.maximum(low, 0), np.minimum(high, 1)
    return replace(interval, low=float(low), high=float(high)) if training["variance"] > 0 else interval


@dataclass(frozen=True)
class Luck:
    """What the trainings of two entrants add to the variance of their difference, pair by pair.

    Attributes:
        variances: [pairs, 2], as `seed_variance`; 0 where an entrant has one training or none.
        freedoms: [pairs, 2].
    """

    variances: Numbers
    freedoms: Numbers

    @classmethod
    def of(cls, pairs: "pd.DataFrame", found: "pd.DataFrame") -> "Luck":
        """Look up both entrants of each pair (columns a and b) in a table as `trainings` gives it."""
        both = [found.loc[pairs[side]] for side in ("a", "b")]
        columns = (np.stack([one[name].to_numpy(np.float64) for one in both], axis=1) for name in COLUMNS[-2:])
        return cls(*columns)

    @property
    def total(self) -> tuple[Numbers, Numbers]:
        """The variance of each difference by its seeds, and its degrees of freedom."""
        return pooled(self.variances, self.freedoms)

    def on_pairs(self, described: "pd.DataFrame", differences: Numbers, tests: int, fraction: bool) -> "pd.DataFrame":
        """Bring the trainings into what `paired.describe_differences` says of the differences, [cases, pairs].

        In rows with seeds on either side low and high are then over cases and seeds; p is the larger of the test over
        cases and the two-level one, which `test` says; smallest_detectable holds the seeds and the correction for this
        many tests. Differences of fractions lie between -1 and 1.
        """
        cases, (total, freedom) = len(differences), self.total
        several = total > 0
        if cases < FEWEST_VALUES or not several.any():
            return described
        variance = differences.var(axis=0, ddof=1) / cases
        mean = described["mean_difference"].to_numpy(np.float64)
        low, high = _possible(*widened(mean, described["low"], described["high"], total, freedom), fraction)
        over_both = two_level_p(mean, variance, cases, total, freedom)
        sizes = [
            smallest_detectable_over_seeds(
                cases, float(variance[place]), self.variances[place], self.freedoms[place], tests
            )
            if several[place]
            else size
            for place, size in enumerate(described["smallest_detectable"])
        ]
        return described.assign(
            low=low,
            high=high,
            p=np.where(several, np.fmax(described["p"], over_both), described["p"]),
            test=np.where(several, described["test"] + " and " + TWO_LEVEL, described["test"]),
            smallest_detectable=sizes,
        )

    def on_equivalence(self, found: "pd.DataFrame", differences: Numbers, margin: float) -> "pd.DataFrame":
        """Bring the trainings into the 90 % interval and the p of two one-sided tests, of differences of shares."""
        cases, (total, freedom) = len(differences), self.total
        if cases < FEWEST_VALUES or not (total > 0).any():
            return found
        mean, variance = differences.mean(axis=0), differences.var(axis=0, ddof=1) / cases
        low, high = _possible(*widened(mean, found["low_90"], found["high_90"], total, freedom, 0.9), True)
        p = equivalence_p(mean, margin, variance, cases, total, freedom)
        return found.assign(low_90=low, high_90=high, tost_p=np.where(total > 0, p, found["tost_p"]))


def _possible(low: Numbers, high: Numbers, fraction: bool) -> tuple[Numbers, Numbers]:
    """Cut the intervals of differences of shares off at -1 and 1, which t intervals over few seeds exceed."""
    return (np.maximum(low, -1), np.minimum(high, 1)) if fraction else (low, high)
