"""What a net is shown in prediction is what it was shown in training, and its answer lies where the pixels lay."""

import numpy as np
import pytest

from headtohead.batches.datamodule import SliceDataset
from headtohead.cohort import Cohort
from headtohead.learning.module import scale_batch
from headtohead.preparing.chain import Prepared
from headtohead.preparing.intensities import EIGHT, to_depth
from headtohead.preparing.recipe import InputRecipe
from headtohead.preparing.steps.scale import scaled
from headtohead.preparing.steps.stretch import stretched
from headtohead.readers.lgg import TASK as LGG_TASK


@pytest.mark.parametrize("normalise", ["inner", "zscore", "unit", "imagenet", "slice"])
def test_a_volume_of_the_cohort_is_shown_as_in_training(normalise: str, phantom_cohort: Cohort) -> None:
    import torch

    recipe = InputRecipe(32, normalise, 0 if normalise == "slice" else 1)
    prepared = Prepared(recipe.chain, phantom_cohort.images(4))
    assert prepared.n == phantom_cohort.table["slices"].iloc[4]
    dataset = SliceDataset(phantom_cohort, recipe)
    first = int(phantom_cohort.slices_of(4)[0])
    for index in range(prepared.n):
        item = dataset[(0, first + index)]
        trained = scale_batch(*(torch.from_numpy(item[name])[None] for name in ("image", "statistics")))[0].numpy()
        found = prepared.input(index)
        assert found.dtype == np.float32 and found.flags.c_contiguous
        np.testing.assert_allclose(found, trained, atol=2e-4)


@pytest.mark.parametrize("depth", ["uint8", "uint16"])
def test_prediction_sees_the_levels_that_training_saw(depth: str) -> None:
    """Of a scan of 12 bits that a cohort stored in 8 or 16."""
    volume = np.random.default_rng(0).gamma(2, 400, (3, 40, 32, 3)).clip(0, 4095).astype(np.float32)
    volume[:, :8] = 0
    chain = InputRecipe(32, "inner", 1, depth=depth).chain
    stored = to_depth(volume, np.dtype(depth))
    trained = scaled(chain.view(stored, 1), chain.scaling.by_channel(chain.scaling.measure(stored)))
    found = Prepared(chain, volume).input(1)
    np.testing.assert_allclose(found, np.moveaxis(trained, -1, 0), atol=1e-5)
    assert len(np.unique(found[0])) > (256 if depth == "uint16" else 1)
    np.testing.assert_array_equal(Prepared(chain, stored).input(1), found)


@pytest.mark.parametrize("shape", [(3, 32, 32), (2, 40, 64), (1, 64, 41)])
def test_the_probability_comes_back_onto_the_volumes_grid(shape: tuple[int, int, int]) -> None:
    rng = np.random.default_rng(0)
    recipe = InputRecipe(32, "unit", 0)
    prepared = Prepared(recipe.chain, rng.integers(0, 256, (*shape, 3), dtype=np.uint8))
    probability = rng.random((prepared.n, 32, 32), np.float32)
    found = prepared.restore(probability)
    assert found.shape == shape and found.dtype == np.float32
    for one, given in zip(found, probability, strict=True):
        assert (one == recipe.chain.resize.undone(given, *shape[1:])).all()


@pytest.mark.parametrize("factor", [0.004, 1.0, 37.5])
def test_the_unit_of_a_file_does_not_matter(factor: float, phantom_cohort: Cohort) -> None:
    volume = phantom_cohort.images(2)
    recipe = InputRecipe(32, "inner", 1)
    expected = Prepared(recipe.chain, volume)
    found = Prepared(recipe.chain, volume.astype(np.float32) * factor)
    difference = np.stack([expected.input(i) - found.input(i) for i in range(expected.n)])
    assert np.abs(difference).mean() < 0.05


def test_each_sequence_has_its_own_unit() -> None:
    rng = np.random.default_rng(0)
    volume = rng.random((4, 32, 32, 3)).astype(np.float32) * np.array([1, 50, 4000], np.float32)
    found = to_depth(volume, EIGHT)
    assert found.dtype == np.uint8
    assert (found.reshape(-1, 3).max(axis=0) == 255).all()
    assert found.reshape(-1, 3).mean(axis=0) == pytest.approx([127.5] * 3, abs=4)


def test_a_lone_sequence_stands_for_all_three() -> None:
    volume = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 1), dtype=np.uint8)
    recipe = InputRecipe(32, "unit", 1)
    found = Prepared(recipe.chain, volume).input(1)
    assert found.shape == (5, 32, 32)
    assert (found[0] == found[1]).all() and (found[0] == found[2]).all()
    assert found[0] == pytest.approx(volume[1, ..., 0] / 255)


@pytest.mark.parametrize("channels", [1, 3])
def test_scaling_by_slice_sees_the_original_intensities(channels: int) -> None:
    volume = np.random.default_rng(0).normal(300, 200, (3, 32, 32, channels)).astype(np.float32)
    found = Prepared(InputRecipe(32, "slice", 0).chain, volume).input(2)
    assert found.shape == (1, 32, 32)
    assert (
        found[0] == stretched(volume[2, ..., LGG_TASK.primary_channel if channels == 3 else 0]) / np.float32(255)
    ).all()


@pytest.mark.parametrize("normalise", ["inner", "zscore", "unit", "imagenet", "slice"])
@pytest.mark.parametrize("value", [0, 7])
@pytest.mark.parametrize("kind", [np.uint8, np.float32])
def test_volumes_without_anything_in_them_give_finite_inputs(normalise: str, value: int, kind: type) -> None:
    prepared = Prepared(InputRecipe(32, normalise, 0).chain, np.full((1, 40, 30, 3), value, kind))
    assert np.isfinite(prepared.input(0)).all()
    assert prepared.restore(np.zeros((1, 32, 32), np.float32)).shape == (1, 40, 30)
