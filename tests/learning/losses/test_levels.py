"""Deep supervision: the loss of several resolutions at once."""

import numpy as np
import pytest
import torch

from headtohead.learning.losses.levels import loss_of_levels, shrunk
from headtohead.learning.losses.registry import LOSSES
from headtohead.learning.losses.training_loss import TrainingLoss


def drawn(targets: int = 1, channels: int = 1, size: int = 8) -> tuple[list[torch.Tensor], torch.Tensor]:
    rng = torch.Generator().manual_seed(0)
    levels = [torch.randn(2, channels, size >> place, size >> place, generator=rng) for place in range(3)]
    classes = torch.randint(0, targets + 1, (2, 1, size, size), generator=rng)
    return levels, torch.cat([classes == place + 1 for place in range(targets)], dim=1).to(torch.uint8)


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize(("targets", "channels"), [(1, 1), (2, 3)])
def test_each_level_has_half_the_weight_of_the_one_above(name: str, targets: int, channels: int) -> None:
    levels, mask = drawn(targets, channels)
    loss = TrainingLoss(name)
    whole, half, quarter = (
        loss(own, mask[:, :, start :: 2**place, start :: 2**place]).item()
        for place, (own, start) in enumerate(zip(levels, (0, 1, 2), strict=True))
    )
    expected = 4 / 7 * whole + 2 / 7 * half + 1 / 7 * quarter
    assert loss_of_levels(loss, levels, mask).item() == pytest.approx(expected)


def test_one_level_is_the_loss_itself() -> None:
    levels, mask = drawn()
    loss = TrainingLoss("bce_dice")
    assert torch.equal(loss_of_levels(loss, levels[:1], mask), loss(levels[0], mask))


def test_every_level_has_a_gradient() -> None:
    levels, mask = drawn()
    leaves = [own.requires_grad_() for own in levels]
    loss_of_levels(TrainingLoss("bce_dice"), leaves, mask).backward()
    assert all(own.grad is not None and own.grad.any() for own in leaves)


@pytest.mark.parametrize("size", [(8, 12), (4, 6), (2, 3)])
def test_the_nearest_pixels_are_pytorch_s(size: tuple[int, int]) -> None:
    mask = torch.from_numpy(np.random.default_rng(0).integers(0, 2, (2, 3, 8, 12)))
    expected = torch.nn.functional.interpolate(mask.float(), size, mode="nearest-exact")
    assert torch.equal(shrunk(mask, size).float(), expected)
