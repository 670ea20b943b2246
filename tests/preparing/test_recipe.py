"""The input recipe: which pixels a model sees, how they are scaled, and how its answer gets back."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headtohead.cohort import Cohort
from headtohead.errors import UserError
from headtohead.options.input import InputOptions
from headtohead.preparing.chain import Chain, Prepared
from headtohead.preparing.recipe import InputRecipe, buda_chain
from headtohead.preparing.steps.scale import CLIP, FIXED, scaled
from headtohead.readers.lgg import TASK as LGG_TASK
from headtohead.task import Target, Targets, Task
from tests.preparing.volumes import volume_of

SHAPES = [(64, 64), (40, 64), (64, 41), (250, 200)]


@pytest.mark.parametrize("size", [32, 96])
@pytest.mark.parametrize("neighbours", [0, 1, 3])
@pytest.mark.parametrize(("height", "width"), SHAPES)
def test_view_has_the_shape_the_model_is_built_for(size: int, neighbours: int, height: int, width: int) -> None:
    recipe = InputRecipe(size, "inner", neighbours)
    view = recipe.chain.view(volume_of(4, height, width), 1)
    assert view.shape == (size, size, recipe.channels) == (size, size, 3 + 2 * neighbours)
    assert view.dtype == np.uint8


def test_at_its_own_size_a_slice_is_shown_as_it_is_with_flair_around_it() -> None:
    volume = volume_of(5, 32, 32)
    view = InputRecipe(32, "inner", 2).chain.view(volume, 2)
    assert (view[..., :3] == volume[2]).all()
    for channel, place in enumerate((0, 1, 3, 4), start=3):
        assert (view[..., channel] == volume[place, ..., LGG_TASK.primary_channel]).all()


@pytest.mark.parametrize(("index", "around"), [(0, (0, 0, 1, 2)), (1, (0, 0, 2, 3)), (3, (1, 2, 3, 3))])
def test_neighbours_repeat_at_the_ends_of_a_case(index: int, around: tuple[int, ...]) -> None:
    volume = volume_of(4, 32, 32)
    view = InputRecipe(32, "inner", 2).chain.view(volume, index)
    for channel, place in enumerate(around, start=3):
        assert (view[..., channel] == volume[place, ..., LGG_TASK.primary_channel]).all()


def test_one_slice_alone_is_its_own_neighbour() -> None:
    volume = volume_of(1, 32, 32)
    view = InputRecipe(32, "inner", 1).chain.view(volume, 0)
    assert (view[..., 3:] == volume[0, ..., LGG_TASK.primary_channel, None]).all()


@pytest.mark.parametrize(("height", "width"), [(20, 32), (32, 20)])
def test_other_shapes_are_padded_and_keep_their_aspect(height: int, width: int) -> None:
    volume = volume_of(1, height, width)
    view = InputRecipe(32, "inner", 0).chain.view(volume, 0)
    assert (view[:height, :width] == volume[0]).all()
    assert not view[height:].any() and not view[:, width:].any()


def test_shrinking_averages_areas() -> None:
    image = np.zeros((64, 64), np.uint8)
    image[::2, ::2] = 200
    assert (InputRecipe(32, "inner", 0).chain.resize.fit(image) == 50).all()


def test_a_mask_stays_a_mask_of_zeros_and_ones() -> None:
    mask = np.zeros((64, 64), np.uint8)
    mask[10:30, 20:40] = 1
    mask[50, 50] = 1  # a quarter of its pixel on the smaller grid
    small = InputRecipe(32, "inner", 0).chain.resize.fit_mask(mask)
    expected = np.zeros((32, 32), np.uint8)
    expected[5:15, 10:20] = 1
    assert small.dtype == np.uint8
    assert (small == expected).all()


@pytest.mark.parametrize(("height", "width"), SHAPES)
@pytest.mark.parametrize("size", [32, 64, 96])
def test_back_gives_the_source_grid(size: int, height: int, width: int) -> None:
    back = InputRecipe(size, "inner", 0).chain.resize.undone(np.full((size, size), 0.25, np.float32), height, width)
    assert back.shape == (height, width)
    assert back.dtype == np.float32
    assert back == pytest.approx(0.25)


@pytest.mark.parametrize(("height", "width"), [(64, 64), (40, 64), (64, 41)])
def test_back_undoes_fit_exactly_where_nothing_is_resized(height: int, width: int) -> None:
    image = volume_of(1, height, width)[0, ..., 0]
    recipe = InputRecipe(64, "inner", 0)
    assert (recipe.chain.resize.undone(recipe.chain.resize.fit(image).astype(np.float32), height, width) == image).all()


@settings(max_examples=60)
@given(
    height=st.integers(32, 160),
    width=st.integers(32, 160),
    size=st.sampled_from([32, 48, 96, 128]),
    place=st.tuples(st.floats(0.2, 0.8), st.floats(0.2, 0.8)),
)
def test_back_undoes_fit_in_place(height: int, width: int, size: int, place: tuple[float, float]) -> None:
    """A soft blob comes back where it was: neither shifted, nor stretched, nor mirrored."""
    row, column = place[0] * height, place[1] * width
    rows, columns = np.mgrid[:height, :width]
    blob = 255 * np.exp(-((rows - row) ** 2 + (columns - column) ** 2) / (2 * 4**2))
    recipe = InputRecipe(size, "inner", 0)
    back = recipe.chain.resize.undone(
        recipe.chain.resize.fit(blob.astype(np.uint8)).astype(np.float32), height, width
    ).astype(float)
    before = blob.astype(np.uint8).astype(float)
    for grid in (rows, columns):
        assert (grid * back).sum() / back.sum() == pytest.approx((grid * before).sum() / before.sum(), abs=0.3)
    assert back.sum() == pytest.approx(before.sum(), rel=0.1)


def test_neighbour_channels_have_the_statistics_of_flair() -> None:
    statistics = np.array([[1, 2], [3, 4], [5, 6]], np.float32)
    assert InputRecipe(32, "inner", 1).chain.scaling.by_channel(statistics).tolist() == [
        [1, 2],
        [3, 4],
        [5, 6],
        [3, 4],
        [3, 4],
    ]


@pytest.mark.parametrize("kind", [np.uint8, np.float32])
def test_a_volume_of_one_sequence_is_in_all_three_channels(kind: type) -> None:
    volume = np.random.default_rng(0).integers(0, 256, (4, 40, 30, 1)).astype(kind)
    recipe = InputRecipe(32, "inner", 1)
    np.testing.assert_array_equal(recipe.chain.view(volume, 1), recipe.chain.view(np.repeat(volume, 3, axis=-1), 1))
    one = np.array([[3, 4]], np.float32)
    assert recipe.chain.scaling.by_channel(one).tolist() == [[3, 4]] * recipe.channels


def test_four_sequences_and_the_neighbours_of_the_primary_one() -> None:
    task = Task("four", ("a", "b", "c", "d"), "d", Targets((Target("lesion", (1,)),)))
    recipe = InputRecipe.of(InputOptions(image_size=32, neighbours=1, normalise="unit"), task)
    volume = np.random.default_rng(0).integers(0, 256, (4, 40, 30, 4)).astype(np.uint8)
    view = recipe.chain.view(volume, 1)
    assert view.shape == (32, 32, recipe.channels) == (32, 32, 6)
    np.testing.assert_array_equal(view[..., 4], recipe.chain.resize.fit(volume[0, ..., 3]))
    assert recipe.chain.scaling.by_channel(recipe.chain.scaling.measure(volume)).tolist() == [[0, 255]] * 6
    assert InputRecipe(**recipe.to_dict()) == recipe
    with pytest.raises(UserError, match="imagenet`: knows three channels, but four has 4"):
        InputRecipe.of(InputOptions(normalise="imagenet"), task)


def test_sixteen_bits_are_seen_in_units_of_eight() -> None:
    volume = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3)).astype(np.uint8)
    recipe = InputRecipe(32, "inner", 1)
    seen = recipe.chain.view(volume.astype(np.uint16) * np.uint16(257), 1)
    assert seen.dtype == np.float32
    np.testing.assert_array_equal(seen, recipe.chain.view(volume, 1))


def test_scale_by_hand() -> None:
    statistics = np.array([[100, 10], [50, 5], [0, 255]], np.float32)
    view = np.array([[[110, 40, 51], [255, 0, 255]]], np.uint8)
    found = scaled(view, statistics)
    assert found.dtype == np.float32
    assert found[0, 0] == pytest.approx([1, -2, 0.2])
    assert found[0, 1] == pytest.approx([CLIP, -CLIP, 1])


def test_fixed_statistics_are_in_the_order_of_the_channels() -> None:
    """ImageNet's published constants are for red, green, blue: pre, FLAIR, post here."""
    assert FIXED["imagenet"][:, 0] / 255 == pytest.approx([0.485, 0.456, 0.406])
    assert FIXED["imagenet"][:, 1] / 255 == pytest.approx([0.229, 0.224, 0.225])
    assert FIXED["unit"].tolist() == [[0, 255]]


