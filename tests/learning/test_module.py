"""The module scales as the recipe says, and scores each case once: batches, order and smoothing leave no trace."""

from typing import Any

import numpy as np
import pytest
import torch

from headtohead.batches.datamodule import SliceDataModule, SliceDataset
from headtohead.batches.splits import Split
from headtohead.batches.turning import draw_turn, turn
from headtohead.cohort import Cohort
from headtohead.learning.counts import to_source_grid
from headtohead.learning.losses.bce_dice import bce_dice_loss
from headtohead.learning.module import SegmentationModule, scale_batch
from headtohead.preparing.recipe import InputRecipe
from headtohead.preparing.steps.scale import scaled
from headtohead.scoring.counts import count, dice, mean_dice, mean_over_targets, target_dice


def counts_on_test(
    make_trainer: Any, module: SegmentationModule, cohort: Cohort, split: Split, batch_size: int = 4
) -> Any:
    batches = SliceDataModule(cohort, split, module.recipe, batch_size=batch_size, num_workers=0)
    make_trainer().test(module, batches, verbose=False)
    return module.counts.rows[:, 0].clone()


def primary(table: np.ndarray) -> float:
    return mean_dice(mean_over_targets(target_dice(table)))


@pytest.fixture(scope="module")
def module(make_module: Any, phantom_cohort: Cohort) -> SegmentationModule:
    """Untrained weights, shifted so that half of all pixels come out above the threshold."""
    module = make_module(seed=1).eval()
    dataset = SliceDataset(phantom_cohort, module.recipe)
    items = [dataset[(0, number)] for number in range(0, phantom_cohort.n_slices, 5)]
    image, statistics = (torch.from_numpy(np.stack([item[name] for item in items])) for name in ("image", "statistics"))
    with torch.no_grad():
        module.model.conv.bias -= module(image, statistics).median()
        for value in module.model.conv.parameters():
            value.mul_(10)
    return module


@pytest.mark.parametrize("normalise", ["inner", "zscore", "unit", "imagenet"])
def test_scales_as_the_recipe_does(phantom_cohort: Cohort, normalise: str) -> None:
    recipe = InputRecipe(32, normalise, 1)
    items = [
        (recipe.chain.view(phantom_cohort.images(case), 2), recipe.chain.scaling.measure(phantom_cohort.images(case)))
        for case in (0, 5)
    ]
    expected = np.stack([scaled(view, recipe.chain.scaling.by_channel(statistics)) for view, statistics in items])
    ours = scale_batch(
        torch.from_numpy(np.stack([view for view, _ in items])),
        torch.from_numpy(np.stack([recipe.chain.scaling.by_channel(statistics) for _, statistics in items])),
    )
    assert ours.shape == (2, 5, 32, 32)
    assert ours.numpy() == pytest.approx(expected.transpose(0, 3, 1, 2), abs=1e-5)


def test_scale_keeps_outliers_within_bounds() -> None:
    image = torch.tensor([0, 255], dtype=torch.uint8).view(1, 1, 2, 1)
    assert scale_batch(image, torch.tensor([[[100.0, 1.0]]])).flatten().tolist() == [-8, 8]


@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
def test_logits_do_not_depend_on_the_memory_format(make_module: Any, memory_format: torch.memory_format) -> None:
    net = make_module().eval()
    image, statistics = torch.randint(0, 256, (2, 32, 32, 5), dtype=torch.uint8), torch.rand(2, 5, 2) * 50 + 50
    with torch.inference_mode():
        before = net(image, statistics)
        net.arrange(memory_format)
        after = net(image, statistics)
    assert before.shape == (2, 1, 32, 32) and before.dtype == torch.float32
    assert net.model.conv.weight.is_contiguous(memory_format=memory_format)
    assert after.numpy() == pytest.approx(before.numpy(), abs=1e-4)


@pytest.mark.parametrize("batch_size", [2, 7])
def test_batch_size_does_not_change_a_score(
    make_trainer: Any, module: SegmentationModule, phantom_cohort: Cohort, small_split: Split, batch_size: int
) -> None:
    whole = counts_on_test(make_trainer, module, phantom_cohort, small_split, batch_size=100)
    assert counts_on_test(make_trainer, module, phantom_cohort, small_split, batch_size).equal(whole)
    assert whole[4:6].sum(dim=0).gt(0).all(), "a score of nothing would prove nothing"
    assert not whole[:4].any()


def test_order_of_slices_does_not_change_a_score(
    make_trainer: Any, module: SegmentationModule, phantom_cohort: Cohort, small_split: Split
) -> None:
    shuffled = np.random.default_rng(0).permutation(small_split.test)
    other = Split("patient", 0, small_split.train, small_split.val, shuffled)
    in_order = counts_on_test(make_trainer, module, phantom_cohort, small_split)
    assert counts_on_test(make_trainer, module, phantom_cohort, other).equal(in_order)


def test_scores_are_those_of_predicting_slice_by_slice_on_the_source_grid(
    make_trainer: Any, module: SegmentationModule, phantom_cohort: Cohort, small_split: Split
) -> None:
    """The way `--image_path` predicts, in numpy: so training, test and prediction cannot drift apart."""
    recipe, expected = module.recipe, np.zeros((len(phantom_cohort), 4), int)
    net = module.model.eval()
    for number in small_split.test:
        case, index = phantom_cohort.case_of(int(number))
        volume, truth = phantom_cohort.images(case), phantom_cohort.masks(case)[index].astype(bool)
        image = scaled(
            recipe.chain.view(volume, index), recipe.chain.scaling.by_channel(recipe.chain.scaling.measure(volume))
        )
        with torch.inference_mode():
            logits = net(torch.from_numpy(image.transpose(2, 0, 1))[None])
        probability = recipe.chain.resize.undone(logits.sigmoid()[0, 0].numpy(), *truth.shape)
        expected[case] += (*count(probability >= 0.5, truth), 1)
    ours = counts_on_test(make_trainer, module, phantom_cohort, small_split)
    # cv2 and torch may round a pixel at the threshold to different sides.
    assert np.abs(ours.numpy() - expected).max() <= 3
    by_hand = mean_dice(dice(*expected[[4, 5], :3].T))
    assert primary(module.counts.table()) == pytest.approx(by_hand, abs=1e-3)


