"""Histograms of probabilities: exact at every threshold they know, for sums over cases as well."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headtohead.scoring.counts import count
from headtohead.scoring.probabilities import BINS, counts_at_thresholds, probability_histogram


def case(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities, a third of them exactly on a threshold, and a truth."""
    rng = np.random.default_rng(seed)
    probability = rng.random((3, 8, 8)).astype(np.float32)
    exact = rng.random(probability.shape) < 0.3
    probability[exact] = np.round(probability[exact] * BINS) / BINS
    return probability, rng.random(probability.shape) < 0.3


@given(seed=st.integers(0, 2**32 - 1))
def test_counts_are_those_of_the_voxels_at_every_threshold(seed: int) -> None:
    probability, truth = case(seed)
    tp, fp, fn, tn = counts_at_thresholds(probability_histogram(probability, truth))
    for level in range(0, BINS, 17):
        assert (tp[level], fp[level], fn[level]) == count(probability >= level / BINS, truth)
    assert (tp + fp + fn + tn == truth.size).all()
    assert (tp[128], fp[128], fn[128]) == count(probability >= 0.5, truth)


def test_sums_over_cases_pool_their_voxels() -> None:
    cases = [case(seed) for seed in range(3)]
    total = np.sum([probability_histogram(*one) for one in cases], axis=0)
    pooled = probability_histogram(*(np.concatenate(part) for part in zip(*cases, strict=True)))
    assert (total == pooled).all()
    assert all((a == b).all() for a, b in zip(counts_at_thresholds(total), counts_at_thresholds(pooled), strict=True))


def test_rows_bins_and_type() -> None:
    probability = np.array([0, 0.5, 0.5 - 1e-7, 1, 255 / 256])
    found = probability_histogram(probability, np.array([False, True, True, True, False]))
    assert found.shape == (2, BINS) and found.dtype == np.uint32
    assert [tuple(map(int, entry)) for entry in np.argwhere(found)] == [(0, 0), (0, 255), (1, 127), (1, 128), (1, 255)]


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_a_half_is_at_the_threshold_in_every_precision(dtype: type) -> None:
    found = probability_histogram(np.array([0.5], dtype), np.array([True]))
    assert found[1, 128] == 1


@pytest.mark.parametrize("wrong", [1.5, -0.1, np.nan])
def test_what_is_no_probability_is_refused(wrong: float) -> None:
    with pytest.raises(ValueError, match=r"in \[0, 1\]"):
        probability_histogram(np.array([0.2, wrong]), np.array([True, False]))


def test_a_truth_of_another_shape_or_type_is_refused() -> None:
    with pytest.raises(ValueError, match="truth must be bool"):
        probability_histogram(np.zeros((2, 3)), np.zeros((2, 2), bool))
    with pytest.raises(ValueError, match="truth must be bool"):
        probability_histogram(np.zeros((2, 3)), np.zeros((2, 3), np.uint8))
