"""What a net is shown in prediction is what it was shown in training, and its answer lies where the pixels lay."""

import numpy as np
import pytest

from headtohead.batches.datamodule import SliceDataset
from headtohead.batches.recipe import InputRecipe, scale_slice
from headtohead.cohort import Cohort
from headtohead.errors import UserError
from headtohead.learning.module import scale
from headtohead.readers.lgg import TASK as LGG_TASK
from headtohead.readers.nifti import TASK as NIFTI_TASK
from headtohead.task import Task
from headtohead.trained.facts import ModelFacts
from headtohead.trained.foreign.buda_volume import BudaVolume
from headtohead.trained.preparation import RecipePrepared, prepare
from headtohead.trained.volume import in_bytes


def facts_with(recipe: InputRecipe, task: Task = LGG_TASK) -> ModelFacts:
    return ModelFacts("some/run", "unet", 4, recipe.channels, recipe.to_dict(), task)


@pytest.mark.parametrize("normalise", ["inner", "zscore", "unit", "imagenet", "slice"])
def test_a_volume_of_the_cohort_is_shown_as_in_training(normalise: str, phantom_cohort: Cohort) -> None:
    import torch

    recipe = InputRecipe(32, normalise, 0 if normalise == "slice" else 1)
    prepared = prepare(phantom_cohort.images(4), facts_with(recipe))
    assert prepared.n == phantom_cohort.table["slices"].iloc[4]
    dataset = SliceDataset(phantom_cohort, recipe)
    first = int(phantom_cohort.slices_of(4)[0])
    for index in range(prepared.n):
        item = dataset[(0, first + index)]
        trained = scale(*(torch.from_numpy(item[name])[None] for name in ("image", "statistics")))[0].numpy()
        found = prepared.input(index)
        assert found.dtype == np.float32 and found.flags.c_contiguous
        np.testing.assert_allclose(found, trained, atol=2e-4)


@pytest.mark.parametrize("shape", [(3, 32, 32), (2, 40, 64), (1, 64, 41)])
def test_the_probability_comes_back_onto_the_volumes_grid(shape: tuple[int, int, int]) -> None:
    rng = np.random.default_rng(0)
    recipe = InputRecipe(32, "unit", 0)
    prepared = prepare(rng.integers(0, 256, (*shape, 3), dtype=np.uint8), facts_with(recipe))
    probability = rng.random((prepared.n, 32, 32), np.float32)
    found = prepared.restore(probability)
    assert found.shape == shape and found.dtype == np.float32
    for one, given in zip(found, probability, strict=True):
        assert (one == recipe.back(given, *shape[1:])).all()


@pytest.mark.parametrize("factor", [0.004, 1.0, 37.5])
def test_the_unit_of_a_file_does_not_matter(factor: float, phantom_cohort: Cohort) -> None:
    volume = phantom_cohort.images(2)
    recipe = InputRecipe(32, "inner", 1)
    expected = prepare(volume, facts_with(recipe))
    found = prepare(volume.astype(np.float32) * factor, facts_with(recipe))
    difference = np.stack([expected.input(i) - found.input(i) for i in range(expected.n)])
    assert np.abs(difference).mean() < 0.05


def test_each_sequence_has_its_own_unit() -> None:
    rng = np.random.default_rng(0)
    volume = rng.random((4, 32, 32, 3)).astype(np.float32) * np.array([1, 50, 4000], np.float32)
    found = in_bytes(volume)
    assert found.dtype == np.uint8
    assert (found.reshape(-1, 3).max(axis=0) == 255).all()
    assert found.reshape(-1, 3).mean(axis=0) == pytest.approx([127.5] * 3, abs=4)


def test_a_lone_sequence_stands_for_all_three() -> None:
    volume = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 1), dtype=np.uint8)
    recipe = InputRecipe(32, "unit", 1)
    found = prepare(volume, facts_with(recipe, task=NIFTI_TASK)).input(1)
    assert found.shape == (5, 32, 32)
    assert (found[0] == found[1]).all() and (found[0] == found[2]).all()
    assert found[0] == pytest.approx(volume[1, ..., 0] / 255)


@pytest.mark.parametrize("channels", [1, 3])
def test_scaling_by_slice_sees_the_original_intensities(channels: int) -> None:
    volume = np.random.default_rng(0).normal(300, 200, (3, 32, 32, channels)).astype(np.float32)
    found = prepare(volume, facts_with(InputRecipe(32, "slice", 0))).input(2)
    assert found.shape == (1, 32, 32)
    assert (
        found[0] == scale_slice(volume[2, ..., LGG_TASK.primary_channel if channels == 3 else 0]) / np.float32(255)
    ).all()


@pytest.mark.parametrize("normalise", ["inner", "zscore", "unit", "imagenet", "slice"])
@pytest.mark.parametrize("value", [0, 7])
@pytest.mark.parametrize("kind", [np.uint8, np.float32])
def test_volumes_without_anything_in_them_give_finite_inputs(normalise: str, value: int, kind: type) -> None:
    prepared = prepare(np.full((1, 40, 30, 3), value, kind), facts_with(InputRecipe(32, normalise, 0)))
    assert np.isfinite(prepared.input(0)).all()
    assert prepared.restore(np.zeros((1, 32, 32), np.float32)).shape == (1, 40, 30)


def test_the_facts_choose_the_preparation() -> None:
    volume = np.ones((3, 16, 16, 3), np.uint8)
    assert isinstance(prepare(volume, facts_with(InputRecipe(32, "unit", 0))), RecipePrepared)
    assert isinstance(
        prepare(volume, ModelFacts("b", "buda", 4, 3, {}, preparation="buda_volume", task=LGG_TASK)), BudaVolume
    )
    with pytest.raises(UserError, match=r"^b: it needs the preparation magic, which this version"):
        prepare(volume, ModelFacts("b", "buda", 4, 3, {}, preparation="magic", task=LGG_TASK))
