"""Morphology against SciPy inside a volume, and the rule beyond its edges."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import ndimage

from headtohead.predicting.cleaning.shapes import close_gaps, dilate, erode, fill_holes, open_bridges

MASKS = st.tuples(st.integers(1, 5), st.integers(1, 8), st.integers(1, 8)).flatmap(lambda s: arrays.arrays(bool, s))
ODD = st.sampled_from([1, 3, 5])
ELEMENTS = st.tuples(ODD, ODD, ODD).flatmap(lambda s: arrays.arrays(bool, s))


@given(MASKS, ELEMENTS)
def test_dilation_and_erosion_are_scipys(mask: np.ndarray, element: np.ndarray) -> None:
    """SciPy lays the turned element on a voxel to dilate; beyond the edges we keep what is there."""
    turned = element[::-1, ::-1, ::-1]
    assert np.array_equal(dilate(mask, element), ndimage.binary_dilation(mask, turned))
    assert np.array_equal(erode(mask, element), ndimage.binary_erosion(mask, turned, border_value=1))


@given(MASKS, ELEMENTS)
def test_closing_adds_and_opening_takes_away(mask: np.ndarray, element: np.ndarray) -> None:
    element[tuple(side // 2 for side in element.shape)] = True
    assert not (mask & ~close_gaps(mask, element)).any()
    assert not (open_bridges(mask, element) & ~mask).any()


@given(MASKS, st.tuples(*[st.integers(0, 3)] * 3), st.booleans())
def test_closing_and_opening_are_scipys_on_a_volume_that_goes_on(
    mask: np.ndarray, halves: tuple[int, int, int], even: bool
) -> None:
    axes = np.ogrid[tuple(slice(-half, half + 1) for half in halves)]
    element = sum((axis / (half + 0.5)) ** 2 for axis, half in zip(axes, halves, strict=True)) <= 1
    if even:
        element = np.ones_like(element)
        element[tuple(slice(0, int(half > 0)) for half in halves)] = False
    wide, turned, inside = np.pad(mask, 12, mode="edge"), element[::-1, ::-1, ::-1], (slice(12, -12),) * 3
    closed = ndimage.binary_erosion(ndimage.binary_dilation(wide, turned), turned, border_value=1)
    opened = ndimage.binary_dilation(ndimage.binary_erosion(wide, turned, border_value=1), turned)
    assert np.array_equal(close_gaps(mask, element), closed[inside])
    assert np.array_equal(open_bridges(mask, element), opened[inside])


def test_a_view_with_gaps_in_memory_is_read_rightly() -> None:
    mask = np.zeros((3, 8, 8), bool)
    mask[1, 4, 4] = True
    cross = ndimage.generate_binary_structure(3, 1)
    expected = dilate(mask, cross)
    assert expected.sum() == 7
    assert np.array_equal(dilate(mask[:, ::2, ::2], cross), dilate(mask[:, ::2, ::2].copy(), cross))
    assert np.array_equal(dilate(mask.T, cross), expected.T)


@pytest.mark.parametrize("column", [0, 1])
def test_a_gap_to_the_edge_stays_open_and_the_edge_wears_nothing_away(column: int) -> None:
    line = np.ones((1, 1, 5), bool)
    mask = np.zeros((1, 9, 9), bool)
    mask[0, :, column : column + 6] = True
    assert np.array_equal(close_gaps(mask, line), mask)
    assert erode(mask, line)[0, 4, 0] == (column == 0)


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
