"""How sure a mean or a median over cases is: its 95 % confidence interval."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import binom, bootstrap

RESAMPLES = 10_000
AT_ONCE = 4_000_000  # values drawn at a time: 32 MB, however many cases and columns there are
DECIMALS = 12
ROUNDING = 10.0**-DECIMALS  # values that differ by less are equal; the bootstrap has nothing to resample then
FEWEST_VALUES = 3  # below this, resampling says nothing about cases that were not seen


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


@dataclass(frozen=True)
class MedianInterval:
    """A median with its confidence interval.

    Attributes:
        median: median of the defined values; NaN if there is none.
        low: lower end of the interval; NaN where so few values cannot have one.
        high: upper end.
        n: number of defined values.
        undefined: number of values that were NaN and are left out.
        coverage: probability that such an interval holds the true median: at least what was asked for; NaN without
            an interval.
    """

    median: float
    low: float
    high: float
    n: int
    undefined: int
    coverage: float


def mean_interval(values: ArrayLike, confidence: float = 0.95, seed: int = 0) -> Interval:
    """Mean of one score per case, with a bias-corrected and accelerated bootstrap interval over cases.

    Cases are what is redrawn, because patients are what the result is meant to hold for: slices of one patient are
    not independent of each other. The interval respects the bounds and the skewness of Dice; a normal one does not.

    Few cases hold too little of the tail, and the interval is then too narrow. In simulation it holds the true mean
    93 to 95 % of the time at 110 cases, and 90 to 95 % at 40; at 11 about 90 %, and 72 % where one case in ten fails
    outright, because a sample of eleven often holds no failure at all. No interval can mend that, more cases can.

    Source: Efron 1987, doi:10.1080/01621459.1987.10478410.

    Args:
        values: one score per case, [N]; NaN where a case's score is undefined.
        confidence: share of intervals that would hold the true mean.
        seed: seed of the resampling, so that a table comes out the same twice.

    Returns:
        The interval; both ends equal the mean where all values are equal.
    """
    return mean_intervals(np.asarray(values, dtype=np.float64).reshape(-1, 1), confidence, seed)[0]


def mean_intervals(columns: ArrayLike, confidence: float = 0.95, seed: int = 0) -> list[Interval]:
    """Give `mean_interval` of each column, in little more time than of one.

    Args:
        columns: one row per case, [N, K]; NaN where undefined.
        confidence: as for `mean_interval`.
        seed: as for `mean_interval`.

    Returns:
        K intervals.
    """
    columns = np.asarray(columns, dtype=np.float64)
    defined = ~np.isnan(columns)
    numbers = defined.sum(axis=0)
    mean, low, high = np.full((3, columns.shape[1]), np.nan)
    # Columns with one number of defined values share the draws of the bootstrap.
    for n in set(numbers.tolist()) - {0}:
        chosen = np.flatnonzero(numbers == n)
        # Sorted, so that not even the last digit depends on the order in which the cases are listed; NaN comes last.
        values = np.sort(columns[:, chosen], axis=0)[:n]
        mean[chosen] = values.mean(axis=0)
        if n >= FEWEST_VALUES:
            low[chosen] = high[chosen] = mean[chosen]
            varied = np.ptp(values, axis=0) >= ROUNDING
            low[chosen[varied]], high[chosen[varied]] = _bootstrap(values[:, varied], confidence, seed)
    return [
        Interval(float(mean[k]), float(low[k]), float(high[k]), n=int(n), undefined=len(columns) - int(n))
        for k, n in enumerate(numbers)
    ]


def _bootstrap(values: NDArray[np.float64], confidence: float, seed: int) -> NDArray[np.float64]:
    """Low and high limit of each column's mean, [2, K]."""
    if not values.size:
        return np.empty((2, 0))
    found = bootstrap(
        (values,),
        _rounded_mean,
        axis=0,
        n_resamples=RESAMPLES,
        batch=max(1, AT_ONCE // values.size),
        confidence_level=confidence,
        method="BCa",
        rng=np.random.default_rng(seed),
    )
    return np.stack(found.confidence_interval)


def _rounded_mean(values: NDArray[np.float64], axis: int) -> NDArray[np.float64]:
    """A resample of exactly the original cases has exactly their mean, in whatever order they are added up."""
    return np.round(values.mean(axis=axis), DECIMALS)


def median_interval(values: ArrayLike, confidence: float = 0.95) -> MedianInterval:
    """Median of one score per case, with the interval between two order statistics.

    The j-th smallest and the j-th largest value enclose the median unless fewer than j values fall on one side of it,
    and how many do is a coin tossed N times. So the coverage is exact for every distribution, and no resampling is
    needed; it cannot be 95 % exactly, but is the smallest that is at least that.

    Source: Conover 1999, Practical Nonparametric Statistics, 3rd edition, section 3.2, ISBN 978-0-471-16068-7.

    Args:
        values: one score per case, [N]; NaN where a case's score is undefined.
        confidence: share of intervals that would hold the true median, at least.

    Returns:
        The interval; without ends below 6 values (at 95 %), where even the smallest and the largest do not suffice.
    """
    values = np.asarray(values, dtype=np.float64).ravel()
    defined = np.sort(values[~np.isnan(values)])
    n = defined.size
    low = high = coverage = math.nan
    # How many of the outermost values on each side can be done without.
    spare = int(binom.ppf((1 - confidence) / 2, n, 0.5)) if n else 0
    if spare > 0:
        low, high = float(defined[spare - 1]), float(defined[n - spare])
        coverage = float(1 - 2 * binom.cdf(spare - 1, n, 0.5))
    median = float(np.median(defined)) if n else math.nan
    return MedianInterval(median, low, high, n=n, undefined=values.size - n, coverage=coverage)
