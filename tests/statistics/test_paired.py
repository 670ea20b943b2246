"""Pairs of entrants, against computations written out here and against simulation."""

import itertools
import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.stats.weightstats import DescrStatsW

from headtohead.errors import UserError
from headtohead.statistics.intervals import mean_interval
from headtohead.statistics.paired import describe_differences, rank_biserial, signed_rank_p
from headtohead.statistics.power import smallest_detectable
from headtohead.statistics.questions import COLUMNS, compare_pairs, holm, judge

NAN = math.nan


def matrix_of(**columns: object) -> pd.DataFrame:
    return pd.DataFrame(columns).rename_axis(index="case", columns="entrant")


def one_pair(differences: np.ndarray) -> pd.Series:
    return compare_pairs(matrix_of(a=differences, b=np.zeros(len(differences)))).iloc[0]


def test_one_row_a_pair_all_differences_first_minus_second() -> None:
    pairs = compare_pairs(matrix_of(x=[0.5, 0.6, 0.9], y=[0.4, 0.6, 0.7], z=[0.6, 0.9, 0.95]))
    assert pairs.columns.tolist() == COLUMNS
    assert pairs[["a", "b"]].to_numpy().tolist() == [["x", "y"], ["x", "z"], ["y", "z"]]
    assert pairs["mean_difference"].tolist() == pytest.approx([0.1, -0.15, -0.25])
    assert pairs["median_difference"].tolist() == pytest.approx([0.1, -0.1, -0.25])
    assert pairs[["wins", "ties", "losses"]].to_numpy().tolist() == [[2, 1, 0], [0, 0, 3], [0, 0, 3]]


def test_the_numbers_of_a_pair_are_those_written_out() -> None:
    rng = np.random.default_rng(3)
    a = rng.beta(6, 2, 110)
    b = np.clip(a - rng.normal(0.02, 0.05, 110), 0, 1)
    found, differences = compare_pairs(matrix_of(a=a, b=b)).iloc[0], a - b
    expected = mean_interval(differences)
    assert (found["mean_difference"], found["low"], found["high"]) == pytest.approx(
        (expected.mean, expected.low, expected.high), abs=1e-9
    )
    assert (found["low"], found["high"]) == pytest.approx(DescrStatsW(differences).tconfint_mean(), abs=0.001)
    assert found["median_difference"] == pytest.approx(np.median(differences))
    assert found["smallest_detectable"] == pytest.approx(smallest_detectable(110, differences.std(ddof=1)))
    # The normal approximation, by hand.
    ranks = stats.rankdata(np.abs(differences))
    won = ranks[differences > 0].sum()
    z = (won - 110 * 111 / 4) / math.sqrt(110 * 111 * 221 / 24)
    assert found["p"] == pytest.approx(2 * stats.norm.sf(abs(z)), rel=1e-6)
    assert found["rank_biserial"] == pytest.approx(2 * won / (110 * 111 / 2) - 1)
    assert found["holm_p"] == found["p"]


@pytest.mark.parametrize(
    "differences",
    [
        [0.1, -0.2, 0.3, 0.4, 0.5, -0.05, 0.6, 0.7],
        [0.1, 0.1, 0.3, -0.1, 0.5, 0.5, 0.6, 0.7],
        [0.0, 0.0, 0.3, 0.4, -0.1, 0.2, 0.6, 0.0, 0.6],
    ],
    ids=["plain", "ties", "zeros"],
)
def test_small_samples_are_tested_by_all_ways_to_deal_the_signs(differences: list[float]) -> None:
    values = np.array(differences)
    ranks = stats.rankdata(np.abs(values)) * (values != 0)  # Pratt: zeros are ranked, then left out of the sum
    observed = abs(np.sum(np.sign(values) * ranks))
    dealt = [abs(np.dot(signs, ranks)) for signs in itertools.product((-1, 1), repeat=len(values))]
    assert signed_rank_p(values) == pytest.approx(np.mean(np.array(dealt) >= observed - 1e-9))
    assert signed_rank_p(values) == pytest.approx(stats.wilcoxon(values, zero_method="pratt").pvalue)


def test_smaller_differences_are_never_surer_to_be_positive() -> None:
    # Pratt's own example: 0 dropped, p is .034; with .01 taken from every value, and so no zero, it is .021.
    values = np.array([0, 2, 3, 4, 6, 7, 8, 9, 11, 14, 15, 17, -18.0])
    dropped = [stats.wilcoxon(values + shift).pvalue for shift in (0.01, 0, -0.01)]
    ours = [signed_rank_p(values + shift) for shift in (0.01, 0, -0.01)]
    assert dropped != sorted(dropped)
    assert ours == sorted(ours)


def test_effect_size_runs_from_all_lost_to_all_won() -> None:
    won = np.array([0.1, 0.2, 0.05])
    assert rank_biserial(won) == 1
    assert rank_biserial(-won) == -1
    assert rank_biserial(np.array([0.1, -0.1, 0.0])) == 0
    assert rank_biserial(np.array([0.0, 0.0, 0.1])) == pytest.approx(3 / 6)
    assert math.isnan(rank_biserial(np.array([])))


