"""Pieces and holes against SciPy, which defines them."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import ndimage

from headtohead.predicting.cleaning.pieces import fill_holes, label_pieces

SIDES = st.tuples(st.integers(1, 4), st.integers(1, 9), st.integers(1, 9))
MASKS = SIDES.flatmap(lambda sides: arrays.arrays(bool, sides))


@given(MASKS)
def test_pieces_are_those_of_scipy_in_its_order(mask: np.ndarray) -> None:
    labels, sizes = label_pieces(mask)
    expected, number = ndimage.label(mask, np.ones((3, 3, 3)))
    assert np.array_equal(labels, expected)
    assert sizes.tolist() == np.bincount(expected.ravel(), minlength=number + 1)[1:].tolist()


def test_pieces_meet_by_a_corner_across_slices_and_through_a_third() -> None:
    mask = np.zeros((3, 8, 8), bool)
    mask[0, 0, 0] = mask[1, 1, 1] = mask[0, 2, 2] = True  # two of one slice, joined by the next
    mask[0, 6, 6] = mask[2, 6, 6] = True  # a slice between them
    labels, sizes = label_pieces(mask)
    assert sizes.tolist() == [3, 1, 1]
    assert labels[0, 0, 0] == labels[0, 2, 2] == labels[1, 1, 1] == 1
    assert (labels[0, 6, 6], labels[2, 6, 6]) == (2, 3)


@pytest.mark.parametrize("kind", ["full", "columns", "points that touch by their corners"])
def test_a_mask_that_fills_the_volume_takes_no_more_memory_than_the_labels_and_little_else(kind: str) -> None:
    mask = np.zeros((24, 160, 160), bool)
    if kind == "full":
        mask[:] = True
    elif kind == "columns":
        mask[:, ::2, ::2] = True
    else:
        mask[::2, ::2, ::2] = mask[1::2, 1::2, 1::2] = True
    tracemalloc.start()
    try:
        labels, sizes = label_pieces(mask)
        taken = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(sizes) == (80 * 80 if kind == "columns" else 1) and sizes.sum() == mask.sum()
    assert labels.max() == len(sizes)
    assert taken < 12 * mask.size + 20e6


@given(MASKS)
def test_holes_are_those_of_scipy_slice_by_slice(mask: np.ndarray) -> None:
    expected = np.stack([ndimage.binary_fill_holes(one) for one in mask])
    filled = fill_holes(mask)
    assert np.array_equal(filled, expected)
    assert np.array_equal(fill_holes(filled), filled)


def test_a_ring_by_corners_holds_a_hole_and_one_at_the_edge_does_not() -> None:
    mask = np.zeros((2, 7, 7), bool)
    mask[0, [2, 3, 3, 4], [3, 2, 4, 3]] = True
    mask[1, [0, 1, 0], [2, 3, 4]] = True
    filled = fill_holes(mask)
    assert filled[0, 3, 3] and filled[0].sum() == 5
    assert np.array_equal(filled[1], mask[1])
