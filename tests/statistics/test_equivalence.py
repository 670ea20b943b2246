"""Equivalence: said only after two one-sided tests at the declared margin."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from headtohead.statistics.paired import describe_differences, equivalence
from headtohead.statistics.questions import compare_pairs, judge
from headtohead.statistics.verdict import verdict


def judged(differences: np.ndarray, margin: float) -> pd.DataFrame:
    """Both tests of each column, corrected over all columns."""
    return judge(pd.concat([describe_differences(differences), equivalence(differences, margin)], axis=1))


def test_p_is_that_of_two_one_sided_t_tests_written_out() -> None:
    differences = np.random.default_rng(0).normal(0.004, 0.04, (60, 1))
    found = judged(differences, margin=0.02).iloc[0]
    error = differences.std(ddof=1) / math.sqrt(60)
    lower = stats.t.sf((differences.mean() + 0.02) / error, 59)
    upper = stats.t.cdf((differences.mean() - 0.02) / error, 59)
    assert found["tost_p"] == pytest.approx(max(lower, upper))
    assert found["margin"] == 0.02 and found["equivalent"]
    assert -0.02 < found["low_90"] < differences.mean() < found["high_90"] < 0.02


def test_both_the_tests_and_the_interval_must_agree() -> None:
    """A few large losses: the skewed interval reaches further down than the t test believes."""
    differences = np.concatenate([np.full(57, 0.004), [-0.15, -0.12, 0.004 + 1e-6]])[:, None]
    found = judged(differences, margin=0.008).iloc[0]
    assert found["tost_holm_p"] < 0.05 and found["low_90"] < -0.008
    assert not found["equivalent"]


def test_it_is_corrected_over_all_pairs() -> None:
    differences = np.random.default_rng(1).normal(0, 0.05, (40, 3))
    found = judged(differences, margin=0.02)
    assert found["tost_holm_p"].min() == pytest.approx(3 * found["tost_p"].min())


def test_few_and_constant_differences_say_nothing() -> None:
    assert not judged(np.zeros((30, 1)), 0.02)["equivalent"].any()
    assert judged(np.array([[0.001], [0.002]]), 0.02)["tost_p"].isna().all()


@pytest.mark.exhaustive
def test_a_true_difference_of_the_margin_is_called_equivalent_one_time_in_twenty_at_most() -> None:
    found = judged(np.random.default_rng(2).normal(0.02, 0.05, (60, 400)), 0.02)
    called = (found["tost_p"] < 0.05) & (found["low_90"] > -0.02) & (found["high_90"] < 0.02)
    assert called.mean() <= 0.07  # 5 %, and 1.8 standard errors of 400 simulations


def made(spread: float, shift: float = 0.0, cases: int = 60) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    hard = rng.uniform(0.4, 0.8, cases)
    return pd.DataFrame({"a": hard, "b": hard + shift + rng.normal(0, spread, cases)})


def test_words_for_equivalent_different_both_and_neither() -> None:
    def said(matrix: pd.DataFrame) -> str:
        return verdict(matrix, compare_pairs(matrix, margin=0.02))

    alike = said(made(0.03))
    assert alike.startswith("Equivalent in mean Dice within 0.02: ")
    assert "two one-sided tests p < 0.001" in alike and "90 % interval" in alike and "No evidence" not in alike
    neither = said(made(0.2))
    assert neither.startswith("No evidence of a difference") and "not shown to be equivalent within 0.02" in neither
    both = said(made(0.005, 0.01))
    assert both.startswith("b scores higher than a") and "a and b, a difference too small to matter" in both
    assert "quivalent" not in said(made(0.02, 0.1))
    narrow = verdict(made(0.03), compare_pairs(made(0.03), margin=0.002))
    assert narrow.startswith("No evidence of a difference")
