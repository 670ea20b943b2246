"""`slice`, the scaling that belongs to a model: one channel, in whole numbers, each slice by itself."""

import numpy as np
import pytest

from headtohead.preparing.recipe import InputRecipe
from headtohead.preparing.steps.scale import scaled
from headtohead.preparing.steps.stretch import stretched
from headtohead.readers.lgg import TASK as LGG_TASK
from tests.preparing.volumes import volume_of


def test_by_hand() -> None:
    image = np.arange(-10, 191, dtype=np.float32).reshape(3, 67)  # -10 ... 190: the 97th percentile is 184
    scaled = stretched(image)
    assert scaled.dtype == np.uint8
    assert scaled.ravel()[:11].tolist() == [0] * 11, "negatives become 0"
    assert scaled.ravel()[194:].tolist() == [255] * 7, "from 184 on"
    assert scaled.ravel()[10 + 92] == round(92 / 184 * 255)


@pytest.mark.parametrize("value", [0, -3, 7])
def test_a_slice_of_one_value_has_no_division_by_zero(value: int) -> None:
    assert (stretched(np.full((8, 8), value, np.float32)) == (255 if value > 0 else 0)).all()


def test_few_bright_pixels_in_nothing_are_cut_off_as_published() -> None:
    image = np.zeros((20, 20), np.uint8)
    image[0, :5] = 200  # under 3 % of the slice
    assert not stretched(image).any()


def test_the_unit_of_the_file_does_not_matter() -> None:
    image = volume_of(1, 40, 50)[0, ..., 0]
    assert (stretched(image) == stretched(image * np.float32(16.5))).all()


@pytest.mark.parametrize(("channels", "shown"), [(1, 0), (3, LGG_TASK.primary_channel)])
def test_the_view_is_flair_or_the_only_sequence(channels: int, shown: int) -> None:
    volume = volume_of(3, 32, 32)[..., :channels]
    recipe = InputRecipe(32, "slice", 0)
    view = recipe.chain.view(volume, 1)
    assert view.shape == (32, 32, 1) and recipe.channels == 1
    assert (view[..., 0] == stretched(volume[1, ..., shown])).all()
    step = recipe.chain.scaling
    assert (scaled(view, step.by_channel(step.measure(volume))) == view / np.float32(255)).all()


def test_other_slices_have_no_say() -> None:
    volume = volume_of(3, 32, 32)
    brighter = volume.copy()
    brighter[0] = 255
    recipe = InputRecipe(32, "slice", 0)
    assert (recipe.chain.view(volume, 1) == recipe.chain.view(brighter, 1)).all()


def test_it_has_no_neighbours() -> None:
    with pytest.raises(ValueError, match="no neighbours"):
        InputRecipe(32, "slice", 1)
