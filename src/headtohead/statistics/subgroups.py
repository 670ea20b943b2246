"""Means by site, lesion size, missing sequence and grade. For exploration: it raises questions and settles none."""

import math
from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from headtohead.options.comparison import baselines
from headtohead.statistics.intervals import Interval, mean_intervals
from headtohead.statistics.matrix import score_matrix
from headtohead.statistics.targets import each_target, over_targets

COLUMNS = ["group", "level", "n", "entrant", "mean", "low", "high"]
PAIR_COLUMNS = ["group", "level", "a", "b", "n", "mean_difference", "low", "high"]
UNKNOWN = "unknown"
FEWEST_CASES = 10  # a bootstrap of fewer has too little of the tail to say anything of cases that were not seen


def subgroup_table(cases: pd.DataFrame) -> pd.DataFrame:
    """Mean Dice of each entrant in parts of the cases.

    Exploration only: the parts are small, there are many, and nothing is corrected for their number; of twenty
    intervals one misses. The levels of one kind overlap with those of another (a site has its own scanner, its own
    missing sequences and its own patients), so a low mean does not say what causes it.

    Args:
        cases: one row per run and test case, as in the comparison's cases.csv; of the columns site, lesion_voxels
            (and lesion_ml), missing and grade those that are there are used.

    Returns:
        Columns group (site, lesion size, missing sequence, WHO grade), level, n (cases of the level with a lesion),
        entrant, mean, low, high (95 %, BCa bootstrap over cases; NaN below 10 cases). A kind of which all cases have
        the same level is left out. Lesion size is by thirds, of several targets that of the first; cases without a
        lesion have no score and are in no level.

    Raises:
        UserError: as `score_matrix`.
    """
    matrix = score_matrix(over_targets(cases))
    rows = []
    for group, level, part in _parts(cases, matrix):
        for entrant, found in zip(matrix.columns, _intervals(part.to_numpy()), strict=True):
            rows.append((group, level, found.n, entrant, found.mean, found.low, found.high))
    return pd.DataFrame(rows, columns=COLUMNS)


def subgroup_pairs(cases: pd.DataFrame) -> pd.DataFrame:
    """Paired differences between models in the same parts of the cases. Exploration only, as `subgroup_table`.

    Returns:
        Columns group, level, a, b, n, mean_difference (a - b), low, high, as there.
    """
    matrix = score_matrix(over_targets(cases))
    matrix = matrix.drop(columns=baselines(matrix))
    pairs = list(combinations(matrix.columns, 2))
    rows = []
    for group, level, part in _parts(cases, matrix) if pairs else ():
        differences = np.stack([(part[a] - part[b]).to_numpy() for a, b in pairs], axis=1)
        for (a, b), found in zip(pairs, _intervals(differences), strict=True):
            rows.append((group, level, a, b, found.n, found.mean, found.low, found.high))
    return pd.DataFrame(rows, columns=PAIR_COLUMNS)


def _parts(cases: pd.DataFrame, matrix: pd.DataFrame) -> Iterator[tuple[str, str, pd.DataFrame]]:
    """The kind of group, the level and the rows of the matrix, of each kind that has several levels."""
    for group, levels in _kinds(cases).items():
        scored = levels.loc[matrix.index].cat.remove_unused_categories()
        for level in scored.cat.categories if len(scored.cat.categories) > 1 else ():
            yield group, level, matrix[scored == level]


def _intervals(columns: NDArray[np.float64]) -> list[Interval]:
    """Mean and interval of each column; of fewer than `FEWEST_CASES`, the mean alone."""
    found = mean_intervals(columns)
    return [one if one.n >= FEWEST_CASES else replace(one, low=math.nan, high=math.nan) for one in found]


def _kinds(cases: pd.DataFrame) -> dict[str, pd.Series]:
    """The level of each case in each kind of group: categorical, by case, levels in the order to show them."""
    by_case = cases.groupby("case")
    kinds = {}
    if "site" in cases:
        kinds["site"] = _words(by_case["site"].first(), UNKNOWN)
    if "lesion_voxels" in cases:
        column, unit, digits = ("lesion_ml", "ml", 1) if "lesion_ml" in cases else ("lesion_voxels", "voxels", 0)
        target, own = next(iter(each_target(cases).items()))  # of regions that lie within each other, the outermost
        what = target or "lesion"
        # Under a split by slice a case is scored in pieces; the largest piece seen stands for it.
        kinds[f"{what} size"] = _thirds(own.groupby("case")[column].max(), unit, digits, what)
    if "missing" in cases:
        kinds["missing sequence"] = _words(by_case["missing"].first(), "none")
    if "grade" in cases:
        kinds["WHO grade"] = _words(by_case["grade"].first(), UNKNOWN)
    return kinds


def _words(values: pd.Series, empty: str) -> pd.Series:
    """Levels as words, sorted; a whole number read as 2.0 is 2, and what is unknown stands last."""
    words = values.map(lambda value: "" if pd.isna(value) else str(value).strip().removesuffix(".0"))
    words = words.replace("", empty)
    levels = sorted(set(words), key=lambda level: (level == UNKNOWN, level))
    return words.astype(pd.CategoricalDtype(levels))


def _thirds(sizes: pd.Series, unit: str, digits: int, what: str) -> pd.Series:
    """Small, medium or large among the cases with a lesion, the bounds in the level's name."""
    lesions = sizes[sizes > 0]
    first, second = np.quantile(lesions, [1 / 3, 2 / 3]) if len(lesions) else (0.0, 0.0)
    names = [
        f"no {what}",
        f"small, up to {first:,.{digits}f} {unit}",
        f"medium, up to {second:,.{digits}f} {unit}",
        f"large, above {second:,.{digits}f} {unit}",
    ]
    third = np.where(sizes <= 0, 0, 1 + (sizes > first).astype(int) + (sizes > second).astype(int))
    levels = pd.Series([names[place] for place in third], index=sizes.index)
    return levels.astype(pd.CategoricalDtype(names)).cat.remove_unused_categories()