def test_holm_is_the_step_down_written_out() -> None:
    p = np.array([0.04, 0.001, NAN, 0.03, 0.5])
    assert holm(p) == pytest.approx([0.09, 0.004, NAN, 0.09, 0.5], nan_ok=True)
    assert np.isnan(holm(np.array([NAN, NAN]))).all()


def test_holm_counts_all_pairs() -> None:
    rng = np.random.default_rng(0)
    scores = {name: rng.random(30) for name in "abcd"}
    pairs = compare_pairs(matrix_of(**scores))
    assert pairs["holm_p"].min() == pytest.approx(min(1, 6 * pairs["p"].min()))


def test_a_missing_score_is_refused_not_left_out() -> None:
    with pytest.raises(UserError, match="has no score on"):
        compare_pairs(matrix_of(x=[0.5, NAN, 0.9], y=[0.4, 0.6, 0.7]))


def test_where_less_is_better_the_smaller_number_wins() -> None:
    found = describe_differences(np.array([[1.0], [-2.0], [-3.0], [0.0]]), lower_is_better=True).iloc[0]
    assert (found["wins"], found["ties"], found["losses"]) == (2, 1, 1)
    assert found["mean_difference"] == -1 and found["rank_biserial"] > 0


def test_scores_equal_but_for_rounding_are_ties() -> None:
    found = one_pair(np.array([0.1 + 0.2 - 0.3, 0.0, 0.3 - 0.1 - 0.2] * 5))
    assert (found["wins"], found["ties"], found["losses"]) == (0, 15, 0)
    assert (found["p"], found["low"], found["high"], found["rank_biserial"]) == (1, 0, 0, 0)
    assert not found["different"]


def test_no_case_leaves_a_row_without_numbers() -> None:
    pairs = compare_pairs(matrix_of(x=np.array([]), y=np.array([])))
    assert pairs.loc[0, "n"] == 0
    assert pairs.loc[0, ["mean_difference", "p", "holm_p", "smallest_detectable", "tost_p"]].isna().all()
    assert not pairs.loc[0, "different"] and not pairs.loc[0, "equivalent"]


def test_one_entrant_makes_no_pair() -> None:
    assert compare_pairs(matrix_of(x=[0.5, 0.6])).columns.tolist() == COLUMNS
    assert compare_pairs(matrix_of(x=[0.5, 0.6])).empty


def test_a_clear_difference_is_called_one_either_way_round() -> None:
    rng = np.random.default_rng(0)
    better = rng.normal(0.05, 0.05, 50)
    assert one_pair(better)["different"]
    assert one_pair(-better)["different"]


def test_both_questions_must_agree() -> None:
    # Many small wins and a few great losses: the signed ranks see a winner, the mean does not.
    small_wins_great_losses = np.concatenate([np.linspace(0.01, 0.02, 60), [-0.4, -0.3, -0.5]])
    found = one_pair(small_wins_great_losses)
    assert found["holm_p"] < 0.05 and found["low"] < 0 < found["high"]
    assert not found["different"]
    # Here the mean sees one, and the ranks, at six cases and three pairs, cannot.
    wins = np.array([0.1, 0.11, 0.12, 0.13, 0.14, 0.15])
    pair = compare_pairs(matrix_of(a=wins, b=np.zeros(6), c=np.zeros(6))).iloc[0]
    assert pair["low"] > 0 and pair["holm_p"] > 0.05
    assert not pair["different"]


@pytest.mark.exhaustive
def test_without_a_difference_one_comparison_in_twenty_at_most_calls_any() -> None:
    rng = np.random.default_rng(5)
    # 300 comparisons of three entrants on 40 cases: what the cases share, their hardness, is gone in a difference.
    entrants = rng.normal(0, 0.05, (3, 40, 300))
    pairs = [entrants[a] - entrants[b] for a, b in itertools.combinations(range(3), 2)]
    described = describe_differences(np.concatenate(pairs, axis=1))
    called = [judge(described.iloc[comparison::300])["different"].any() for comparison in range(300)]
    assert np.mean(called) <= 0.07  # 5 %, and 1.6 standard errors of 300 simulations
    # One by one and uncorrected, far more would be called: the correction is what is tested here.
    alone = np.mean([(described["p"].iloc[comparison::300] < 0.05).any() for comparison in range(300)])
    assert alone > 0.08


@pytest.mark.exhaustive
def test_skewed_differences_of_mean_zero_are_not_called_different_though_the_ranks_say_so() -> None:
    described = describe_differences(np.random.default_rng(6).exponential(0.1, (60, 300)) - 0.1)
    called = pd.concat([judge(described.iloc[[row]]) for row in range(300)])
    assert np.mean(called["p"] < 0.05) > 0.1
    assert np.mean(called["different"]) <= 0.07


@pytest.mark.exhaustive
def test_a_difference_of_the_smallest_detectable_size_is_mostly_found() -> None:
    described = describe_differences(np.random.default_rng(7).normal(smallest_detectable(40, 0.05), 0.05, (40, 300)))
    called = pd.concat([judge(described.iloc[[row]]) for row in range(300)])
    assert 0.7 <= np.mean(called["different"]) <= 0.85
