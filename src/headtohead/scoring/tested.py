"""The rows that a test leaves of one case and each target: of cases.csv, and one a slice of slices.csv."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from headtohead.cohort import Cohort
from headtohead.readers.tasks import grade_of
from headtohead.scoring.case import score_case
from headtohead.scoring.conventions import slice_counts

if TYPE_CHECKING:
    import pandas as pd


def truth_of(cohort: Cohort, case: int, places: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Read the truth of a case's test slices: bool [K, test slices, H, W]."""
    return cohort.task.targets.encode(cohort.labels(case)[places])


def score_tested(
    cohort: Cohort,
    case: int,
    places: NDArray[np.int64],
    prediction: NDArray[np.bool_],
    truth: NDArray[np.bool_],
) -> "tuple[list[dict[str, Any]], pd.DataFrame]":
    """Score what was predicted of one case, and say what is known of the patient.

    Args:
        cohort: the data.
        case: its index in the cohort.
        places: the test slices, from 0 within the case; of a whole case, all of them.
        prediction: bool [K, test slices, H, W].
        truth: the same shape, as `truth_of` gives it.

    Returns:
        The rows of cases.csv, one a target: case, target (where there are several), patient, site, grade, missing, then
        the columns of `score_case`; and the rows of slices.csv, target by target as `slice_counts` gives them, slices
        counted from 1.
    """
    import pandas as pd

    about, names = cohort.table.iloc[case], cohort.task.targets.names
    name, whole = str(about["case"]), len(places) == about["slices"]
    facts = {
        "patient": about.get("patient", name),
        "site": about["site"],
        "grade": grade_of(about),
        "missing": about.get("missing", ""),
    }
    rows, slices = [], []
    for target, predicted, true in zip(names, prediction, truth, strict=True):
        which = {"case": name} | ({"target": target} if len(names) > 1 else {})
        rows.append(which | facts | score_case(predicted, true, cohort.spacing(case), whole=whole))
        counts = slice_counts(predicted, true, name, whole=whole).assign(slice=places + 1)
        if len(names) > 1:
            counts.insert(1, "target", target)
        slices.append(counts)
    return rows, pd.concat(slices)
