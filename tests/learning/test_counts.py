"""Counting on the device is counting: the same as `scoring` does, in whatever order slices come."""

import math

import numpy as np
import pytest
import torch

from headtohead.batches.turning import WAYS, turn
from headtohead.learning.counts import DeviceCounts, to_source_grid, turned_back
from headtohead.preparing.recipe import InputRecipe
from headtohead.scoring.counts import count, dice, mean_dice, mean_over_targets, target_dice

CASES, SLICES, TARGETS = 5, 40, 2


def made_up() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Slices of cases 0, 1, 3 and 4; case 3 has no target and none is predicted, case 4 only a prediction."""
    rng = np.random.default_rng(0)
    case = rng.choice([0, 1, 3, 4], SLICES)
    prediction, truth = rng.random((2, SLICES, TARGETS, 6, 5)) < 0.4
    prediction[case == 3] = truth[case >= 3] = False
    return tuple(torch.from_numpy(array) for array in (prediction, truth, case))


def counted(order: np.ndarray, batch_size: int) -> DeviceCounts:
    counts = DeviceCounts(CASES, TARGETS)
    slices = made_up()
    for start in range(0, SLICES, batch_size):
        counts.add(*(array[order[start : start + batch_size]] for array in slices))
    return counts


def test_agrees_with_scoring() -> None:
    expected = np.zeros((CASES, TARGETS, 4), int)
    for prediction, truth, case in zip(*(array.numpy() for array in made_up()), strict=True):
        for target in range(TARGETS):
            expected[case, target] += (*count(prediction[target], truth[target]), 1)
    assert (counted(np.arange(SLICES), 7).table() == expected).all()
    scores = dice(*expected[[0, 1], :, :3].transpose(2, 0, 1))
    assert primary(counted(np.arange(SLICES), 7)) == pytest.approx(scores.mean())


def primary(counts: DeviceCounts) -> float:
    return mean_dice(mean_over_targets(target_dice(counts.table())))


@pytest.mark.parametrize("batch_size", [1, 3, 13, SLICES])
def test_neither_order_nor_batch_size_leaves_a_trace(batch_size: int) -> None:
    order = np.random.default_rng(batch_size).permutation(SLICES)
    assert counted(order, batch_size).rows.equal(counted(np.arange(SLICES), 8).rows)


def test_mean_is_over_cases_with_lesion_whatever_is_predicted() -> None:
    counts = DeviceCounts(5)
    counts.rows[:4, 0] = torch.tensor([[1, 1, 1, 1], [0, 0, 0, 1], [0, 5, 0, 1], [0, 0, 5, 1]])
    assert primary(counts) == pytest.approx((0.5 + 0) / 2)


def test_no_case_no_mean() -> None:
    assert math.isnan(primary(DeviceCounts(3)))


def test_many_voxels_are_counted_exactly() -> None:
    counts = DeviceCounts(1)
    counts.rows[0, 0] = torch.tensor([2**40, 2**40, 2**40, 1])
    assert primary(counts) == 0.5


def test_reset() -> None:
    counts = counted(np.arange(SLICES), 8)
    counts.reset()
    assert not counts.rows.any()


def test_counts_are_no_part_of_a_checkpoint() -> None:
    assert not DeviceCounts(3).state_dict()


@pytest.mark.parametrize(("height", "width"), [(64, 64), (40, 64), (64, 41), (250, 200), (20, 20)])
@pytest.mark.parametrize("size", [32, 96])
def test_source_grid_is_that_of_the_recipe(size: int, height: int, width: int) -> None:
    probability = np.random.default_rng(0).random((2, 3, size, size), dtype=np.float32)
    ours = to_source_grid(torch.from_numpy(probability), height, width).numpy()
    assert ours.shape == (2, 3, height, width)
    for one, expected in zip(ours.reshape(6, height, width), probability.reshape(6, size, size), strict=True):
        assert one == pytest.approx(InputRecipe(size, "unit", 0).chain.resize.undone(expected, height, width), abs=1e-5)


def test_what_was_turned_is_turned_back() -> None:
    squares = torch.rand(WAYS, 3, 5, 5)
    turned = torch.stack(
        [torch.from_numpy(turn(one.permute(1, 2, 0).numpy(), way)).permute(2, 0, 1) for way, one in enumerate(squares)]
    )
    assert torch.equal(turned_back(turned, torch.arange(WAYS)), squares)
