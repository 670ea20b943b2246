"""Confidence intervals of a mean and of a median."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.weightstats import DescrStatsW

from headtohead.statistics import intervals
from headtohead.statistics.intervals import RESAMPLES, mean_interval, mean_intervals, median_interval
from tests.matrices import thinned


def dice_like(rng: np.random.Generator, size: tuple[int, int]) -> np.ndarray:
    """Most cases well above .8, one in ten a failure: the shape that real Dice per case has."""
    return np.where(rng.random(size) < 0.1, rng.beta(1, 3, size), rng.beta(20, 3, size))


DICE_LIKE_MEAN = 0.9 * 20 / 23 + 0.1 * 1 / 4


def test_close_to_the_textbook_interval_where_that_is_right() -> None:
    values = np.random.default_rng(0).normal(0.5, 0.1, 400)
    found = mean_interval(values)
    half = 1.96 * values.std(ddof=1) / math.sqrt(len(values))
    assert found.mean == pytest.approx(values.mean())
    assert (found.low, found.high) == pytest.approx((values.mean() - half, values.mean() + half), abs=0.0015)


def test_skewed_values_get_the_longer_arm_on_the_side_of_the_tail() -> None:
    found = mean_interval([0.05, 0.5, 0.8, 0.82, 0.85, 0.86, 0.87, 0.88, 0.9, 0.9, 0.91])
    assert found.mean - found.low > 1.3 * (found.high - found.mean)


@pytest.mark.parametrize("shape", thinned(["flat", "Dice", "difference"], ["Dice"]))
def test_holds_the_true_mean_as_often_as_it_says(shape: str) -> None:
    rng = np.random.default_rng(1)
    size = (110, 1000)
    values, true = {
        "flat": (rng.random(size), 0.5),
        "Dice": (dice_like(rng, size), DICE_LIKE_MEAN),
        "difference": (dice_like(rng, size) - dice_like(rng, size), 0.0),
    }[shape]
    assert 0.93 <= np.mean([found.low <= true <= found.high for found in mean_intervals(values)]) <= 0.97


def test_eleven_cases_hold_too_little_as_the_docstring_says() -> None:
    values = dice_like(np.random.default_rng(1), (11, 600))
    held = np.mean([found.low <= DICE_LIKE_MEAN <= found.high for found in mean_intervals(values)])
    assert held == pytest.approx(0.72, abs=0.04)


def test_agrees_with_a_bca_interval_written_out_and_with_other_libraries() -> None:
    values = dice_like(np.random.default_rng(4), (60, 1))[:, 0]
    found = mean_interval(values)
    rng = np.random.default_rng(99)
    drawn = np.array([rng.choice(values, values.size).mean() for _ in range(20_000)])
    left_out = np.array([np.delete(values, place).mean() for place in range(values.size)])
    away = left_out.mean() - left_out
    acceleration = np.sum(away**3) / (6 * np.sum(away**2) ** 1.5)
    bias = stats.norm.ppf(np.mean(drawn < values.mean()))
    z = bias + stats.norm.ppf([0.025, 0.975])
    expected = np.quantile(drawn, stats.norm.cdf(bias + z / (1 - acceleration * z)))
    noise = 4 * values.std() / math.sqrt(values.size) * 0.027 * math.sqrt(1 + RESAMPLES / 20_000)
    assert (found.low, found.high) == pytest.approx(tuple(expected), abs=noise)
    # A symmetric interval has about the same width, and lies higher: it ignores the tail.
    low, high = DescrStatsW(values).tconfint_mean()
    assert found.high - found.low == pytest.approx(high - low, rel=0.1)
    assert found.low < low and found.high < high


def test_columns_are_given_what_each_alone_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    columns = np.random.default_rng(0).random((12, 4))
    columns[3, 1] = columns[7, 2] = math.nan
    columns[:, 3] = 0.5
    alone = [mean_interval(column) for column in columns.T]
    monkeypatch.setattr(intervals, "AT_ONCE", 1000)  # a batch of another size draws the same
    for one, other in zip(mean_intervals(columns), alone, strict=True):
        assert (one.n, one.undefined) == (other.n, other.undefined)
        assert (one.mean, one.low, one.high) == pytest.approx((other.mean, other.low, other.high), abs=1e-12)


def test_another_seed_gives_another_interval() -> None:
    values = np.random.default_rng(0).random(20)
    assert mean_interval(values, seed=1) != mean_interval(values, seed=0) == mean_interval(values)


def test_undefined_values_are_left_out_and_counted() -> None:
    found = mean_interval([0.2, math.nan, 0.4, 0.6, math.nan])
    assert (found.n, found.undefined) == (3, 2)
    assert found == mean_interval([0.2, 0.4, 0.6, math.nan, math.nan])


@pytest.mark.parametrize("values", [[], [0.5], [0.4, 0.6], [math.nan, 0.4, 0.6]])
def test_below_three_values_there_is_no_interval(values: list[float]) -> None:
    found = mean_interval(values)
    assert math.isnan(found.low)
    assert math.isnan(found.high)
    assert found.mean == pytest.approx(0.5) if values else math.isnan(found.mean)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("values", [[0.8] * 3, [0.1] * 11, [0.5, 0.5 + 1e-16, 0.5]])
def test_equal_values_have_an_interval_of_no_width(values: list[float]) -> None:
    found = mean_interval(values)
    assert found.low == found.mean == found.high


def test_same_values_in_any_order_give_the_same_interval() -> None:
    assert mean_interval([0.1, 0.9, 0.4, 0.7]) == mean_interval([0.7, 0.4, 0.9, 0.1])


@settings(max_examples=30)
@given(st.lists(st.integers(0, 100).map(lambda percent: percent / 100), min_size=3, max_size=12))
def test_interval_holds_the_mean_and_stays_within_the_values(values: list[float]) -> None:
    found = mean_interval(values)
    assert min(values) - 1e-12 <= found.low <= found.mean + 1e-12
    assert found.mean - 1e-12 <= found.high <= max(values) + 1e-12


def coverage(n: int) -> float:
    """How often the median lies between the values that enclose it in the interval of n."""
    first = median_interval(np.arange(1, n + 1)).low
    return float(1 - 2 * stats.binom.cdf(first - 1, n, 0.5))


def test_median_interval_lies_between_the_ranks_of_the_textbook() -> None:
    # Conover's table of the binomial: of 110 tosses, fewer than 45 heads come up 2.2 % of the time.
    found = median_interval(np.random.default_rng(0).permutation(np.arange(1, 111)))
    assert (found.median, found.low, found.high, found.n) == (55.5, 45, 66, 110)
    assert coverage(110) == pytest.approx(0.9550, abs=5e-4)


@pytest.mark.parametrize("n", [11, *(pytest.param(n, marks=pytest.mark.exhaustive) for n in (6, 30, 111))])
def test_median_interval_holds_the_true_median_exactly_as_often_as_it_says(n: int) -> None:
    values = np.random.default_rng(n).exponential(size=(4000, n))
    held = np.mean([one.low <= math.log(2) <= one.high for one in map(median_interval, values)])
    assert held == pytest.approx(coverage(n), abs=0.012)


@pytest.mark.parametrize("n", [6, 8, 11, 30, 40, 110, 111])
def test_median_interval_is_the_tightest_that_suffices(n: int) -> None:
    found = median_interval(np.arange(1, n + 1))
    inner = stats.binom.cdf(found.low, n, 0.5)  # one rank further in on each side
    assert 1 - 2 * inner < 0.95 <= coverage(n)
    assert found.high == n + 1 - found.low


@pytest.mark.parametrize("n", range(6))
def test_fewer_than_six_values_have_a_median_but_no_interval(n: int) -> None:
    found = median_interval([*np.arange(n), math.nan])
    assert math.isnan(found.low) and math.isnan(found.high) and found.n == n
    assert found.median == (n - 1) / 2 if n else math.isnan(found.median)
