"""Batches follow from the seed alone; only training is augmented; every score sees each slice once."""

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from torch.utils.data import default_collate

from headtohead.batches.augmentation import build_policy
from headtohead.batches.datamodule import SliceDataModule, SliceDataset
from headtohead.batches.sampling import CaseSampler
from headtohead.batches.splits import Split
from headtohead.batches.turning import turn
from headtohead.cohort import Cohort
from headtohead.learning.deciding import encode
from headtohead.preparing.recipe import InputRecipe
from headtohead.readers.lgg import TASK as LGG_TASK
from headtohead.task import Targets
from tests.several_targets import CLASSED, LARGE, NESTED, relabelled

RECIPE = InputRecipe(32, "inner", 1)
Make = Callable[..., SliceDataModule]


@pytest.fixture(scope="module")
def split(phantom_cohort: Cohort) -> Split:
    """Eight cases to train, two to validate, two to test."""
    parts = [
        np.concatenate([phantom_cohort.slices_of(case) for case in cases]) for cases in (range(8), (8, 9), (10, 11))
    ]
    return Split("patient", 0, *parts)


@pytest.fixture(scope="module")
def make(phantom_cohort: Cohort, split: Split) -> Make:
    def module(recipe: InputRecipe = RECIPE, **settings: Any) -> SliceDataModule:
        defaults = {"batch_size": 7, "augmentation": "standard", "sequence_dropout": 0.5, "num_workers": 0}
        return SliceDataModule(phantom_cohort, split, recipe, **(defaults | settings))

    return module


def epochs(loader: Any, numbers: Iterator[int] | range) -> list[list[dict[str, torch.Tensor]]]:
    """The batches of some epochs, the way Lightning asks for them."""
    found = []
    for number in numbers:
        loader.batch_sampler.set_epoch(number)
        found.append(list(loader))
    return found


def same(one: list[dict[str, torch.Tensor]], other: list[dict[str, torch.Tensor]]) -> bool:
    return len(one) == len(other) and all(
        torch.equal(a[name], b[name]) for a, b in zip(one, other, strict=True) for name in a.keys() | b.keys()
    )


def keys(batches: list[dict[str, torch.Tensor]]) -> list[tuple[int, int]]:
    return [pair for batch in batches for pair in zip(batch["case"].tolist(), batch["slice"].tolist(), strict=True)]


def test_training_batches(make: Make, split: Split) -> None:
    loader = make().train_dataloader()
    batches = list(loader)
    assert len(batches) == len(loader)
    assert batches[0]["image"].shape == (7, 32, 32, 5) and batches[0]["image"].dtype == torch.uint8
    assert batches[0]["statistics"].shape == (7, 5, 2) and batches[0]["statistics"].dtype == torch.float32
    assert batches[0]["mask"].shape == (7, 32, 32, 1) and batches[0]["mask"].dtype == torch.uint8
    assert sorted(keys(batches)) == [(case, index) for case in range(8) for index in range(sum_of(make, case))]
    assert keys(batches) != sorted(keys(batches))
    assert "truth" not in batches[0]


def sum_of(make: Make, case: int) -> int:
    return int(make().cohort.table["slices"].iloc[case])


@pytest.mark.parametrize("part", ["val", "test"])
def test_scoring_batches_are_the_plain_slices_on_every_pass(make: Make, part: str) -> None:
    batches = make(augmentation="historical", sequence_dropout=1.0)
    loader = getattr(batches, f"{part}_dataloader")()
    passes = [list(loader), list(loader)]
    assert same(*passes)
    assert same(passes[0], list(getattr(make(augmentation="none", seed=9), f"{part}_dataloader")()))
    cohort, seen = batches.cohort, []
    for batch in passes[0]:
        for row in range(len(batch["case"])):
            case, index = int(batch["case"][row]), int(batch["slice"][row])
            seen.append(int(cohort.slices_of(case)[index]))
            assert (batch["image"][row].numpy() == RECIPE.chain.view(cohort.images(case), index)).all()
            assert (batch["truth"][row].numpy() == cohort.masks(case)[index]).all()
            assert (batch["mask"][row, ..., 0].numpy() == RECIPE.chain.resize.fit_mask(cohort.masks(case)[index])).all()
            expected = RECIPE.chain.scaling.by_channel(cohort.statistics("inner")[case])
            assert (batch["statistics"][row].numpy() == expected).all()
    assert seen == getattr(batches.split, part).tolist()
    assert len(loader) == len(passes[0])


def test_without_augmentation_training_sees_the_plain_slices(make: Make) -> None:
    batches = make(augmentation="none", sequence_dropout=0.0)
    for batch in batches.train_dataloader():
        for row, (case, index) in enumerate(keys([batch])):
            assert (batch["image"][row].numpy() == RECIPE.chain.view(batches.cohort.images(case), index)).all()


@pytest.mark.parametrize(
    "change", [{"augmentation": "flips"}, {"sequence_dropout": 0.0}, {"empty_slices": 0.5}, {"seed": 1}]
)
def test_each_setting_changes_the_training_batches(make: Make, change: dict[str, Any]) -> None:
    assert not same(list(make().train_dataloader()), list(make(**change).train_dataloader()))


