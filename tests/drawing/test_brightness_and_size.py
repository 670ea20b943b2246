"""Dark pictures are brightened by one factor; a mask keeps every part in any size."""

import numpy as np
import pytest

from headtohead.drawing.brightness import brightened, white_of
from headtohead.drawing.sizes import resized, resized_mask, within


def test_dark_images_are_brightened_by_one_factor() -> None:
    image = np.zeros((20, 20, 3), np.uint8)
    image[:10] = (10, 20, 40)
    white = white_of(image.max(axis=-1))
    assert brightened(image, white)[0, 0].tolist() == [64, 128, 255]
    assert white_of(np.zeros((2, 2), np.uint8)) == 1


@pytest.mark.parametrize(("longest", "size"), [(10, (10, 5)), (200, (200, 100)), (1, (1, 1))])
def test_the_longer_side_is_given_and_proportions_stay(longest: int, size: tuple[int, int]) -> None:
    assert within((100, 50), longest) == size
    assert resized(np.zeros((100, 50), np.uint8), size).shape == size


@pytest.mark.parametrize("size", [(7, 3), (240, 130)])
def test_a_mask_keeps_every_part_and_gains_none(size: tuple[int, int]) -> None:
    mask = np.zeros((100, 50), np.uint8)
    mask[40, 20] = 1
    drawn = resized_mask(mask, size)
    assert drawn.any() and drawn.sum() <= max(1, 3 * 3)
    assert not resized_mask(np.zeros_like(mask), size).any()
