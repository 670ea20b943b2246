"""Entropy and variance by hand, at their ends, and without keeping the maps."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from headtohead.errors import UserError
from headtohead.predicting.predictor import Estimate
from headtohead.predicting.uncertainty import Spread, entropy, uncertainty_map

SHARES = st.floats(0, 1, width=32)


def test_entropy_by_hand() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        bits = entropy(np.array([0, 0.5, 1, 0.25, 1e-30], np.float32))
    assert bits.dtype == np.float32
    assert bits == pytest.approx([0, 1, 0, 0.811278, 0], abs=1e-6)


@given(SHARES, SHARES)
def test_entropy_is_symmetric_and_grows_towards_a_half(one: float, other: float) -> None:
    near, far = sorted((one, other), key=lambda share: abs(share - 0.5))
    values = entropy(np.array([near, far, 1 - far], np.float32))
    assert 0 <= values[1] <= values[0] + 1e-6 <= 1 + 1e-6
    assert values[1] == pytest.approx(values[2], abs=1e-5)


@given(st.integers(2, 5).flatmap(lambda n: arrays.arrays(np.float32, (n, 2, 3, 3), elements=SHARES)))
def test_spread_is_that_of_numpy(maps: np.ndarray) -> None:
    spread = Spread()
    for one in maps:
        spread.add(one)
    assert spread.variance is not None and spread.variance.dtype == spread.mean.dtype == np.float32
    assert np.allclose(spread.mean, maps.mean(axis=0, dtype=np.float64), atol=1e-6)
    assert np.allclose(spread.variance, maps.var(axis=0, dtype=np.float64), atol=1e-6)
    assert spread.variance.max() <= 0.25 + 1e-6


def test_one_map_has_a_mean_and_no_variance() -> None:
    spread, one = Spread(), np.full((1, 2, 2), 0.3, np.float32)
    spread.add(one)
    assert np.array_equal(spread.mean, one) and spread.variance is None


def test_the_map_that_is_asked_for() -> None:
    probability, variance = np.full((1, 2, 2), 0.5, np.float32), np.full((1, 2, 2), 0.1, np.float32)
    assert (uncertainty_map("entropy", Estimate(probability, variance)) == 1).all()
    assert uncertainty_map("variance", Estimate(probability, variance)) is variance
    with pytest.raises(UserError, match="--uncertainty variance: one model has none; add --ensemble"):
        uncertainty_map("variance", Estimate(probability, None))
