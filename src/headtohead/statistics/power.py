"""What a comparison of a given number of cases could find at all."""

import math
from functools import cache

POWER = 0.8
ALPHA = 0.05


def smallest_detectable(n: int, standard_deviation: float) -> float:
    """Smallest true mean difference that a paired comparison would find four times in five.

    By the paired t test, two-sided at 5 %, before any correction for several pairs: near enough for the Wilcoxon test
    (95 % as efficient where differences are normal, more so where they have long tails), and easily repeated. A
    difference not found is no proof that there is none; this says how large it may still be.

    Source: Cohen 1988, Statistical Power Analysis for the Behavioral Sciences, 2nd edition, chapter 2,
    ISBN 978-0-8058-0283-2.

    Args:
        n: number of cases.
        standard_deviation: of the differences per case (divisor n - 1), in units of the score.

    Returns:
        The difference, in units of the score; NaN below 3 cases, and where all differences are equal.
    """
    return _effect(n) * standard_deviation if n >= 3 and standard_deviation > 0 else math.nan


@cache
def _effect(n: int) -> float:
    """The same in standard deviations."""
    from statsmodels.stats.power import TTestPower  # a second to import: only a comparison pays it

    return float(TTestPower().solve_power(nobs=n, alpha=ALPHA, power=POWER, alternative="two-sided"))


@cache
def fewest_cases(tests: int) -> int:
    """Fewest cases on which even all wins and no loss, p = 2 / 2^n, pass the correction for this many tests."""
    n = 1
    while 2 * max(tests, 1) / 2**n >= ALPHA:
        n += 1
    return n
