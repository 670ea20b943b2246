"""The matrix of scores: seeds within a case first, the same cases for everyone."""

import math

import pandas as pd
import pytest

from headtohead.errors import UserError
from headtohead.statistics.matrix import complete, entrants, score_matrix

NAN = math.nan


def long_form(rows: list[tuple[str, str, float | None, str, float]], lesion: int = 10) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["model", "schedule", "seed", "case", "dice"]).assign(tp=0, fp=0, fn=lesion)


def test_entrant_is_model_and_schedule_and_the_baseline_its_own_name() -> None:
    cases = long_form([("unet", "cosine", 0, "a", 1.0), ("flair-threshold", "-", None, "a", 1.0)])
    assert entrants(cases).tolist() == ["unet cosine", "flair-threshold"]


def test_seeds_are_averaged_within_a_case() -> None:
    cases = long_form(
        [
            *(("unet", "none", seed, "b", score) for seed, score in enumerate((0.2, 0.4, 0.9))),
            *(("unet", "none", seed, "a", score) for seed, score in enumerate((0.5, 0.7, 0.9))),
        ]
    )
    matrix = score_matrix(cases)
    assert matrix.index.tolist() == ["a", "b"]
    assert matrix["unet none"].tolist() == pytest.approx([0.7, 0.5])


def test_who_is_in_the_matrix_depends_on_the_truth_alone() -> None:
    rows = [("silent", "none", 0, "healthy", NAN), ("silent", "none", 0, "ill", 0.5)]
    rows += [("alarmer", "none", 0, "healthy", 0.0), ("alarmer", "none", 0, "ill", 0.5)]
    cases = long_form(rows)
    cases.loc[cases["case"] == "healthy", "fn"] = 0
    cases.loc[(cases["case"] == "healthy") & (cases["model"] == "alarmer"), "fp"] = 50
    assert score_matrix(cases).index.tolist() == ["ill"]


def test_a_seed_without_a_score_is_not_passed_over() -> None:
    """A mean of the seeds that happen to be defined would let a prediction choose its own seeds."""
    rows = [("unet", "none", seed, "a", score) for seed, score in ((0, NAN), (1, 1.0))]
    matrix = score_matrix(long_form(rows))
    assert math.isnan(matrix.loc["a", "unet none"])
    with pytest.raises(UserError, match="unet none has no score on a, which holds a lesion; run `test` again"):
        complete(matrix)


def test_a_cohort_without_any_lesion_keeps_its_entrants() -> None:
    rows = [(model, "none", 0, case, NAN) for model in ("unet", "buda") for case in "ab"]
    matrix = score_matrix(long_form(rows, lesion=0))
    assert matrix.shape == (0, 2) and matrix.columns.tolist() == ["unet none", "buda none"]


def test_columns_keep_their_order_and_the_baseline_comes_last() -> None:
    rows = [("flair-threshold", "-", None, "a", 0.1), ("unet", "none", 0, "a", 0.2), ("buda", "none", 0, "a", 0.3)]
    assert score_matrix(long_form(rows)).columns.tolist() == ["unet none", "buda none", "flair-threshold"]


def test_columns_of_the_ledger_s_types_are_read() -> None:
    cases = long_form([("unet", "none", 0, "a", 0.2), ("flair-threshold", "-", None, "a", 0.4)])
    cases = cases.astype({"seed": "Int64", "dice": "Float64"})
    assert score_matrix(cases).loc["a"].tolist() == [0.2, 0.4]


def test_another_score_can_be_asked_for() -> None:
    cases = long_form([("unet", "none", 0, "a", 0.2)]).assign(hd95_px=7)
    assert score_matrix(cases, "hd95_px").loc["a", "unet none"] == 7
    with pytest.raises(UserError, match="no column hd95_mm"):
        score_matrix(cases, "hd95_mm")


def test_entrants_scored_on_other_cases_are_refused_by_name() -> None:
    rows = [("unet", "none", 0, case, 0.5) for case in "abc"] + [("buda", "none", 0, "a", 0.5)]
    with pytest.raises(UserError, match=r"^buda none was not scored on b \(missing cases: 2 of 3\), but unet none was"):
        score_matrix(long_form(rows))
