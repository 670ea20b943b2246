"""Several targets: the primary score of a case is the mean over those that its truth holds; each also stands beside.

Who holds what is decided by the truth alone: a case without enhancing tumour has no Dice of it, whatever was predicted
there, so its mean is over the other targets, and `without_lesion` scores what was predicted.
"""

from typing import TYPE_CHECKING, Any

from headtohead.statistics import equivalence
from headtohead.statistics.matrix import holds_lesion, score_matrix
from headtohead.statistics.paired import COLUMNS as PAIR_COLUMNS
from headtohead.statistics.paired import DESCRIBED, compare_pairs, judge
from headtohead.statistics.trainings import TRAINED, trainings
from headtohead.statistics.without_lesion import (
    pairs_without_lesion,
    scores_without_lesion,
    trainings_without_lesion,
    without_lesion_table,
)

if TYPE_CHECKING:
    import pandas as pd

TARGET = "target"
MEAN = "mean over targets"
"""What the primary score of several targets is called in tables."""
KEYS = ["model", "schedule", "seed", "fold", "case"]
COUNTS = ["tp", "fp", "fn"]
SIZES = ["lesion_voxels", "lesion_ml"]


def each_target(cases: "pd.DataFrame") -> "dict[str, pd.DataFrame]":
    """Part a table by its targets.

    Args:
        cases: rows as in cases.csv or slices.csv: with several targets, one row a run, case and target.

    Returns:
        Target -> its rows, without the column, in the order of the targets; `{"": cases}` where there is one target.
    """
    if TARGET not in cases:
        return {"": cases}
    names = dict.fromkeys(cases[TARGET])
    return {str(name): cases[cases[TARGET] == name].drop(columns=TARGET).reset_index(drop=True) for name in names}


def over_targets(cases: "pd.DataFrame") -> "pd.DataFrame":
    """Give the primary scores: of each case, the mean over the targets that its truth holds.

    Args:
        cases: rows as in cases.csv.

    Returns:
        One row a run and case: counts added up over the targets (so that tp + fn tells whether the truth holds any),
        every score the mean over the targets that the truth holds, NaN where it holds none; of the first target the
        size. What is known of the case stays. The table itself where there is one target.
    """
    if TARGET not in cases:
        return cases
    keys = [name for name in KEYS if name in cases]
    about = [name for name in cases if not _is_score(cases, name) and name not in (*keys, *COUNTS, TARGET)]
    scores = [name for name in cases if _is_score(cases, name)]
    held = cases.assign(**{name: cases[name].where(holds_lesion(cases)) for name in scores})
    grouped = held.groupby(keys, sort=False, dropna=False)
    found = [grouped[about].first(), grouped[[name for name in COUNTS if name in cases]].sum(), grouped[scores].mean()]
    return found[0].join(found[1:]).reset_index()[[name for name in cases if name != TARGET]]


def recorded_scores(cases: "pd.DataFrame") -> dict[str, Any]:
    """What run.json says of the scores of a test: the mean primary Dice and, of several targets, that of each.

    Args:
        cases: rows of one run, as in cases.csv.

    Returns:
        test_dice; with several targets also test_dice_of_targets. None where no case has a Dice.
    """
    defined = (rows["dice"].dropna().to_numpy() for rows in (over_targets(cases), *each_target(cases).values()))
    score, *each = (float(dice.mean()) if dice.size else None for dice in defined)
    of_targets = dict(zip(each_target(cases), each, strict=True))
    return {"test_dice": score} | ({"test_dice_of_targets": of_targets} if TARGET in cases else {})


def _is_score(cases: "pd.DataFrame", name: str) -> bool:
    known = (*KEYS, *COUNTS, *SIZES, "slices", "empty_slices")
    return name not in known and cases[name].dtype.kind in "if"


def compare_targets(cases: "pd.DataFrame", margin: float, seed: int = 0) -> "pd.DataFrame":
    """Compare every pair of models in the Dice of each target, corrected over the pairs of all targets together.

    Args:
        cases: rows as in cases.csv; neither baseline nor ensembles are compared.
        margin: as for `compare_pairs`.
        seed: as for `compare_pairs`.

    Returns:
        Column target, then those of `compare_pairs`; no row where there is one target, nor of one that no case holds.
    """
    held = {target: rows for target, rows in each_target(cases).items() if target and holds_lesion(rows).any()}
    parts = {}
    for target, rows in held.items():
        trained = trainings(rows, "dice", holds_lesion(rows))
        matrix = score_matrix(rows)
        models = matrix[[name for name in matrix if trained.loc[name, "kind"] == TRAINED]]
        tests = len(models.columns) * (len(models.columns) - 1) // 2 * len(held)
        parts[target] = compare_pairs(models, margin, seed, trained, tests=tests)
    return corrected_together(parts)


def sum_up_without_lesion(cases: "pd.DataFrame") -> "pd.DataFrame":
    """Sum up the cases without a lesion, as `without_lesion_table`; of several targets, those without each.

    Returns:
        With several targets also which, in a first column; no row of one that every case has.
    """
    import pandas as pd

    tables = {target: without_lesion_table(scores_without_lesion(rows)) for target, rows in each_target(cases).items()}
    if TARGET not in cases:
        return tables[""]
    return pd.concat(tables, names=[TARGET]).reset_index(TARGET).reset_index(drop=True)


def compare_without_lesion(cases: "pd.DataFrame", seed: int = 0) -> "pd.DataFrame":
    """Compare every pair on the cases without a lesion, as `pairs_without_lesion`; of several targets, without each.

    Args:
        cases: rows as in cases.csv.
        seed: seed of the bootstrap.

    Returns:
        With several targets also which, in a first column, corrected over all of them together.
    """
    import pandas as pd

    parts = {target: rows for target, rows in each_target(cases).items() if not holds_lesion(rows).all()}
    pairs = {
        target: pairs_without_lesion(scores_without_lesion(rows), seed, trainings_without_lesion(rows), len(parts))
        for target, rows in parts.items()
    }
    return corrected_together(pairs) if pairs else pd.DataFrame(columns=["score", *DESCRIBED])


def corrected_together(parts: "dict[str, pd.DataFrame]") -> "pd.DataFrame":
    """Put the pairs of every target into one table, corrected over all its tests.

    Args:
        parts: target -> its pairs, as `compare_pairs` or `pairs_without_lesion` gives them.

    Returns:
        Column target, then theirs; the table itself where there is one target.
    """
    import pandas as pd

    if list(parts) == [""]:
        return parts[""]
    tables = [table.assign(**{TARGET: target}) for target, table in parts.items() if len(table)]
    if not tables:
        return pd.DataFrame(columns=[TARGET, *PAIR_COLUMNS])
    found = judge(pd.concat(tables, ignore_index=True))
    found = equivalence.judge(found) if "tost_p" in found else found
    return found[[TARGET, *tables[0].columns.drop(TARGET)]]
