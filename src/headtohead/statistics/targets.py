"""Several targets: the primary score of a case is the mean over those that its truth holds; each also stands beside.

Who holds what is decided by the truth alone: a case without enhancing tumour has no Dice of it, whatever was predicted
there, so its mean is over the other targets, and `without_lesion` scores what was predicted.
"""

from typing import TYPE_CHECKING, Any

from headtohead.statistics.matrix import holds_lesion

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
    """What run.json says of a test, from its rows of cases.csv: the mean primary Dice and, of several targets, of each.

    None where no case has a Dice.
    """
    defined = (rows["dice"].dropna().to_numpy() for rows in (over_targets(cases), *each_target(cases).values()))
    score, *each = (float(dice.mean()) if dice.size else None for dice in defined)
    of_targets = dict(zip(each_target(cases), each, strict=True))
    return {"test_dice": score} | ({"test_dice_of_targets": of_targets} if TARGET in cases else {})


def _is_score(cases: "pd.DataFrame", name: str) -> bool:
    known = (*KEYS, *COUNTS, *SIZES, "slices", "empty_slices")
    return name not in known and cases[name].dtype.kind in "if"