def test_a_single_threshold_decides_what_is_lesion(
    make_trainer: Any, module: SegmentationModule, make_module: Any, phantom_cohort: Cohort, small_split: Split
) -> None:
    predicted = []
    for threshold in (0.3, 0.5, 0.7):
        other = make_module(threshold=threshold)
        other.load_state_dict(module.state_dict())
        assert other.hparams["threshold"] == threshold
        rows = counts_on_test(make_trainer, other, phantom_cohort, small_split)
        predicted.append(int(rows[:, :2].sum()))
    assert predicted[0] > predicted[1] > predicted[2]


def test_dice_in_training_and_validation_is_per_case(
    make_trainer: Any, make_module: Any, phantom_cohort: Cohort, small_split: Split
) -> None:
    net = make_module(threshold=0.3)
    batches = SliceDataModule(phantom_cohort, small_split, net.recipe, batch_size=4, num_workers=0)
    trainer = make_trainer(max_epochs=2)
    trainer.fit(net, batches)
    logged = trainer.callback_metrics
    assert logged["dice/train"].item() == pytest.approx(primary(net.train_counts.table()))
    assert logged["dice/val"].item() == pytest.approx(primary(net.counts.table()))
    # One epoch, not two, and each case's slices once.
    sizes = phantom_cohort.table["slices"].tolist()
    assert net.train_counts.rows[:, 0, 3].tolist() == sizes[:2] + [0] * 10
    assert net.counts.rows[:, 0, 3].tolist() == [0, 0, *sizes[2:4]] + [0] * 8


def test_validation_loss_is_weighted_by_slices(
    make_trainer: Any, module: SegmentationModule, phantom_cohort: Cohort, small_split: Split
) -> None:
    batches = SliceDataModule(phantom_cohort, small_split, module.recipe, batch_size=4, num_workers=0)
    logged = make_trainer().validate(module, batches, verbose=False)[0]["loss/val"]
    losses, weights = [], []
    with torch.inference_mode():
        for batch in batches.val_dataloader():
            logits = module.eval()(batch["image"], batch["statistics"])
            losses.append(bce_dice_loss(logits, batch["mask"].movedim(3, 1).float()).item())
            weights.append(len(logits))
    assert len(set(weights)) > 1
    assert logged == pytest.approx(np.average(losses, weights=weights), rel=1e-4)


def test_it_learns(make_trainer: Any, make_module: Any, phantom_cohort: Cohort, small_split: Split) -> None:
    losses = []
    for epochs in (1, 8):
        trainer = make_trainer(max_epochs=epochs, limit_val_batches=0)
        net = make_module(learning_rate=0.02)
        trainer.fit(net, SliceDataModule(phantom_cohort, small_split, net.recipe, batch_size=4, num_workers=0))
        losses.append(trainer.callback_metrics["loss/train"].item())
    assert losses[1] < 0.8 * losses[0]


def test_seed_decides_the_weights(make_module: Any) -> None:
    first, again, other = (make_module(seed=seed).state_dict() for seed in (0, 0, 1))
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["model.conv.weight"], other["model.conv.weight"])


def test_hyperparameters_are_plain_and_enough_to_predict(make_module: Any) -> None:
    facts = dict(make_module().hparams)
    assert facts["recipe"] == {"image_size": 32, "normalise": "inner", "neighbours": 1}
    assert {"model": "buda", "width": 2, "in_channels": 5, "threshold": 0.5}.items() <= facts.items()
    assert all(isinstance(value, str | int | float | dict | None) for value in facts.values())


def test_flipped_slices_score_what_flipped_pictures_and_flipped_truths_would(
    make_trainer: Any, module: SegmentationModule, phantom_cohort: Cohort, small_split: Split
) -> None:
    """The old protocol flips a slice and its truth; turning the answer back and keeping the truth counts the same."""
    batches = SliceDataModule(phantom_cohort, small_split, module.recipe, batch_size=4, num_workers=0, test_flips=True)
    make_trainer().test(module, batches, verbose=False)
    found, expected = module.counts.rows[:, 0, :3].clone(), np.zeros((len(phantom_cohort), 3), int)
    side = phantom_cohort.images(0).shape[1]
    for number in small_split.test:
        case, index = phantom_cohort.case_of(int(number))
        way = draw_turn(0, int(number))
        view = turn(module.recipe.chain.view(phantom_cohort.images(case), index), way)
        statistics = module.recipe.chain.scaling.by_channel(
            module.recipe.chain.scaling.measure(phantom_cohort.images(case))
        )
        with torch.inference_mode():
            logits = module(torch.from_numpy(view)[None], torch.from_numpy(statistics)[None])
        predicted = to_source_grid(logits.sigmoid(), side, side)[0, 0] >= module.hparams["threshold"]
        flipped_truth = turn(phantom_cohort.masks(case)[index], way).astype(bool)
        expected[case] += count(predicted.numpy(), flipped_truth)
    assert np.abs(found.numpy() - expected).max() <= 2  # of thousands: sums of floats in another order
    assert found[:, :2].sum(dim=0).gt(100).all()
    assert not found.equal(counts_on_test(make_trainer, module, phantom_cohort, small_split)[:, :3])
