"""What model.json must hold to be believed: all that prediction will look into, before anything is written."""

from typing import Any

import numpy as np

from headtohead.records.shape import Check, either, listing, mapping, nothing, number, one_of, text, undefined, whole
from headtohead.runs.record import DATA
from headtohead.task import Task

MEASURED = 1
"""The version of `familiar` that is looked into (`predicting.trust.familiarity.VERSION`); others are ignored."""

LEVELS = 4  # numbers that `predicting.trust.familiarity` gives of each sequence, and one of each pair of them
LONGEST = 1000
"""Characters of a name or a clean-up."""

RANGE = listing(number(), 2, 2)

SCORES = mapping(
    dict.fromkeys(("n", "cross_validated_n"), either(undefined, whole(0))), others=either(undefined, number())
)
TRAINING_DATA = mapping(DATA | {"parts": either(nothing, mapping(others=either(nothing, listing(text))))})


def wrong_in_familiar(familiar: dict[str, Any], task: Task) -> str | None:
    """Name the first fault in what the training cases looked like; None where there is none."""
    if familiar.get("version") != MEASURED:
        return None
    looks = mapping(
        {"head": RANGE, "texture": RANGE, "grey": _profile(task)},
        needed=("head", "texture", "grey"),
    )
    check = mapping(
        {
            "version": one_of(MEASURED),
            "cases": whole(0),
            "sequences": lambda value: None if value == list(task.sequences) else "",
            "slices": RANGE,
            "volume": looks,
            "slice": looks,
        },
        needed=("sequences", "slices", "volume", "slice"),
    )
    return check(familiar)


def _profile(task: Task) -> Check:
    count = len(task.sequences)
    numbers = LEVELS * count + count * (count - 1) // 2
    shape = mapping(
        {
            "centre": listing(number(), numbers, numbers),
            "scale": listing(number(1e-6), numbers, numbers),
            "correlation": listing(text, numbers, numbers),
        },
        needed=("centre", "scale", "correlation"),
    )

    def check(value: Any) -> str | None:
        if value is None:  # too few cases
            return None
        fault = shape(value)
        return ("" if _is_correlation(value["correlation"]) else "correlation") or None if fault is None else fault

    return check


def _is_correlation(rows: list[str]) -> bool:
    try:
        matrix = np.array([row.split() for row in rows], np.float64)
        np.linalg.cholesky(matrix)
    except (ValueError, np.linalg.LinAlgError):
        return False
    return bool(np.isfinite(matrix).all() and np.allclose(matrix, matrix.T))
