"""How sure a mean over cases is: its 95 % confidence interval."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

RESAMPLES = 10_000
FEWEST_VALUES = 3  # below this, resampling says nothing about cases that were not seen
ROUNDING = 1e-12  # values that differ by less are equal; the bootstrap has nothing to resample then


@dataclass(frozen=True)
class Interval:
    """A mean with its confidence interval.

    Attributes:
        mean: mean of the defined values; NaN if there is none.
        low: lower end of the interval; NaN below `FEWEST_VALUES` values.
        high: upper end.
        n: number of defined values.
        undefined: number of values that were NaN and are left out.
    """

    mean: float
    low: float
    high: float
    n: int
    undefined: int


def mean_interval(values: ArrayLike, confidence: float = 0.95, seed: int = 0) -> Interval:
    """Mean of one score per case, with a bias-corrected and accelerated bootstrap interval over cases.

    Cases are what is drawn anew, because patients are what the result is meant to hold for: slices of one patient are
    not independent of each other. The interval respects the bounds and the skewness of Dice; a normal one does not.

    Source: Efron 1987, doi:10.1080/01621459.1987.10478410.

    Args:
        values: one score per case, [N]; NaN where a case's score is undefined.
        confidence: share of intervals that would hold the true mean.
        seed: seed of the resampling, so that a table comes out the same twice.

    Returns:
        The interval; both ends equal the mean where all values are equal.
    """
    values = np.asarray(values, dtype=np.float64).ravel()
    # Sorted, so that not even the last digit depends on the order in which the cases are listed.
    defined = np.sort(values[~np.isnan(values)])
    mean = float(defined.mean()) if defined.size else math.nan
    low = high = math.nan
    if defined.size >= FEWEST_VALUES:
        low, high = (mean, mean) if np.ptp(defined) < ROUNDING else _bootstrap(defined, confidence, seed)
    return Interval(mean, low, high, n=defined.size, undefined=values.size - defined.size)


def _bootstrap(values: np.ndarray, confidence: float, seed: int) -> tuple[float, float]:
    from scipy.stats import bootstrap

    found = bootstrap(
        (values,),
        np.mean,
        n_resamples=RESAMPLES,
        batch=1000,  # a few megabytes at a time, however many cases there are
        confidence_level=confidence,
        method="BCa",
        rng=np.random.default_rng(seed),
    )
    return float(found.confidence_interval.low), float(found.confidence_interval.high)
