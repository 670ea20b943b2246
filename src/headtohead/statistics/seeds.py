"""How much of a score is the luck of a training: the variance between seeds, and intervals and tests that hold it.

A training is a draw: with another seed the same model under the same schedule ends elsewhere. Cases say nothing about
that, however many there are; only further trainings do. Everything here is about entrants of which there are two seeds
or more, and works on arrays, so that one comparison and ten thousand simulated ones are judged by the same lines.

The scores of an entrant are taken as: its mean + an effect of the case + an effect of the seed + the rest of case and
seed. The mean over cases and seeds then varies for two reasons, the cases and the seeds. Each has an interval of its
own, and the two are put together by their squared lengths (MOVER). That was chosen by simulation, on
benchmarks/seed_simulation.py: resampling few seeds, or one t interval on the summed variance (Satterthwaite), finds
differences that are not there in more than 5 % of comparisons.

Sources: Bouthillier et al. 2021, arXiv:2103.03098 (seeds are a source of variance that tests leave out); Zou and
Donner 2008, doi:10.1002/sim.3095 (MOVER); Welch 1947, doi:10.1093/biomet/34.1-2.28 (degrees of freedom).
"""

import math
from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr, stdtrit
from scipy.stats import chi2

from headtohead.statistics.power import ALPHA, POWER

Numbers = NDArray[np.float64]

LEAST_TAIL = 1e-15  # smaller p values are given as this
HALVINGS = 40
DRAWS = 512  # of the seed variances, for the power; a power of two


def seed_variance(means: ArrayLike) -> Numbers:
    """Variance of the mean over seeds, that of one seed divided by their number; NaN with one seed.

    It holds the share of case and seed together as well, which the interval over cases holds too: counted twice, on the
    safe side. To subtract it makes negative variances of few seeds.

    Args:
        means: mean over cases of each seed, [..., seeds].
    """
    means = np.asarray(means, dtype=np.float64)
    seeds = means.shape[-1]
    return means.var(axis=-1, ddof=1) / seeds if seeds > 1 else np.full(means.shape[:-1], np.nan)