@pytest.mark.parametrize("normalise", ["inner", "zscore"])
def test_a_volume_outside_a_cohort_is_measured_as_inside(normalise: str, phantom_cohort: Cohort) -> None:
    known = phantom_cohort.statistics(normalise)
    measured = InputRecipe(32, normalise, 1).chain.scaling.measure(phantom_cohort.images(3))
    assert measured == pytest.approx(known[3])
    assert not np.allclose(known[3], known[4])


def test_normalisations_differ(phantom_cohort: Cohort) -> None:
    volume = phantom_cohort.images(0)
    found = [
        InputRecipe(32, name, 0).chain.scaling.measure(volume).tolist()
        for name in ("inner", "zscore", "unit", "imagenet")
    ]
    assert all(one != other for place, one in enumerate(found) for other in found[place + 1 :])


def test_round_trip_through_plain_data() -> None:
    recipe = InputRecipe(96, "zscore", 2)
    assert recipe.to_dict() == {"image_size": 96, "normalise": "zscore", "neighbours": 2}
    assert InputRecipe(**recipe.to_dict()) == recipe


def test_a_volume_of_floats_is_shown_in_floats() -> None:
    volume = volume_of(3, 40, 64).astype(np.float32) / 7
    view = InputRecipe(32, "inner", 1).chain.view(volume, 1)
    assert view.dtype == np.float32 and view.shape == (32, 32, 5)
    assert view[..., :3].mean() == pytest.approx(volume[1].mean() * 40 / 64, rel=0.01)


