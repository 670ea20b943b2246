"""The box around a mask."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headtohead.scoring.components import bounding_box


def test_box_of_a_mask_known_by_hand() -> None:
    mask = np.zeros((4, 6, 8), bool)
    mask[1, 2, 3] = mask[2, 5, 3] = True
    assert bounding_box(mask) == (slice(1, 3), slice(2, 6), slice(3, 4))


@pytest.mark.parametrize("shape", [(3, 4, 5), (0, 4, 5)])
def test_an_empty_mask_has_none(shape: tuple[int, ...]) -> None:
    assert bounding_box(np.zeros(shape, bool)) is None


@given(seed=st.integers(0, 2**32 - 1))
def test_box_holds_every_voxel_and_each_side_touches_one(seed: int) -> None:
    rng = np.random.default_rng(seed)
    mask = rng.random((4, 5, 6)) < 0.05
    box = bounding_box(mask)
    if box is None:
        assert not mask.any()
        return
    inside = mask[box]
    assert inside.sum() == mask.sum()
    for axis in range(3):
        assert inside.take(0, axis).any() and inside.take(-1, axis).any()