def pooled(variances: ArrayLike, freedoms: ArrayLike) -> tuple[Numbers, Numbers]:
    """Add up seed variances of several entrants, with the degrees of freedom of their sum by Welch.

    Args:
        variances: [..., entrants], each as `seed_variance` gives it; 0 where there is no such luck.
        freedoms: of each, its seeds less one; at least 1. The least is that of a sum of 0.
    """
    variances, freedoms = np.broadcast_arrays(np.asarray(variances, np.float64), np.asarray(freedoms, np.float64))
    total = variances.sum(axis=-1)
    parts = (variances**2 / freedoms).sum(axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return total, np.where(parts > 0, total**2 / parts, freedoms.min(axis=-1))


def widened(
    mean: ArrayLike, low: ArrayLike, high: ArrayLike, variance: ArrayLike, freedom: ArrayLike, confidence: float = 0.95
) -> tuple[Numbers, Numbers]:
    """Widen an interval over cases to one over cases and seeds.

    Args:
        mean: over cases and seeds, [...].
        low: lower end of its interval over cases, of the scores averaged over seeds.
        high: upper end.
        variance: of the mean by its seeds, as `pooled` gives it, with its degrees of freedom.
        freedom: these.
        confidence: of both intervals.
    """
    mean, low, high = (np.asarray(one, np.float64) for one in (mean, low, high))
    luck = stdtrit(freedom, (1 + confidence) / 2) ** 2 * np.asarray(variance, np.float64)
    return mean - np.sqrt((mean - low) ** 2 + luck), mean + np.sqrt((high - mean) ** 2 + luck)


def two_level_p(
    mean: ArrayLike, case_variance: ArrayLike, cases: ArrayLike, variance: ArrayLike, freedom: ArrayLike
) -> Numbers:
    """Two-sided p of a mean of zero: at that level, the interval over cases and seeds just reaches zero.

    The part of the cases is that of the t test here; a p value of a bootstrap would need resamples by the million.

    Args:
        mean: over cases and seeds, [...].
        case_variance: of the mean by its cases: the squared standard deviation of the scores, averaged over seeds,
            divided by their number.
        cases: their number; at least 2.
        variance: of the mean by its seeds, as `pooled` gives it.
        freedom: of that variance.

    Returns:
        [...]; 1 where the mean is 0.
    """
    mean, case_variance, cases, variance, freedom = np.broadcast_arrays(
        *(np.asarray(one, np.float64) for one in (mean, case_variance, cases, variance, freedom))
    )
    smallest, largest = np.full(mean.shape, math.log(LEAST_TAIL)), np.full(mean.shape, math.log(0.5))
    for _ in range(HALVINGS):
        middle = (smallest + largest) / 2
        tail = np.exp(middle)
        reach = stdtrit(cases - 1, tail) ** 2 * case_variance + stdtrit(freedom, tail) ** 2 * variance
        within = mean**2 <= reach
        smallest, largest = np.where(within, middle, smallest), np.where(within, largest, middle)
    return np.where(mean == 0, 1.0, 2 * np.exp(largest))


def equivalence_p(
    mean: ArrayLike,
    margin: float,
    case_variance: ArrayLike,
    cases: ArrayLike,
    variance: ArrayLike,
    freedom: ArrayLike,
) -> Numbers:
    """The p of two one-sided tests that the true mean lies within the margin: the larger of both.

    Source: Schuirmann 1987, doi:10.1007/BF01068419. All but the margin, which is above 0, is as for `two_level_p`.

    Returns:
        [...]; at least .5 where the mean itself lies outside.
    """
    room = margin - np.abs(np.asarray(mean, np.float64))
    half = two_level_p(room, case_variance, cases, variance, freedom) / 2
    return np.where(room >= 0, half, 1 - half)


def smallest_detectable_over_seeds(
    cases: int, case_variance: float, variances: ArrayLike, freedoms: ArrayLike, tests: int = 1
) -> float:
    """Smallest true difference of two entrants that such a comparison would find four times in five.

    Few seeds say little about their own variance, so what the true one may be is drawn (fiducial, chi-squared with the
    least degrees of freedom of the two), and so is what another comparison like this one would estimate. In simulation
    (results/seeds.md) the size is found at least four times in five, also where only one entrant depends on its seed.

    Args:
        cases: their number; at least 3.
        case_variance: of the mean difference by its cases, as for `two_level_p`.
        variances: seed variance of either entrant, [2]; 0 where there is no such luck.
        freedoms: of each; at least 1.
        tests: how many pairs are tested; the bound of Bonferroni is what Holm's method reaches at the least.

    Returns:
        The difference, in units of the score; NaN below 3 cases and where nothing varies.
    """
    found, degrees = np.asarray(variances, np.float64), np.asarray(freedoms, np.float64)
    if cases < 3 or not case_variance + found.sum() > 0:
        return math.nan
    draws = _draws()
    least = degrees[found > 0].min(initial=degrees.max())
    true = found * (least / chi2.ppf(draws[:, :1], least))
    total, freedom = pooled(true * chi2.ppf(draws[:, 1:], degrees) / degrees, degrees)
    tail = ALPHA / tests / 2
    reach = np.sqrt(stdtrit(cases - 1, tail) ** 2 * case_variance + stdtrit(freedom, tail) ** 2 * total)
    spread = np.sqrt(case_variance + true.sum(axis=1))
    low, high = 0.0, float(reach.max() + 3 * spread.max())
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if ndtr((middle - reach) / spread).mean() >= POWER else (middle, high)
    return high


@cache
def _draws() -> Numbers:
    """Evenly spread points of a cube, [DRAWS, 3]: one for the true variances, one for the estimate of each."""
    from scipy.stats import qmc

    points: Numbers = qmc.Sobol(3, rng=0).random(DRAWS)
    return points
