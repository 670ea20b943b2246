"""Confidence intervals of a mean."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headtohead.statistics.intervals import mean_interval


def test_close_to_the_textbook_interval_where_that_is_right() -> None:
    values = np.random.default_rng(0).normal(0.5, 0.1, 400)
    found = mean_interval(values)
    half = 1.96 * values.std(ddof=1) / math.sqrt(len(values))
    assert found.mean == pytest.approx(values.mean())
    assert (found.low, found.high) == pytest.approx((values.mean() - half, values.mean() + half), abs=0.0015)


def test_skewed_values_get_the_longer_arm_on_the_side_of_the_tail() -> None:
    found = mean_interval([0.05, 0.5, 0.8, 0.82, 0.85, 0.86, 0.87, 0.88, 0.9, 0.9, 0.91])
    assert found.mean - found.low > 1.3 * (found.high - found.mean)


def test_holds_the_true_mean_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(1)
    held = [found.low <= 0.5 <= found.high for found in (mean_interval(rng.random(30)) for _ in range(200))]
    assert 0.90 <= np.mean(held) <= 0.99


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


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 100).map(lambda percent: percent / 100), min_size=3, max_size=12))
def test_interval_holds_the_mean_and_stays_within_the_values(values: list[float]) -> None:
    found = mean_interval(values)
    assert min(values) - 1e-12 <= found.low <= found.mean + 1e-12
    assert found.mean - 1e-12 <= found.high <= max(values) + 1e-12
