"""A family of tests: every pair of entrants in one question or several, corrected over all of them together."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from headtohead.options.comparison import MARGIN
from headtohead.statistics.paired import describe_differences, equivalence, mcnemar_p, paired_differences
from headtohead.statistics.power import ALPHA
from headtohead.statistics.trainings import Luck

MCNEMAR = "McNemar"
DESCRIBED = [
    "a", "b", "n", "mean_difference", "low", "high", "median_difference", "test", "p", "holm_p", "rank_biserial",
    "wins", "ties", "losses", "smallest_detectable", "different",
]  # fmt: skip
COLUMNS = [*DESCRIBED, "margin", "low_90", "high_90", "tost_p", "tost_holm_p", "equivalent"]


@dataclass(frozen=True)
class Question:
    """One score in which every pair of entrants is compared.

    Attributes:
        matrix: the score, [cases, entrants], as `score_matrix` gives it.
        trained: how often each entrant was trained, as `trainings` gives it; None: once.
        about: what the rows of its pairs say besides, by column: which score, which target.
        of_faults: whether it counts faults, so that less is better; else it is a share from 0 to 1.
        yes_or_no: whether it is 1 or 0 in each case, so that McNemar's test takes the place of Wilcoxon's.
    """

    matrix: pd.DataFrame
    trained: pd.DataFrame | None = None
    about: dict[str, str] = field(default_factory=dict)
    of_faults: bool = False
    yes_or_no: bool = False


def compare_pairs(matrix: pd.DataFrame, margin: float = MARGIN, trained: pd.DataFrame | None = None) -> pd.DataFrame:
    """Compare every pair of entrants in Dice: `COLUMNS`, as `compare_family` of this one question."""
    return compare_family([Question(matrix, trained)], margin)


def compare_family(
    questions: Sequence[Question], margin: float | None = None, wanted: Callable[[str, str], bool] | None = None
) -> pd.DataFrame:
    """Compare every pair of entrants case by case in every question, corrected over all of these tests together.

    A difference is reported only if two questions that fail in different ways agree: the Wilcoxon signed-rank test
    after Holm's correction over the family, which a few cases of huge difference cannot decide; and the interval of the
    mean difference, which does not need the differences to be symmetric about their middle. Equivalence is reported
    only after two one-sided tests at the margin (`equivalence`), corrected over the family as well. A pair may be
    both: a difference that is real and too small to matter. Where an entrant was trained several times, intervals and
    tests are over cases and seeds (`trainings`), and both tests have to agree as well.

    Args:
        questions: of which rows are wanted, in this order.
        margin: the largest mean difference that does not matter, declared before the results are seen; above 0. None:
            equivalence is not tested.
        wanted: says of two columns, in their order, whether they are a pair to compare; None: all are.

    Returns:
        What each question is about, then, one row per unordered pair, all differences a - b in units of the score:
            a, b: the entrants. n: cases, the same for every pair.
            mean_difference, low, high: with its 95 % interval (BCa bootstrap over cases). median_difference.
            test, p, holm_p: two-sided p, before and after the correction; NaN where n is 0.
            rank_biserial: share of the sum of ranks won by a minus that won by b: 1 if a is better in every case, 0 if
                they are even; cases scored alike count on neither side and pull it towards 0.
            wins, ties, losses: cases in which a is better than, equal to and worse than b.
            smallest_detectable: mean difference that would be found four times in five, as `smallest_detectable`; NaN
                of yes or no, which has no such mean.
            different: whether holm_p is below .05 and the interval does not hold zero.
            margin to equivalent: as `equivalence`; only with a margin.

    Raises:
        UserError: if an entrant lacks a score.
    """
    about = list(questions[0].about) if questions else []
    columns = [*about, *(DESCRIBED if margin is None else COLUMNS)]
    asked = [(question, *paired_differences(question.matrix, wanted)) for question in questions]
    tests = sum(len(pairs) for _, _, pairs in asked)
    tables = []
    for question, differences, pairs in asked:
        if pairs.empty:
            continue
        luck = None if question.trained is None else Luck.of(pairs, question.trained)
        found = describe_differences(differences, question.of_faults)
        if question.yes_or_no:
            found = found.assign(test=MCNEMAR, p=[mcnemar_p(column) for column in differences.T])
        if luck:
            found = luck.on_pairs(found, differences, tests, fraction=not question.of_faults)
        if question.yes_or_no:
            found["smallest_detectable"] = math.nan
        parts = [pairs, found] if margin is None else [pairs, found, equivalence(differences, margin, luck)]
        tables.append(pd.concat(parts, axis=1).assign(**question.about))
    return judge(pd.concat(tables, ignore_index=True))[columns] if tables else pd.DataFrame(columns=columns)


def judge(found: pd.DataFrame) -> pd.DataFrame:
    """Add to `describe_differences`, and to `equivalence` if it is there, what is corrected over all rows."""
    holm_p = holm(found["p"].to_numpy(dtype=np.float64))
    apart = (found["low"] > 0) | (found["high"] < 0)
    found = found.assign(holm_p=holm_p, different=(holm_p < ALPHA) & apart)
    if "tost_p" not in found:
        return found
    corrected = holm(found["tost_p"].to_numpy(dtype=np.float64))
    within = (found["low_90"] > -found["margin"]) & (found["high_90"] < found["margin"])
    return found.assign(tost_holm_p=corrected, equivalent=(corrected < ALPHA) & within)


def holm(p: NDArray[np.float64]) -> NDArray[np.float64]:
    """Correct p values, [K], for their number by Holm's step-down method; NaN is no test and stays.

    Source: Holm 1979, doi:10.2307/4615733.
    """
    corrected = np.full(len(p), np.nan)
    tested = ~np.isnan(p)
    if tested.any():
        from statsmodels.stats.multitest import multipletests  # a second to import: only a comparison pays it

        corrected[tested] = multipletests(p[tested], method="holm")[1]
    return corrected
