"""One score of every entrant on every case, side by side: what all comparisons start from."""

from typing import TYPE_CHECKING

from headtohead.errors import UserError
from headtohead.runs.run import BASELINE

if TYPE_CHECKING:
    import pandas as pd


def entrant_name(model: str, schedule: str) -> str:
    """Name a model under a schedule: `unet cosine`; the baseline, which has no schedule, by its own name."""
    return BASELINE if model == BASELINE else f"{model} {schedule}"


def entrants(cases: "pd.DataFrame") -> "pd.Series":
    """Name the entrant of each row: `unet cosine` for a model under a schedule, the baseline by its own name.

    Args:
        cases: columns model and schedule.

    Returns:
        The names, on the index of `cases`.
    """
    import pandas as pd

    names = [entrant_name(*pair) for pair in zip(cases["model"], cases["schedule"], strict=True)]
    return pd.Series(names, index=cases.index, name="entrant", dtype=str)


def score_matrix(cases: "pd.DataFrame", score: str = "dice") -> "pd.DataFrame":
    """Put the scores of all entrants on the same cases side by side, seeds averaged within each case first.

    Seeds are repeats of one patient, not more patients: counted as cases of their own they would make every interval
    too narrow. The average of a case is over the seeds whose score is defined, so that a seed which predicted nothing
    where there was nothing (undefined) does not wipe out one that did (0); it is undefined only if every seed's is.

    Args:
        cases: one row per run and test case, as in the comparison's cases.csv; columns model, schedule, case and the
            score. A case that several runs of one entrant scored (seeds, or folds of a split by slice) is averaged.
        score: name of the column.

    Returns:
        float64 [cases, entrants], NaN where undefined; the index (`case`) ascends, the columns (`entrant`) stand in
        the order in which `cases` first names them, the baseline last.

    Raises:
        UserError: if the column is missing, or an entrant was not scored on a case that another was scored on.
    """
    if score not in cases:
        raise UserError(f"cases.csv has no column {score}; test the runs again to have it")
    named = cases.assign(entrant=entrants(cases))
    # A row that is not there and a score that is undefined would both be NaN in the matrix; only the second may be.
    _refuse_gaps(named.pivot_table(index="case", columns="entrant", values="model", aggfunc="size").notna())
    order = sorted(named["entrant"].unique(), key=lambda name: name == BASELINE)
    means = named.astype({score: float}).pivot_table(index="case", columns="entrant", values=score, dropna=False)
    return means[order]


def _refuse_gaps(scored: "pd.DataFrame") -> None:
    for entrant in scored:
        gaps = scored.index[~scored[entrant]]
        if len(gaps):
            other = scored.columns[scored.loc[gaps[0]]][0]
            raise UserError(
                f"{entrant} was not scored on {gaps[0]} ({len(gaps)} of {len(scored)} cases are missing), {other} was: "
                "entrants are compared on the same cases; finish its folds or leave it out"
            )
