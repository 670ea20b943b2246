"""Entropy by hand, at its ends and in between."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headtohead.predicting.trust.uncertainty import entropy

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
