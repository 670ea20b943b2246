"""How many decimals a number carries, and the words for it: one rule for tables, page and verdict."""

import math

from headtohead.statistics.intervals import RESAMPLES
from headtohead.statistics.power import ALPHA

FEWEST_OF_A_SHARE, MOST = 2, 3
SMALLEST = 1e-6  # what is smaller reads as zero
TAIL = 0.025
# Standard error of the 2.5 % quantile of RESAMPLES draws from a normal distribution, in its standard deviations:
# sqrt(TAIL * (1 - TAIL) / RESAMPLES) divided by the density there (.0584, at -1.96). For 10,000 it is .027.
ERROR_OF_AN_END = math.sqrt(TAIL * (1 - TAIL) / RESAMPLES) / (math.exp(-(1.959964**2) / 2) / math.sqrt(2 * math.pi))


def carried(low: float, high: float) -> int:
    """Count the decimals that the ends of a 95 % bootstrap interval carry.

    Another seed of the bootstrap moves an end by its Monte Carlo error. A decimal is printed only if two standard
    errors of it are at most one unit of that decimal, so that another seed changes the last digit by one at the most,
    19 times in 20. With 10,000 draws that means three decimals for an interval narrower than .073, two below .73, one
    below 7.3. An interval within 0 and 1 keeps two: so wide a one is read for its width, not for its digits.

    Returns:
        0 to 3; 3 without an interval, that is, NaN, since a mean alone has no Monte Carlo error.
    """
    width = high - low
    if math.isnan(width) or width <= 0:
        return MOST
    error = ERROR_OF_AN_END * width / (2 * 1.959964)
    fewest = FEWEST_OF_A_SHARE if width <= 1 else 0
    return min(MOST, max(fewest, math.floor(-math.log10(2 * error) + 1e-9)))


def with_decimals(value: float, low: float = math.nan, high: float = math.nan) -> str:
    """Write a mean, or an end, with the decimals that its interval carries; more where it would read as zero."""
    decimals = carried(low, high)
    while SMALLEST < abs(value) < 0.5 * 10**-decimals:
        decimals += 1
    return f"{value:.{decimals}f}"


def p_value(p: float) -> str:
    """Write a p value: `0.21`, `0.031`, `< 0.001`.

    Two decimals from .1 on, where the third decides nothing; three below; more near .05, which no p is rounded onto.
    """
    if p < 0.001:
        return "< 0.001"
    decimals = 2 if p >= 0.0995 else 3
    while p != ALPHA and round(p, decimals) == ALPHA and decimals < 9:
        decimals += 1
    return f"{p:.{decimals}f}"
