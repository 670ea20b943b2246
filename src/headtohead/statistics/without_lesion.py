"""Cases whose truth holds no lesion: who leaves them alone, and how much is wrongly called lesion on the others.

They have no Dice. An entrant that predicts nothing on them is right; one that predicts a single voxel is not.
"""

import math

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import binomtest

from headtohead.statistics.matrix import case_matrix, entrants, holds_lesion
from headtohead.statistics.paired import DESCRIBED, describe, judge, paired_differences
from headtohead.statistics.trainings import Luck, trainings, without_ensembles

LEFT_ALONE, FALSE_VOXELS, FALSE_ML = "left_alone", "false_voxels", "false_ml"
MCNEMAR = "McNemar"
SIZES = ["mean", "median", "minimum", "maximum"]
COLUMNS = ["entrant", "n", LEFT_ALONE, "specificity", "low", "high"]
COLUMNS += [f"{kind}_{size}" for kind in (FALSE_VOXELS, FALSE_ML) for size in SIZES]


def scores_without_lesion(cases: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Give the scores of every entrant, the baseline among them, on every case without a lesion, seeds averaged.

    Args:
        cases: one row per run and test case, as in the comparison's cases.csv.

    Returns:
        [cases without a lesion, entrants] by score: left_alone, 1 where no voxel was predicted, else 0 (of several
        seeds, the share that predicted none); false_voxels; false_ml where the spacing of all cases is known.

    Raises:
        UserError: if an entrant was not scored on a case that another was scored on.
    """
    rows, names = _scored(cases), list(dict.fromkeys(entrants(cases)))
    return {name: case_matrix(rows, name, names) for name in _found(rows)}


def trainings_without_lesion(cases: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Give the seeds of every entrant in the same scores, as `trainings.trainings`; no row without such a case."""
    rows = _scored(cases)
    return {name: trainings(rows, name) for name in _found(rows)}


def _scored(cases: pd.DataFrame) -> pd.DataFrame:
    """The rows of cases without a lesion, with their scores as columns."""
    rows = cases[~holds_lesion(cases)]
    rows = rows.assign(**{LEFT_ALONE: (rows["fp"] == 0).astype(float), FALSE_VOXELS: rows["fp"].astype(float)})
    if "volume_error_ml" in rows and rows["volume_error_ml"].notna().all():
        rows = rows.assign(**{FALSE_ML: rows["volume_error_ml"]})
    return rows


def _found(rows: pd.DataFrame) -> list[str]:
    return [name for name in (LEFT_ALONE, FALSE_VOXELS, FALSE_ML) if name in rows]


def without_lesion_table(scores: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Sum up the cases without a lesion.

    Source of the interval: Wilson 1927, doi:10.1080/01621459.1927.10502953, which also holds at 0 and at all of few.

    Args:
        scores: as `scores_without_lesion` gives them.

    Returns:
        `COLUMNS`, one row per entrant: n, cases without a lesion; left_alone, how many of them; specificity, their
        share, with its 95 % interval; mean, median, minimum and maximum of the false voxels, and of the millilitres
        where the spacing is known. No row where every case has a lesion.
    """
    alone = scores[LEFT_ALONE]
    rows = []
    for entrant in alone.columns if len(alone) else []:
        n, left = len(alone), float(alone[entrant].sum())
        low, high = _wilson(left, n)
        row = {"entrant": entrant, "n": n, LEFT_ALONE: left, "specificity": left / n, "low": low, "high": high}
        for kind in (FALSE_VOXELS, FALSE_ML):
            values = scores[kind][entrant] if kind in scores else pd.Series(dtype=float)
            sizes = (values.mean(), values.median(), values.min(), values.max())
            row |= {f"{kind}_{name}": float(size) for name, size in zip(SIZES, sizes, strict=True)}
        rows.append(row)
    return pd.DataFrame(rows, columns=COLUMNS)


def pairs_without_lesion(
    scores: dict[str, pd.DataFrame], seed: int = 0, trained: dict[str, pd.DataFrame] | None = None, targets: int = 1
) -> pd.DataFrame:
    """Compare every pair but ensembles on the cases without a lesion, corrected over both tests of all pairs.

    Whether a case is left alone is tested by McNemar's exact test: of the cases that one entrant alone left alone, how
    many were the first's, against a fair coin. False voxels (or millilitres) are tested as Dice is, by signed ranks.

    Source: McNemar 1947, doi:10.1007/BF02295996.

    Args:
        scores: as `scores_without_lesion` gives them.
        seed: seed of the bootstrap.
        trained: as `trainings_without_lesion` gives it; None: every entrant was trained once.
        targets: for how many targets, this one among them, that is done and corrected together.

    Returns:
        Columns score, then those of `compare_pairs` up to different; no row where every case has a lesion.
    """
    size = FALSE_ML if FALSE_ML in scores else FALSE_VOXELS
    described = []
    for score in (LEFT_ALONE, size) if len(scores[LEFT_ALONE]) else ():
        matrix = scores[score] if trained is None else scores[score][without_ensembles(trained[score])]
        differences, pairs = paired_differences(matrix)
        if len(pairs):
            found = describe(differences, lower_is_better=score == size, seed=seed)
            if score == LEFT_ALONE:
                found = found.assign(test=MCNEMAR, p=[mcnemar_p(column) for column in differences.T])
            if trained is not None:
                luck = Luck.of(pairs, trained[score])
                found = luck.on_pairs(found, differences, 2 * len(pairs) * targets, fraction=score == LEFT_ALONE)
            if score == LEFT_ALONE:
                found["smallest_detectable"] = math.nan  # that of a mean, which a yes or no is not
            described.append(pd.concat([pairs, found], axis=1).assign(score=score))
    if not described:
        return pd.DataFrame(columns=["score", *DESCRIBED])
    return judge(pd.concat(described, ignore_index=True))[["score", *DESCRIBED]]


def mcnemar_p(differences: NDArray[np.float64]) -> float:
    """Two-sided p of McNemar's exact test.

    Args:
        differences: per case, above 0 where the first entrant alone left it alone, below 0 where the second did, [N].

    Returns:
        The p value; 1 where they never differ.
    """
    first, second = int(np.sum(differences > 0)), int(np.sum(differences < 0))
    return float(binomtest(first, first + second).pvalue) if first + second else 1.0


def _wilson(left: float, n: int) -> tuple[float, float]:
    from statsmodels.stats.proportion import proportion_confint  # a second to import: only a comparison pays it

    low, high = proportion_confint(left, n, method="wilson")
    return float(low), float(high)