def test_a_model_that_brings_its_own_scaling_decides() -> None:
    inputs = InputOptions(image_size=64, normalise="zscore", neighbours=2)
    assert InputRecipe.of(inputs, LGG_TASK) == InputRecipe(64, "zscore", 2)
    assert InputRecipe.of(inputs, LGG_TASK, "slice") == InputRecipe(64, "slice", 0)


def test_the_order_of_channels_is_said_only_where_it_is_not_the_usual_one() -> None:
    """So that what was trained before the order could be chosen is still the same recipe."""
    usual, swapped = InputRecipe(32, "inner", 1), InputRecipe(32, "inner", 1, "bgr")
    assert usual.to_dict() == {"image_size": 32, "normalise": "inner", "neighbours": 1}
    assert swapped.to_dict() == usual.to_dict() | {"channel_order": "bgr"}
    assert InputRecipe(**usual.to_dict()) == usual
    assert InputRecipe(**swapped.to_dict()) == swapped
    volume = volume_of(3, 32, 32)
    assert (swapped.chain.view(volume, 1)[..., [2, 1, 0, 3, 4]] == usual.chain.view(volume, 1)).all()


@pytest.mark.parametrize("preparation", ["volume", "trim=1,crop=0.1", "crop=0.2,standardise=5-95"])
@pytest.mark.parametrize(("shown", "order"), [((3,), "rgb"), ((3, 1), "rgb"), ((1, 3), "bgr")])
def test_sequences_that_are_not_shown_change_nothing(preparation: str, shown: tuple[int, ...], order: str) -> None:
    scaling = "inner" if preparation.startswith("trim") else "standardised"
    recipe = InputRecipe(32, scaling, 1, order, 3, 4, preparation=preparation, shown=shown)
    rng = np.random.default_rng(0)
    volume = rng.integers(0, 8, (7, 40, 30, 4)).astype(np.uint8)
    volume[1:6, 8:32, 6:24] = rng.integers(60, 120, (5, 24, 18, 4))
    other = volume.copy()
    other[..., 0], other[..., 2] = rng.integers(0, 256, (2, *volume.shape[:3]))
    found, same = (Prepared(recipe.chain, one) for one in (volume, other))
    assert found.n == same.n
    for index in range(found.n):
        assert (found.input(index) == same.input(index)).all()
    answer = np.ones((found.n, 32, 32), np.float32)
    assert (found.restore(answer) == same.restore(answer)).all()


@pytest.mark.parametrize("scaling", ["inner", "zscore", "unit", "imagenet"])
@pytest.mark.parametrize("order", ["rgb", "bgr"])
def test_the_earlier_order_of_steps_gives_the_same_where_all_is_shown(scaling: str, order: str) -> None:
    """Files of earlier versions choose the channels after the crop."""
    recipe = InputRecipe(32, scaling, 1, order, preparation="trim=1,crop=0.1")
    now = recipe.chain.to_dict()
    assert [step["step"] for step in now][:4] == ["window", "channels", "trim", "crop"]
    own = {"step": "scale", "by": scaling, "of": [0, 1, 2, 1, 1]}
    earlier = Chain.from_dict([now[0], now[2], now[3], now[1], *now[4:-1], own])
    volume = np.random.default_rng(0).integers(0, 255, (6, 40, 30, 3)).astype(np.uint8)
    found, before = Prepared(recipe.chain, volume), Prepared(earlier, volume)
    for index in range(found.n):
        assert (found.input(index) == before.input(index)).all()


def test_files_say_the_numbers_of_the_published_chain() -> None:
    own = InputRecipe(256, "standardised", 0, preparation="volume").chain
    assert json.dumps(own.to_dict()[2:]) == json.dumps(buda_chain(3).to_dict()[2:])
    assert json.dumps(buda_chain(3).to_dict()[-1]) == '{"step": "standardise", "low": 10, "high": 99}'
