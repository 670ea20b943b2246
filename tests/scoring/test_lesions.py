"""Lesions as components: found, missed, false, and the largest of a prediction."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headtohead.scoring.components import largest_component
from headtohead.scoring.lesions import (
    count_lesions,
    size_in_words,
    smallest_lesion,
)

SHAPE = (6, 20, 20)


def with_blocks(*corners: tuple[int, int, int], side: int = 3) -> np.ndarray:
    mask = np.zeros(SHAPE, bool)
    for z, y, x in corners:
        mask[z : z + side, y : y + side, x : x + side] = True
    return mask


def flooded(mask: np.ndarray) -> list[set[tuple[int, ...]]]:
    """Connected components by flooding from voxel to voxel, in order of memory."""
    left, found = {tuple(map(int, v)) for v in np.argwhere(mask)}, []
    for start in sorted(left):
        if start not in left:
            continue
        left.discard(start)
        part, edge = {start}, [start]
        while edge:
            here = edge.pop()
            near = {v for v in left if max(abs(a - b) for a, b in zip(v, here, strict=True)) == 1}
            left -= near
            part |= near
            edge += near
        found.append(part)
    return found


def test_found_missed_and_false() -> None:
    truth = with_blocks((0, 0, 0), (0, 10, 0), (3, 10, 10))
    prediction = with_blocks((0, 1, 1), (3, 0, 15), (0, 16, 16))
    assert count_lesions(prediction, truth) == (3, 1, 2, 2)


def test_one_voxel_of_overlap_finds_a_lesion() -> None:
    truth, prediction = with_blocks((0, 0, 0)), with_blocks((2, 2, 2))
    assert np.count_nonzero(truth & prediction) == 1
    assert count_lesions(prediction, truth) == (1, 1, 0, 0)


def test_touching_without_overlap_finds_nothing() -> None:
    assert count_lesions(with_blocks((0, 0, 3)), with_blocks((0, 0, 0))) == (1, 0, 1, 1)


def test_one_large_prediction_may_find_several_lesions() -> None:
    truth = with_blocks((0, 0, 0), (0, 10, 0))
    assert count_lesions(np.ones(SHAPE, bool), truth) == (2, 2, 0, 0)


def test_several_predictions_in_one_lesion_are_none_of_them_false() -> None:
    prediction = with_blocks((0, 0, 0), (0, 10, 0))
    assert count_lesions(prediction, np.ones(SHAPE, bool)) == (1, 1, 0, 0)


def test_corners_connect_also_from_slice_to_slice() -> None:
    corner = np.zeros((2, 4, 4), bool)
    corner[0, 1, 1] = corner[1, 2, 2] = True
    assert count_lesions(corner, corner)[0] == 1
    corner[1, 2, 2], corner[1, 3, 3] = False, True
    assert count_lesions(corner, corner)[0] == 2


def test_specks_are_neither_lesions_nor_false() -> None:
    truth, prediction = np.zeros((2, *SHAPE), bool)
    truth[0, 0, :9] = True  # 9 voxels
    truth[2, 0:2, :5] = True  # 10
    prediction[0, 5, :9] = True
    prediction[4, 0:2, :5] = True
    assert count_lesions(prediction, truth) == (2, 0, 2, 2)
    assert count_lesions(prediction, truth, smallest=10) == (1, 0, 1, 1)


def test_what_touches_a_speck_of_the_truth_is_not_false() -> None:
    truth, prediction = np.zeros((2, *SHAPE), bool)
    truth[0, 0, 0] = True
    prediction[0, 0:2, :8] = True
    assert count_lesions(prediction, truth, smallest=10) == (0, 0, 0, 0)


def test_the_least_size_is_a_tenth_of_a_millilitre_or_ten_pixels() -> None:
    assert smallest_lesion(None) == 10 and size_in_words("px") == "at least 10 pixels"
    assert smallest_lesion((1.0, 1.0, 1.0)) == 100 and size_in_words("mm") == "at least 0.1 ml"
    assert smallest_lesion((3.0, 0.5, 0.5)) == 134, "0.75 mm3 each: 133 are a little less than 0.1 ml"
    assert smallest_lesion((10.0, 10.0, 10.0)) == 1


def test_empty_masks() -> None:
    nothing, something = with_blocks(), with_blocks((1, 1, 1))
    assert count_lesions(nothing, nothing) == (0, 0, 0, 0)
    assert count_lesions(nothing, something) == (1, 0, 1, 0)
    assert count_lesions(something, nothing) == (0, 0, 0, 1)


@settings(max_examples=40)
@given(seed=st.integers(0, 2**32 - 1))
def test_agrees_with_flooding(seed: int) -> None:
    rng = np.random.default_rng(seed)
    prediction, truth = rng.random((2, 4, 7, 7)) < rng.uniform(0.02, 0.15)
    true, predicted = flooded(truth), flooded(prediction)
    found = sum(any(part & other for other in predicted) for part in true)
    false = sum(not any(part & other for other in true) for part in predicted)
    assert count_lesions(prediction, truth) == (len(true), found, len(true) - found, false)

    kept = {tuple(map(int, v)) for v in np.argwhere(largest_component(prediction))}
    assert kept == max(predicted, key=len, default=set())  # max takes the first of equals


def test_largest_component_leaves_its_input_alone() -> None:
    mask = with_blocks((0, 0, 0), (0, 10, 0))
    mask[0, 0, 3] = True
    before = mask.copy()
    assert largest_component(mask).sum() == 28
    assert (mask == before).all()


def test_largest_component_of_nothing_is_nothing() -> None:
    kept = largest_component(with_blocks())
    assert kept.shape == SHAPE and kept.dtype == np.bool_ and not kept.any()


def test_shapes_that_would_broadcast_are_refused() -> None:
    with pytest.raises(ValueError, match="shape"):
        count_lesions(with_blocks()[:1], with_blocks())
