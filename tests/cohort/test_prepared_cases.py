"""Cases prepared as whole volumes, once: a training sees what a prediction sees, and answers lie where pixels lay."""

import pickle
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from headtohead.batches.datamodule import SliceDataset
from headtohead.cohort import Cohort, open_cohort
from headtohead.cohort.cases import PreparedCases, cases_of
from headtohead.cohort.prepared import as_levels
from headtohead.learning.losses.dice import soft_dice_loss
from headtohead.learning.module import scale_batch
from headtohead.preparing.chain import Prepared
from headtohead.preparing.recipe import InputRecipe
from headtohead.preparing.steps.resize import Resize

VOLUME = InputRecipe(32, "standardised", 0, preparation="volume")
AROUND = InputRecipe(32, "standardised", 1, preparation="crop,standardise=0-100")
OWN = InputRecipe(32, "inner", 1, preparation="trim=1,crop=0.1")
RECIPES = [VOLUME, AROUND, OWN]
CASE = 4


@pytest.fixture(scope="module")
def cohort(phantom_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Cohort:
    """The made-up patients with a cache of their own."""
    return open_cohort(phantom_root, tmp_path_factory.mktemp("cache"))


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.preparation)
def test_training_sees_what_prediction_sees(recipe: InputRecipe, cohort: Cohort) -> None:
    dataset = SliceDataset(cohort, recipe)
    numbers = dataset.cases.shown(cohort.slices_of(CASE))
    prepared = Prepared(recipe.chain, cohort.images(CASE))
    assert prepared.n == len(numbers)
    clip = np.inf if recipe.standardised else 8.0
    for place, number in enumerate(numbers):
        item = dataset[(0, int(number))]
        assert "truth" not in item
        tensors = (torch.from_numpy(np.asarray(item[name]))[None] for name in ("image", "statistics"))
        np.testing.assert_allclose(scale_batch(*tensors, clip)[0].numpy(), prepared.input(place), atol=3e-4)


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.preparation)
def test_answers_come_back_as_in_prediction(recipe: InputRecipe, cohort: Cohort) -> None:
    cases, prepared = cases_of(cohort, recipe), Prepared(recipe.chain, cohort.images(CASE))
    assert isinstance(cases, PreparedCases)
    answers = np.random.default_rng(0).random((2, prepared.n, 32, 32), np.float32)
    found = cases.restore(CASE, answers)
    assert found.shape == (2, *cohort.images(CASE).shape[:3])
    for one, expected in zip(found, answers, strict=True):
        assert (one == prepared.restore(expected)).all()


def test_first_and_last_slice_are_not_shown_and_come_back_empty(cohort: Cohort) -> None:
    cases, own = PreparedCases(cohort, VOLUME), cohort.slices_of(CASE)
    shown = cases.shown(own)
    assert set(shown) <= set(own[1:-1])
    found = cases.restore(CASE, np.ones((1, len(shown), 32, 32), np.float32))[0]
    assert (found.any(axis=(1, 2)) == np.isin(own, shown)).all()
    assert cases_of(cohort, InputRecipe(32, "inner", 0)).shown(own).tolist() == own.tolist()


