"""Decimals that another seed of the bootstrap does not move."""

import math

import numpy as np
import pytest

from headtohead.statistics.decimals import carried, p_value, with_decimals
from headtohead.statistics.intervals import mean_interval


@pytest.mark.parametrize(("n", "decimals"), [(110, 3), (11, 2)])
def test_another_seed_moves_the_last_printed_digit_by_one_at_most(n: int, decimals: int) -> None:
    values = np.random.default_rng(0).beta(6, 1.5, n)
    lows = np.array([mean_interval(values, seed=seed).low for seed in range(20)])
    first = mean_interval(values)
    assert carried(first.low, first.high) == decimals
    moved = np.abs(lows - lows.mean())
    assert np.mean(moved <= 10.0**-decimals) >= 0.95
    assert moved.max() > 10.0 ** -(decimals + 2), "two digits more would be noise"


def test_wider_intervals_carry_fewer_decimals() -> None:
    assert [carried(0, width) for width in (0.01, 0.073, 0.074, 1, 5, 50, 5000)] == [3, 3, 2, 2, 1, 0, 0]
    assert carried(math.nan, math.nan) == carried(0.5, 0.5) == 3


def test_numbers() -> None:
    assert with_decimals(0.8234, 0.79, 0.85) == "0.823"
    assert with_decimals(0.8234, 0.7, 0.9) == "0.82"
    assert with_decimals(0.8234) == "0.823"
    assert with_decimals(0.0003, 0.0003, 0.02) == "0.0003", "an end that is not zero does not read as zero"
    assert with_decimals(0.0, 0.0, 0.02) == "0.000"


def test_p_values_are_not_rounded_onto_the_level() -> None:
    assert [p_value(p) for p in (0.0004, 0.0312, 0.213, 0.9999, 1.0)] == ["< 0.001", "0.031", "0.21", "1.00", "1.00"]
    assert p_value(0.0496) == "0.0496" and p_value(0.05004) == "0.05004" and p_value(0.05) == "0.050"
