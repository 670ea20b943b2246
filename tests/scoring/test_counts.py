"""Scores from counts: what they are, where they are undefined, and what must not change them."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headtohead.scoring.counts import CaseCounts, count, dice, iou, mean_dice, precision, recall

counts = st.integers(0, 10**12)  # as many voxels as no cohort has


def test_scores_of_a_case_worked_by_hand() -> None:
    tp, fp, fn = 6, 2, 4
    assert dice(tp, fp, fn) == pytest.approx(12 / 18)
    assert iou(tp, fp, fn) == pytest.approx(6 / 12)
    assert precision(tp, fp) == pytest.approx(6 / 8)
    assert recall(tp, fn) == pytest.approx(6 / 10)


def test_both_empty_is_undefined_and_not_one() -> None:
    assert math.isnan(dice(0, 0, 0))
    assert math.isnan(iou(0, 0, 0))


def test_an_empty_prediction_of_a_lesion_is_exactly_zero() -> None:
    # Smoothing would make it a little more: 1 / (fn + 1).
    assert dice(0, 0, 7) == 0
    assert iou(0, 0, 7) == 0
    assert recall(0, 7) == 0
    assert math.isnan(precision(0, 0))


def test_a_false_alarm_on_a_healthy_case_is_exactly_zero() -> None:
    assert dice(0, 7, 0) == 0
    assert precision(0, 7) == 0
    assert math.isnan(recall(0, 0))


def test_scores_are_float64_and_keep_the_shape() -> None:
    tp = np.array([[1, 0], [3, 4]], dtype=np.int32)
    assert dice(tp, tp, tp).shape == (2, 2)
    assert dice(tp, tp, tp).dtype == np.float64


def test_counts_too_large_for_32_bits_do_not_wrap() -> None:
    assert dice(np.int32(2**30), np.int32(2**30), np.int32(0)) == pytest.approx(2 / 3)


@given(counts, counts, counts)
def test_iou_is_dice_over_two_minus_dice(tp: int, fp: int, fn: int) -> None:
    d = float(dice(tp, fp, fn))
    np.testing.assert_allclose(iou(tp, fp, fn), d / (2 - d), rtol=1e-12)


@given(st.integers(1, 10**6), counts, counts)
def test_dice_is_the_harmonic_mean_of_precision_and_recall(tp: int, fp: int, fn: int) -> None:
    p, r = float(precision(tp, fp)), float(recall(tp, fn))
    assert float(dice(tp, fp, fn)) == pytest.approx(2 * p * r / (p + r))


@given(st.integers(0, 2**32 - 1))
def test_count_agrees_with_the_definition_on_sets(seed: int) -> None:
    rng = np.random.default_rng(seed)
    prediction, truth = rng.random((2, 3, 5, 4)) < rng.random()
    predicted = {tuple(voxel) for voxel in np.argwhere(prediction)}
    true = {tuple(voxel) for voxel in np.argwhere(truth)}
    assert count(prediction, truth) == (len(predicted & true), len(predicted - true), len(true - predicted))


def test_count_refuses_masks_of_0_and_255() -> None:
    with pytest.raises(ValueError, match="bool"):
        count(np.full((2, 2), 255, np.uint8), np.ones((2, 2), bool))


def test_count_refuses_shapes_that_would_broadcast() -> None:
    with pytest.raises(ValueError, match="shape"):
        count(np.ones((1, 2), bool), np.ones((2, 2), bool))


def test_mean_divides_by_the_number_of_cases() -> None:
    # Divided by N - 1, thirteen scores of .84 would come out as .91.
    assert mean_dice([0.84] * 13) == pytest.approx(0.84)


def test_mean_leaves_undefined_cases_out() -> None:
    assert mean_dice([0.5, math.nan, 0.7]) == pytest.approx(0.6)
    assert math.isnan(mean_dice([math.nan]))
    assert math.isnan(mean_dice([]))


def slice_counts(seed: int = 0, cases: int = 4, slices: int = 50) -> tuple[np.ndarray, np.ndarray]:
    """Made-up slices: whose they are [N], and their tp, fp, fn [3, N]; many are empty."""
    rng = np.random.default_rng(seed)
    return rng.integers(0, cases, slices), rng.integers(0, 300, (3, slices)) * (rng.random((3, slices)) < 0.4)


def add_in_batches(case: np.ndarray, numbers: np.ndarray, size: int) -> CaseCounts:
    found = CaseCounts(4)
    for start in range(0, len(case), size):
        found.add(case[start : start + size], *numbers[:, start : start + size])
    return found


@given(seed=st.integers(0, 1000), size=st.integers(1, 60))
def test_batch_size_changes_no_score(seed: int, size: int) -> None:
    case, numbers = slice_counts(seed)
    np.testing.assert_array_equal(add_in_batches(case, numbers, size).dice(), add_in_batches(case, numbers, 50).dice())


@given(seed=st.integers(0, 1000))
def test_slice_order_changes_no_score(seed: int) -> None:
    case, numbers = slice_counts(seed)
    order = np.random.default_rng(seed + 1).permutation(len(case))
    shuffled = add_in_batches(case[order], numbers[:, order], 7)
    np.testing.assert_array_equal(shuffled.counts, add_in_batches(case, numbers, 7).counts)


def test_mean_is_over_cases_and_not_over_pooled_voxels() -> None:
    found = CaseCounts(2)
    found.add([0, 1], tp=[1_000_000, 0], fp=[0, 0], fn=[0, 10])
    pooled = float(dice(1_000_000, 0, 10))
    assert pooled > 0.99
    assert found.mean_dice() == pytest.approx(0.5)


def test_empty_slices_do_not_lift_a_case() -> None:
    few, many = CaseCounts(1), CaseCounts(1)
    few.add([0], 10, 20, 20)
    many.add([0], 10, 20, 20)
    many.add(np.zeros(99, int), 0, 0, 0)
    assert many.mean_dice() == few.mean_dice() == pytest.approx(20 / 60)


def test_a_case_without_lesion_has_no_vote_whatever_is_predicted() -> None:
    """Else silence would be no vote and a false alarm a vote of 0: the prediction would choose the votes."""
    for false in (0, 50):
        found = CaseCounts(2)
        found.add([0, 1], tp=[1, 0], fp=[1, false], fn=[1, 0])
        assert found.mean_dice() == pytest.approx(0.5)


def test_an_empty_case_is_not_counted_as_one() -> None:
    found = CaseCounts(2)
    found.add([0, 1], tp=[1, 0], fp=[1, 0], fn=[1, 0])
    assert found.mean_dice() == pytest.approx(0.5)
    assert math.isnan(found.dice()[1])