def test_labels_are_the_nearest_of_the_cropped_square(cohort: Cohort) -> None:
    cases, size = PreparedCases(cohort, VOLUME), 32
    volume = cohort.images(CASE)[1:-1]
    lit = (volume >= 0.1 * volume.max()).any(axis=-1) & volume.any(axis=-1)
    z, y, x = (np.flatnonzero(lit.any(axis=others)) for others in ((1, 2), (0, 2), (0, 1)))
    labels = cohort.labels(CASE)[1:-1][z[0] : z[-1] + 1, y[0] : y[-1] + 1, x[0] : x[-1] + 1]
    side = max(labels.shape[1:])
    top, left = ((side - extent) // 2 for extent in labels.shape[1:])
    square = np.zeros((len(labels), side, side), labels.dtype)
    square[:, top : top + labels.shape[1], left : left + labels.shape[2]] = labels
    nearest = np.floor((np.arange(size) + 0.5) * side / size).astype(int)
    expected = square[:, nearest][:, :, nearest]
    assert expected.any()
    differing = cases.labels(CASE) != expected
    assert differing.mean() < 0.002  # where two pixels are as near
    shown = cases.shown(cohort.slices_of(CASE))
    assert cases.areas(shown).tolist() == cases.labels(CASE).astype(bool).sum(axis=(1, 2)).tolist()
    assert cases.has_lesion(shown).tolist() == cases.labels(CASE).any(axis=(1, 2)).tolist()


def test_labels_by_area_are_those_of_the_mask(cohort: Cohort) -> None:
    labels = cohort.labels(CASE)[4][:, :-5]
    assert (Resize(32).labelled(labels) == Resize(32).fit_mask(labels)).all()


class TestCopy:
    def test_it_is_made_once_and_for_each_chain(self, cohort: Cohort, capsys: pytest.CaptureFixture[str]) -> None:
        recipe = InputRecipe(16, "standardised", 0, preparation="crop=0.2,standardise=10-99")
        first = PreparedCases(cohort, recipe)
        assert "preparing 12 cases as whole volumes, once: window" in capsys.readouterr().out
        assert (PreparedCases(cohort, recipe).images(0) == first.images(0)).all()
        assert not capsys.readouterr().out
        other = PreparedCases(cohort, InputRecipe(16, "standardised", 0, preparation="crop=0.2,standardise=40-60"))
        assert "standardise (low 40, high 60)" in capsys.readouterr().out
        assert (other.images(0) != first.images(0)).any()

    @pytest.mark.parametrize(
        "name", ["images.u16", *(pytest.param(one, marks=pytest.mark.exhaustive) for one in ("cases.npz", "labels.u8"))]
    )
    def test_a_damaged_one_is_made_again(
        self, name: str, phantom_root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        cohort = open_cohort(phantom_root, tmp_path)
        expected = np.array(PreparedCases(cohort, AROUND).images(CASE))
        [path] = [one for one in tmp_path.glob(f"*/{name}") if one.parent != cohort.packed]
        content = path.read_bytes()
        path.write_bytes(content[: len(content) // 2])
        capsys.readouterr()
        assert (PreparedCases(cohort, AROUND).images(CASE) == expected).all()
        assert "preparing" in capsys.readouterr().out
        assert path.stat().st_size == len(content)
        assert not [one for one in tmp_path.iterdir() if one.name.startswith(".")]

    def test_it_goes_to_another_process_by_name(self, cohort: Cohort) -> None:
        found = pickle.dumps(PreparedCases(cohort, VOLUME))
        assert len(found) < 50_000
        assert (pickle.loads(found).images(CASE) == PreparedCases(cohort, VOLUME).images(CASE)).all()


@pytest.mark.parametrize("scale", [1.0, 1e-3, 1e4])
def test_standardised_values_come_back_from_16_bits(scale: float) -> None:
    values = np.random.default_rng(0).normal(0, scale, (3, 8, 8, 2)).astype(np.float32)
    values[..., 1] = 5
    levels, statistics = as_levels(values)
    assert levels.dtype == np.uint16
    back = (levels.astype(np.float32) / 257 - statistics[:, 0]) / statistics[:, 1]
    np.testing.assert_allclose(back, values, atol=np.ptp(values[..., 0]) / 65535)


def test_masks_are_0_and_1_though_the_files_hold_255(phantom_root: Path, cohort: Cohort) -> None:
    """Left at 255, as in the original, they made a soft Dice loss that falls below 0."""
    file = max(
        phantom_root.rglob("*_mask.tif"), key=lambda path: int(cv2.imread(str(path), cv2.IMREAD_GRAYSCALE).sum())
    )
    assert cv2.imread(str(file), cv2.IMREAD_GRAYSCALE).max() == 255
    dataset, losses = SliceDataset(cohort, VOLUME), []
    for number in dataset.cases.shown(cohort.slices_of(CASE)):
        mask = torch.from_numpy(dataset[(0, int(number))]["mask"]).movedim(2, 0).float()
        assert set(mask.unique().tolist()) <= {0.0, 1.0}
        losses.append(soft_dice_loss(mask[0], mask[0]).item())
        assert soft_dice_loss(1 - mask[0], mask[0]).item() <= 1
    assert losses == [0.0] * len(losses)
