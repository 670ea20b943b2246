"""Cases whose truth holds no lesion: who leaves them alone, and how much is wrongly called lesion on the others.

They have no Dice. An entrant that predicts nothing on them is right; one that predicts a single voxel is not. Of
several targets the same is asked of the cases without each.
"""

import pandas as pd

from headtohead.statistics.matrix import case_matrix, entrants, holds_lesion
from headtohead.statistics.questions import DESCRIBED, Question, compare_family
from headtohead.statistics.targets import TARGET, each_target
from headtohead.statistics.trainings import trainings, without_ensembles

LEFT_ALONE, FALSE_VOXELS, FALSE_ML = "left_alone", "false_voxels", "false_ml"
SIZES = ["mean", "median", "min", "max"]
COLUMNS = ["entrant", "n", LEFT_ALONE, "specificity", "low", "high"]
COLUMNS += [f"{kind}_{size}" for kind in (FALSE_VOXELS, FALSE_ML) for size in ("mean", "median", "minimum", "maximum")]


def _scored(cases: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, pd.DataFrame]]:
    """The rows of cases without a lesion, and their scores, each [cases, entrants], seeds averaged.

    left_alone is 1 where no voxel was predicted, else 0 (of several seeds, the share that predicted none);
    false_voxels; false_ml where the spacing of all cases is known.

    Raises:
        UserError: if an entrant was not scored on a case that another was scored on.
    """
    rows = cases[~holds_lesion(cases)]
    rows = rows.assign(**{LEFT_ALONE: (rows["fp"] == 0).astype(float), FALSE_VOXELS: rows["fp"].astype(float)})
    if "volume_error_ml" in rows and rows["volume_error_ml"].notna().all():
        rows = rows.assign(**{FALSE_ML: rows["volume_error_ml"]})
    names = list(dict.fromkeys(entrants(cases)))
    return rows, {name: case_matrix(rows, name, names) for name in (LEFT_ALONE, FALSE_VOXELS, FALSE_ML) if name in rows}


def sum_up_without_lesion(cases: pd.DataFrame) -> pd.DataFrame:
    """Sum up the cases without a lesion; of several targets, those without each.

    Source of the interval: Wilson 1927, doi:10.1080/01621459.1927.10502953, which also holds at 0 and at all of few.

    Args:
        cases: one row per run, test case and target, as in the comparison's cases.csv.

    Returns:
        `COLUMNS`, one row per entrant, the baseline among them: n, cases without a lesion; left_alone, how many of
        them; specificity, their share, with its 95 % interval; mean, median, minimum and maximum of the false voxels,
        and of the millilitres where the spacing is known. With several targets also which, in a first column. No row
        where every case has a lesion.

    Raises:
        UserError: if an entrant was not scored on a case that another was scored on.
    """
    tables = {target: _summed_up(_scored(rows)[1]) for target, rows in each_target(cases).items()}
    if TARGET not in cases:
        return tables[""]
    return pd.concat(tables, names=[TARGET]).reset_index(TARGET).reset_index(drop=True)


def _summed_up(scores: dict[str, pd.DataFrame]) -> pd.DataFrame:
    alone, rows = scores[LEFT_ALONE], []
    if alone.empty:
        return pd.DataFrame(columns=COLUMNS)
    from statsmodels.stats.proportion import proportion_confint  # a second to import: only a comparison pays it

    for entrant in alone:
        n, left = len(alone), float(alone[entrant].sum())
        low, high = map(float, proportion_confint(left, n, method="wilson"))
        sizes: list[float] = []
        for kind in (FALSE_VOXELS, FALSE_ML):
            values = scores[kind][entrant] if kind in scores else pd.Series(dtype=float)
            sizes.extend(values.agg(SIZES))
        rows.append((entrant, n, left, left / n, low, high, *sizes))
    return pd.DataFrame(rows, columns=COLUMNS)


def compare_without_lesion(cases: pd.DataFrame) -> pd.DataFrame:
    """Compare every pair but ensembles on the cases without a lesion, and without each of several targets.

    Whether a case is left alone is tested by McNemar's exact test, false voxels (or millilitres) as Dice is, by signed
    ranks; all is corrected together.

    Args:
        cases: as for `sum_up_without_lesion`.

    Returns:
        Columns target (of several), score, then those of `compare_family` up to different; no row where every case has
        a lesion.
    """
    questions = []
    for target, own in each_target(cases).items():
        rows, scores = _scored(own)
        for score in (LEFT_ALONE, FALSE_ML if FALSE_ML in scores else FALSE_VOXELS) if len(rows) else ():
            trained = trainings(rows, score)
            about = ({TARGET: target} if target else {}) | {"score": score}
            matrix, yes_or_no = scores[score][without_ensembles(trained)], score == LEFT_ALONE
            questions.append(Question(matrix, trained, about, of_faults=not yes_or_no, yes_or_no=yes_or_no))
    return compare_family(questions) if questions else pd.DataFrame(columns=["score", *DESCRIBED])
