"""How sure a mean or a median over cases is: its 95 % confidence interval."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import bootstrap, quantile_test

RESAMPLES = 10_000
AT_ONCE = 4_000_000  # values drawn at a time: 32 MB, however many cases and columns there are
DECIMALS = 12
ROUNDING = 10.0**-DECIMALS  # values that differ by less are equal; the bootstrap has nothing to resample then
FEWEST_VALUES = 3  # below this, resampling says nothing about cases that were not seen


@dataclass(frozen=True)
class Interval:
    """A mean of `n` defined values, of which `undefined` more were NaN, with its interval.

    All three are NaN without a value, the ends below `FEWEST_VALUES`.
    """

    mean: float
    low: float
    high: float
    n: int
    undefined: int


@dataclass(frozen=True)
class MedianInterval:
    """A median of `n` defined values with its interval; NaN without a value, the ends where too few can have none."""

    median: float
    low: float
    high: float
    n: int


def mean_interval(values: ArrayLike, seed: int = 0) -> Interval:
    """Mean of one score per case, [N], with its 95 % interval, as `mean_intervals` gives it of a column."""
    return mean_intervals(np.asarray(values, dtype=np.float64).reshape(-1, 1), seed=seed)[0]


def mean_intervals(columns: ArrayLike, confidence: float = 0.95, seed: int = 0) -> list[Interval]:
    """Mean of each column, with a bias-corrected and accelerated bootstrap interval over cases.

    Cases are what is redrawn, because patients are what the result is meant to hold for: slices of one patient are
    not independent of each other. The interval respects the bounds and the skewness of Dice; a normal one does not.

    Few cases hold too little of the tail, and the interval is then too narrow. In simulation it holds the true mean
    93 to 95 % of the time at 110 cases, and 90 to 95 % at 40; at 11 about 90 %, and 72 % where one case in ten fails
    outright, because a sample of eleven often holds no failure at all. No interval can mend that, more cases can.

    Source: Efron 1987, doi:10.1080/01621459.1987.10478410.

    Args:
        columns: one row per case, [N, K]; NaN where undefined.
        confidence: share of intervals that would hold the true mean.
        seed: seed of the resampling, so that a table comes out the same twice.

    Returns:
        K intervals; both ends equal the mean where all values are equal.
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


def median_interval(values: ArrayLike) -> MedianInterval:
    """Median of one score per case, with the interval between two order statistics.

    The j-th smallest and the j-th largest value enclose the median unless fewer than j values fall on one side of it,
    and how many do is a coin tossed N times. So the coverage is exact for every distribution, and no resampling is
    needed; it cannot be 95 % exactly, but is the smallest that is at least that.

    Source: Conover 1999, Practical Nonparametric Statistics, 3rd edition, section 3.2, ISBN 978-0-471-16068-7.

    Args:
        values: one score per case, [N]; NaN where a case's score is undefined.

    Returns:
        The interval; without ends below 6 values, where even the smallest and the largest do not suffice.
    """
    values = np.asarray(values, dtype=np.float64).ravel()
    defined = values[~np.isnan(values)]
    if not defined.size:
        return MedianInterval(math.nan, math.nan, math.nan, n=0)
    low, high = quantile_test(defined, p=0.5).confidence_interval(0.95)
    return MedianInterval(float(np.median(defined)), float(low), float(high), n=defined.size)
