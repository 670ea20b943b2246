"""Connected components, of a plane and of a volume alike."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import ndimage

from headtohead.scoring.components import count_components, label_components, largest_component, without_small

SIDES = st.tuples(st.integers(1, 4), st.integers(1, 9), st.integers(1, 9))
MASKS = SIDES.flatmap(lambda sides: arrays.arrays(bool, sides))


@given(MASKS)
def test_components_are_those_of_scipy(mask: np.ndarray) -> None:
    labels, sizes = label_components(mask)
    expected, number = ndimage.label(mask, np.ones((3, 3, 3)))
    # A plane is labelled by OpenCV, which may number them otherwise.
    assert len({*zip(labels.ravel().tolist(), expected.ravel().tolist(), strict=True)} | {(0, 0)}) == number + 1
    assert sizes.tolist() == [0, *np.bincount(labels.ravel(), minlength=number + 1)[1:]]
    assert count_components(mask) == number


@given(MASKS)
def test_of_equally_large_ones_the_first_in_memory_is_kept(mask: np.ndarray) -> None:
    labels, number = ndimage.label(mask, np.ones((3, 3, 3)))  # numbered in the order of memory
    sizes = np.bincount(labels.ravel(), minlength=number + 1)[1:]
    expected = labels == 1 + sizes.argmax() if number else mask
    assert np.array_equal(largest_component(mask), expected)
    for least in (1, 2, 2.5):
        large = np.isin(labels, 1 + np.flatnonzero(sizes >= least))
        assert np.array_equal(without_small(mask, least), large)


def test_components_meet_by_a_corner_across_slices_and_through_a_third() -> None:
    mask = np.zeros((3, 8, 8), bool)
    mask[0, 0, 0] = mask[1, 1, 1] = mask[0, 2, 2] = True  # two of one slice, joined by the next
    mask[0, 6, 6] = mask[2, 6, 6] = True  # a slice between them
    labels, sizes = label_components(mask)
    assert sizes.tolist() == [0, 3, 1, 1]
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
        labels, sizes = label_components(mask)
        taken = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(sizes) - 1 == (80 * 80 if kind == "columns" else 1) and sizes.sum() == mask.sum()
    assert labels.max() == len(sizes) - 1
    assert taken < 12 * mask.size + 20e6
