"""One score of every entrant on every case with a lesion, side by side: what all comparisons start from."""

from typing import TYPE_CHECKING

from headtohead.errors import UserError
from headtohead.options.comparison import is_baseline, is_given

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray


def entrant_name(model: str, schedule: str) -> str:
    """Name a model under a schedule: `unet cosine`; by its own name what has none, the baseline and masks as given."""
    return model if is_baseline(model) or is_given(model, schedule) else f"{model} {schedule}"


def entrants(cases: "pd.DataFrame") -> "pd.Series":
    """Name the entrant of each row, from its columns model and schedule, as `entrant_name` does."""
    import pandas as pd

    names = [entrant_name(*pair) for pair in zip(cases["model"], cases["schedule"], strict=True)]
    return pd.Series(names, index=cases.index, name="entrant", dtype=str)


def holds_lesion(cases: "pd.DataFrame") -> "pd.Series":
    """Say of each row, by tp and fn, whether its truth holds a lesion: this alone decides in which statistics it is.

    Where scores were computed elsewhere and there are no counts, it is by the Dice: their reader has made sure that it
    is undefined for every entrant or for none.
    """
    if "tp" not in cases:
        return cases["dice"].notna()
    return (cases["tp"] + cases["fn"]) > 0


def score_matrix(cases: "pd.DataFrame", score: str = "dice") -> "pd.DataFrame":
    """Put the scores of all entrants on the cases with a lesion side by side, seeds averaged within each case first.

    Seeds are repeats of one patient, not more patients: counted as cases of their own they would make every interval
    too narrow. Cases without a lesion are not in the matrix, whatever was predicted on them: `without_lesion` scores
    them. If a prediction could decide who is in a mean, an entrant that leaves healthy patients alone (Dice undefined,
    dropped) would lose against one that raises a false alarm on each (Dice 0 for that entrant alone).

    Args:
        cases: one row per run and test case, as in the comparison's cases.csv; columns model, schedule, case, tp, fn
            and the score. A case that several runs of one entrant scored (seeds) is averaged.
        score: name of the column.

    Returns:
        float64 [cases with a lesion, entrants]; the index (`case`) ascends, the columns (`entrant`) stand in the order
        in which `cases` first names them, the baseline last. NaN only where the score cannot be had whatever is
        predicted: surfaces and lesions of a case of which only some slices were scored.

    Raises:
        UserError: if the column is missing, or an entrant was not scored on a case that another was scored on.
    """
    if score not in cases:
        raise UserError(f"cases.csv has no column {score}; `test` scores the runs again")
    return case_matrix(cases[holds_lesion(cases)], score, list(dict.fromkeys(entrants(cases))))


def case_matrix(cases: "pd.DataFrame", score: str, names: list[str]) -> "pd.DataFrame":
    """Do as `score_matrix` with any rows; of the entrants, all given in order, one without rows has an empty column."""
    named = cases.assign(entrant=entrants(cases))
    ordered = sorted(names, key=is_baseline)
    # A row that is missing and a score that cannot be had would both be NaN in the matrix; only the second may be.
    _refuse_gaps(named.pivot_table(index="case", columns="entrant", values="model", aggfunc="size").notna())
    means = named.astype({score: "float64"}).groupby(["case", "entrant"])[score].mean(skipna=False)
    table = means.unstack("entrant")  # noqa: PD010  pivot_table would pass over what is NaN
    return table.reindex(columns=ordered).rename_axis(columns="entrant").astype("float64")


def complete(matrix: "pd.DataFrame") -> "NDArray[np.float64]":
    """Give the numbers of a matrix in which every entrant has a score on every case.

    Returns:
        float64 [cases, entrants].

    Raises:
        UserError: if one is undefined. To drop the case would let a prediction decide who is in a statistic.
    """
    scores = matrix.to_numpy(dtype="float64")
    for case, entrant in zip(*(scores != scores).nonzero(), strict=True):
        raise UserError(
            f"cases.csv: {matrix.columns[entrant]} has no score on {matrix.index[case]}, which holds a lesion; "
            "run `test` again, or delete the run"
        )
    return scores


def _refuse_gaps(scored: "pd.DataFrame") -> None:
    for entrant in scored:
        gaps = scored.index[~scored[entrant]]
        if len(gaps):
            other = scored.columns[scored.loc[gaps[0]]][0]
            raise UserError(
                f"{entrant} was not scored on {gaps[0]} (missing cases: {len(gaps)} of {len(scored)}), but {other} "
                "was; entrants are compared on the same cases; finish its folds or leave it out"
            )