def test_workers_change_nothing(make: Make) -> None:
    alone = epochs(make().train_dataloader(), range(2))
    shared = epochs(make(num_workers=2).train_dataloader(), range(2))
    assert same(alone[0], shared[0]) and same(alone[1], shared[1])


def test_epochs_differ_and_the_seed_brings_each_back(make: Make) -> None:
    first, second = epochs(make().train_dataloader(), range(2))
    assert keys(first) != keys(second)
    drawn = [
        {key: batch["image"][row] for batch in epoch for row, key in enumerate(keys([batch]))}
        for epoch in (first, second)
    ]
    changed = sum(not torch.equal(drawn[0][key], drawn[1][key]) for key in drawn[0])
    assert changed > 0.9 * len(drawn[0]), "an epoch must not replay the augmentation of the one before"
    assert same(epochs(make().train_dataloader(), range(1, 2))[0], second), "as a resumed training asks for it"


def test_transforms_of_a_policy_draw_independently(phantom_cohort: Cohort) -> None:
    """Two flips make four images; with one seed for both, they would come together or not at all."""
    dataset = SliceDataset(phantom_cohort, RECIPE, "flips")
    plain = SliceDataset(phantom_cohort, RECIPE)[(0, 3)]["image"]
    variants = {"plain": plain, "left-right": plain[:, ::-1], "up-down": plain[::-1], "both": plain[::-1, ::-1]}
    counts = dict.fromkeys(variants, 0)
    for epoch in range(200):
        image = dataset[(epoch, 3)]["image"]
        counts[next(name for name, variant in variants.items() if (variant == image).all())] += 1
    assert min(counts.values()) > 30


@pytest.mark.parametrize("share", [1.0, 0.5, 0.1])
def test_share_of_empty_slices(make: Make, split: Split, share: float) -> None:
    batches = make(empty_slices=share, augmentation="none", sequence_dropout=0.0)
    has_lesion = batches.cohort.has_lesion()[split.train]
    loader = batches.train_dataloader()
    shown = []
    for epoch in epochs(loader, range(6)):
        numbers = [int(batches.cohort.slices_of(case)[index]) for case, index in keys(epoch)]
        assert len(set(numbers)) == len(numbers)
        assert set(split.train[has_lesion]) <= set(numbers)
        shown.append(set(numbers) - set(split.train[has_lesion]))
        assert len(shown[-1]) == int(np.ceil(share * np.count_nonzero(~has_lesion)))
        assert len(epoch) == len(loader)
    assert (len({frozenset(numbers) for numbers in shown}) > 1) == (share < 1)


def test_channels_are_pre_flair_post_with_their_own_statistics(phantom_cohort: Cohort) -> None:
    """The TIFF holds red, green, blue; a reader that gives blue, green, red must not be scaled as if it did not."""
    case = int(np.flatnonzero(phantom_cohort.table["missing"] == "")[0])
    name, index = phantom_cohort.table["case"].iloc[case], 3
    blue_first = cv2.imread(str(phantom_cohort.root / name / f"{name}_{index + 1}.tif"), cv2.IMREAD_COLOR)
    side = blue_first.shape[0]
    item = SliceDataset(phantom_cohort, InputRecipe(side, "zscore", 0))[(0, int(phantom_cohort.slices_of(case)[index]))]
    assert (item["image"] == blue_first[..., ::-1]).all()
    # Each channel, scaled by its own statistics over the head, is centred; by another channel's it would not be.
    volume, statistics = phantom_cohort.images(case).astype(float), item["statistics"]
    assert len({tuple(row) for row in statistics.tolist()}) == 3
    brightness = volume.mean(axis=(0, 1, 2))
    assert np.argsort(brightness).tolist() == np.argsort(statistics[:, 0]).tolist()


def test_dropout_takes_the_statistics_along(phantom_cohort: Cohort) -> None:
    case = int(np.flatnonzero(phantom_cohort.table["missing"] == "")[0])
    number = int(phantom_cohort.slices_of(case)[3])
    items = [SliceDataset(phantom_cohort, RECIPE, "none", 1.0)[(epoch, number)] for epoch in range(20)]
    own = phantom_cohort.statistics("inner")[case]
    pre_lost = [(item["statistics"][0] == own[LGG_TASK.primary_channel]).all() for item in items]
    assert any(pre_lost) and not all(pre_lost)
    for item, lost in zip(items, pre_lost, strict=True):
        assert (item["image"][..., 2] == item["image"][..., LGG_TASK.primary_channel]).all()
        assert (item["statistics"][2] == own[LGG_TASK.primary_channel]).all()
        assert (item["image"][..., 0] == item["image"][..., LGG_TASK.primary_channel]).all() == lost


def test_an_uneven_size_with_five_channels(make: Make) -> None:
    batches = make(recipe=InputRecipe(96, "inner", 1), augmentation="standard")
    train, val = next(iter(batches.train_dataloader())), next(iter(batches.val_dataloader()))
    assert train["image"].shape == val["image"].shape == (7, 96, 96, 5)
    assert train["mask"].shape == (7, 96, 96, 1)
    assert val["truth"].shape == (7, 64, 64)


