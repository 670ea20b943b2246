"""Scores from counts: what they are, where they are undefined, and what must not change them."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headtohead.scoring.counts import (
    count,
    dice,
    iou,
    mean_dice,
    mean_over_targets,
    precision,
    recall,
    target_dice,
)

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


def test_mean_is_over_cases_and_not_over_pooled_voxels() -> None:
    assert float(dice(1_000_000, 0, 10)) > 0.99
    assert primary([[[1_000_000, 0, 0]], [[0, 0, 10]]]) == pytest.approx(0.5)


def primary(counts: list[list[list[int]]]) -> float:
    return mean_dice(mean_over_targets(target_dice(np.array(counts))))


@pytest.mark.parametrize("false", [0, 50])
def test_a_case_without_lesion_has_no_vote_whatever_is_predicted(false: int) -> None:
    """Else silence would be no vote and a false alarm a vote of 0: the prediction would choose the votes."""
    assert primary([[[1, 1, 1]], [[0, false, 0]]]) == pytest.approx(0.5)


@pytest.mark.parametrize("false", [0, 50])
def test_the_primary_score_is_the_mean_over_the_targets_that_the_truth_holds(false: int) -> None:
    counts = [[[1, 1, 1], [0, false, 0], [0, 0, 9]], [[2, 0, 0], [3, 1, 1], [4, 2, 2]], [[0, false, 0]] * 3]
    scores = target_dice(np.array(counts))
    np.testing.assert_allclose(scores[0], [0.5, math.nan, 0])
    np.testing.assert_allclose(mean_over_targets(scores), [0.25, (1 + 0.75 + 2 / 3) / 3, math.nan])
    assert mean_dice(mean_over_targets(scores)) == pytest.approx((0.25 + (1 + 0.75 + 2 / 3) / 3) / 2)


@given(st.lists(st.tuples(counts, counts, counts), min_size=1, max_size=9))
def test_of_one_target_the_primary_score_is_its_own_to_the_last_bit(cases: list[tuple[int, int, int]]) -> None:
    tp, fp, fn = np.array(cases).T
    alone = np.where(tp + fn > 0, dice(tp, fp, fn), math.nan)
    np.testing.assert_array_equal(mean_over_targets(target_dice(np.array(cases)[:, None])), alone)
