"""Words that several sentences about pairs share."""

from collections.abc import Collection
from typing import NamedTuple

import pandas as pd

from headtohead.statistics.decimals import p_value, with_decimals
from headtohead.statistics.paired import WILCOXON
from headtohead.statistics.power import fewest_cases
from headtohead.statistics.trainings import TWO_LEVEL

MOST = 6
"""So many pairs or names a sentence lists: the pairs of four entrants. Of more it says who is ahead."""
EACH = "pairs.csv has each"


class Lead(NamedTuple):
    """To be ahead in something, in words: of one, of several, and as an infinitive."""

    one: str
    several: str
    infinitive: str


BETTER = Lead("is better", "are better", "be better")


def row_of(pairs: pd.DataFrame, a: str, b: str) -> "pd.Series":
    """Find the row of a pair, in whichever order it has the two."""
    return pairs[((pairs["a"] == a) & (pairs["b"] == b)) | ((pairs["a"] == b) & (pairs["b"] == a))].iloc[0]


def scores_higher(pairs: pd.DataFrame, a: str, b: str) -> bool:
    """Whether a is shown to have the higher number of the two."""
    if a == b:
        return False
    row = row_of(pairs, a, b)
    return bool(row["different"]) and bool((row["mean_difference"] > 0) == (row["a"] == a))


def interval_words(low: float, high: float, percent: int = 95) -> str:
    """`95 % interval 0.012 to 0.034`."""
    return f"{percent} % interval {with_decimals(low, low, high)} to {with_decimals(high, low, high)}"


def p_words(test: str, p: float) -> str:
    """`Wilcoxon p < 0.001`, `McNemar p = 0.031`."""
    text = p_value(p)
    return f"{test} p {text}" if text.startswith("<") else f"{test} p = {text}"


def difference_words(pairs: pd.DataFrame, a: str, b: str) -> str:
    """`mean difference in Dice 0.012 (95 % interval ..., n = 110 cases, Wilcoxon p = 0.21, corrected for 3 pairs)`."""
    row = row_of(pairs, a, b)
    mean, low, high = row["mean_difference"], row["low"], row["high"]
    if row["a"] != a:
        mean, low, high = -mean, -high, -low
    corrected = f", corrected for {len(pairs)} pairs" if len(pairs) > 1 else ""
    over = "over cases and seeds, " if TWO_LEVEL in str(row.get("test", "")) else ""
    return (
        f"mean difference in Dice {with_decimals(mean, low, high)} ({interval_words(low, high)}, {over}"
        f"n = {row['n']} cases, {p_words(str(row.get('test', WILCOXON)), row['holm_p'])}{corrected})"
    )


def listed(names: list[str], last: str = "and") -> str:
    """`a`, `a and b`, `a, b and c`; semicolons where a name has a comma of its own."""
    comma = "; " if any("," in name for name in names) else ", "
    return names[0] if len(names) == 1 else f"{comma.join(names[:-1])} {last} {names[-1]}"


def listed_or_counted(names: list[str], count: int, called: str, last: str = "and") -> str:
    """List some of so many entrants, or say how many they are where the list would be long."""
    if len(names) <= MOST:
        return listed(names, last)
    return f"all {count} {called}" if len(names) == count else f"{len(names)} of the {count} {called}"


def who_is_ahead(names: list[str], better: Collection[tuple[str, str]], lead: Lead) -> str:
    """Say who is shown to be ahead of everybody else; where nobody is, of whom nobody is ahead.

    Args:
        names: of the entrants.
        better: the pairs that are shown to differ, the better one first.
        lead: the words for being ahead.
    """
    if not better:
        return "there is no evidence of a difference"
    beaten = {worse for _, worse in better}
    first, others = [one for one in names if one not in beaten], [one for one in names if one in beaten]
    if first and all((one, other) in better for one in first for other in others):
        everyone = others[0] if len(others) == 1 else f"each of the other {len(others)}"
        ahead = listed_or_counted(first, len(names), "entrants")
        return f"{ahead} {verb(first, lead.one, lead.several)} than {everyone}"
    differ = f"{len(better)} of {len(names) * (len(names) - 1) // 2} pairs differ"
    if not first:
        return differ
    unbeaten = listed_or_counted(first, len(names), "entrants", "or")
    return f"nobody is shown to {lead.infinitive} than {unbeaten}, and {differ}"


def verb(names: list[str], one: str = "scores", several: str = "score") -> str:
    """The verb for one name or several."""
    return one if len(names) == 1 else several


def too_few(n: int, tests: int, one: str = "one test", several: str = "tests") -> str:
    """Say that n cases can show no difference with so many tests, called `one` or `several`; empty where they can.

    `5 cases are too few: with 6 tests, no difference whatever its size can be shown on fewer than 8`.
    """
    fewest = fewest_cases(tests)
    if n >= fewest:
        return ""
    cases = "1 case is" if n == 1 else f"{n} cases are"
    corrected = one if tests == 1 else f"{tests} {several}"
    return f"{cases} too few: with {corrected}, no difference whatever its size can be shown on fewer than {fewest}"


def no_difference(n: int, tests: int) -> str:
    """What a table says of a pair that is not different, among this many that are corrected together."""
    return "too few cases" if n < fewest_cases(tests) else "no evidence of a difference"