@pytest.mark.parametrize("batch_size", [1, 4, 100])
def test_a_scoring_batch_holds_one_case(phantom_cohort: Cohort, split: Split, batch_size: int) -> None:
    """Cases may differ in height and width, so their truths cannot be stacked."""
    batches = list(CaseSampler(phantom_cohort, split.test, batch_size))
    assert [number for batch in batches for _, number in batch] == split.test.tolist()
    assert all(len({phantom_cohort.case_of(number)[0] for _, number in batch}) == 1 for batch in batches)
    assert max(map(len, batches)) <= batch_size


@pytest.mark.parametrize("part", ["val", "test"])
def test_flips_of_the_old_protocol_turn_image_and_mask_but_never_the_truth(make: Make, part: str) -> None:
    plain, turned, again = (
        list(getattr(make(test_flips=flips), f"{part}_dataloader")()) for flips in (False, True, True)
    )
    assert same(turned, again)
    ways = torch.cat([batch["turn"] for batch in turned]).tolist()
    assert len(set(ways)) > 4
    assert "turn" not in plain[0]
    for one, other in zip(plain, turned, strict=True):
        assert torch.equal(one["truth"], other["truth"])
        for row, way in enumerate(other["turn"].tolist()):
            for name in ("image", "mask"):
                assert (other[name][row].numpy() == turn(one[name][row].numpy(), way)).all()


def test_training_is_the_same_with_and_without_flips_of_the_test(make: Make) -> None:
    assert same(*(list(make(test_flips=flips).train_dataloader()) for flips in (False, True)))


def test_swapped_channels_keep_the_statistics_where_they_were(phantom_cohort: Cohort) -> None:
    """The fault: an image read as blue, green, red is scaled by the numbers of red, green, blue."""
    usual, swapped = (
        SliceDataset(phantom_cohort, InputRecipe(32, "imagenet", 1, order))[(0, 3)] for order in ("rgb", "bgr")
    )
    assert (swapped["image"][..., [2, 1, 0, 3, 4]] == usual["image"]).all()
    assert (usual["image"] != swapped["image"]).any()
    assert (swapped["statistics"] == usual["statistics"]).all()


def test_dropout_finds_its_sequences_when_they_are_swapped(phantom_cohort: Cohort) -> None:
    case = int(np.flatnonzero(phantom_cohort.table["missing"] == "")[0])
    number = int(phantom_cohort.slices_of(case)[3])
    usual, swapped = (
        [SliceDataset(phantom_cohort, InputRecipe(32, "unit", 0, order), "none", 1.0)[(e, number)] for e in range(20)]
        for order in ("rgb", "bgr")
    )
    for one, other in zip(usual, swapped, strict=True):
        assert (other["image"][..., ::-1] == one["image"]).all()


@pytest.mark.parametrize("policy", ["flips", "standard", "turns", "historical"])
@pytest.mark.parametrize("targets", [1, 6])
def test_masks_of_targets_move_with_the_image_as_one_mask_does(policy: str, targets: int) -> None:
    """However many there are: OpenCV warps four channels at once."""
    rng = np.random.default_rng(0)
    image, masks = rng.integers(0, 256, (32, 32, 5), np.uint8), rng.integers(0, 2, (32, 32, targets), np.uint8)

    def augmented(seed: int, mask: np.ndarray) -> dict[str, np.ndarray]:
        composed = build_policy(policy)
        composed.set_random_state(np.random.default_rng(seed), random.Random(seed))
        return composed(image=image, mask=mask)

    for seed in range(5):
        together = augmented(seed, masks)
        assert together["mask"].shape == masks.shape and together["mask"].dtype == np.uint8
        for place in range(targets):
            alone = augmented(seed, masks[..., place])
            assert (together["image"] == alone["image"]).all()
            assert (together["mask"][..., place] == alone["mask"]).all()


@pytest.mark.parametrize("targets", [NESTED, CLASSED, LARGE], ids=["regions", "classes", "two bytes"])
def test_targets_are_fitted_by_majority_and_the_truth_is_a_label_map(
    phantom_cohort: Cohort, tmp_path: Path, targets: Targets
) -> None:
    cohort = relabelled(phantom_cohort, tmp_path / "packed", targets)
    dataset = SliceDataset(cohort, RECIPE)
    held, seen = cohort.has_lesion(), []
    for number in range(0, cohort.n_slices, 3):
        case, index = cohort.case_of(number)
        item = dataset[(0, number)]
        assert (item["truth"] == cohort.labels(case)[index]).all()
        truth = cohort.truth(case)[:, index]
        on_device = encode(default_collate([item])["truth"], targets)[0].numpy()
        assert (on_device == truth).all()
        seen.append(truth.any(axis=(1, 2)))
        assert held[number] == truth.any()
        blocks = truth.reshape(len(targets), 32, 2, 32, 2).mean(axis=(2, 4))  # 64 pixels become 32
        assert (np.moveaxis(item["mask"], 2, 0) == (blocks >= 0.5)).all()
    assert np.any(seen, axis=0).all()
