"""The default loss from logits: right by hand, finite everywhere."""

import math

import pytest
import torch

from headtohead.learning.losses.bce_dice import bce_dice_loss
from headtohead.learning.losses.dice import soft_dice_loss

LOGITS = torch.tensor([[0.0, 2.0], [-1.0, 3.0]])[None, None]
MASK = torch.tensor([[0.0, 1.0], [1.0, 1.0]])[None, None]


def sigmoid(value: float) -> float:
    return 1 / (1 + math.exp(-value))


def test_soft_dice_by_hand() -> None:
    p = [sigmoid(value) for value in (0.0, 2.0, -1.0, 3.0)]
    expected = 1 - (2 * (p[1] + p[2] + p[3]) + 1) / (sum(p) + 3 + 1)
    assert soft_dice_loss(LOGITS.sigmoid(), MASK).item() == pytest.approx(expected)


def test_sum_of_cross_entropy_and_dice_by_hand() -> None:
    p = [sigmoid(value) for value in (0.0, 2.0, -1.0, 3.0)]
    entropy = -(math.log(1 - p[0]) + math.log(p[1]) + math.log(p[2]) + math.log(p[3])) / 4
    assert bce_dice_loss(LOGITS, MASK).item() == pytest.approx(entropy + soft_dice_loss(LOGITS.sigmoid(), MASK).item())


def test_dice_is_pooled_over_the_batch() -> None:
    """An empty slice beside a full one is no loss of its own, and its false positives count."""
    logits, mask = torch.cat([LOGITS, LOGITS]), torch.cat([MASK, torch.zeros_like(MASK)])
    p = torch.sigmoid(logits)
    assert soft_dice_loss(p, mask) == 1 - (2 * (p * mask).sum() + 1) / (p.sum() + mask.sum() + 1)
    assert soft_dice_loss(p, mask) > soft_dice_loss(LOGITS.sigmoid(), MASK)


@pytest.mark.parametrize("logit", [-200.0, 0.0, 200.0])
@pytest.mark.parametrize("truth", [0.0, 1.0])
def test_finite_with_finite_gradients(logit: float, truth: float) -> None:
    logits = torch.full((2, 1, 4, 4), logit, requires_grad=True)
    loss = bce_dice_loss(logits, torch.full((2, 1, 4, 4), truth))
    loss.backward()
    assert loss.isfinite() and loss >= 0
    assert logits.grad is not None and logits.grad.isfinite().all()


def test_an_empty_batch_found_empty_costs_nothing() -> None:
    assert bce_dice_loss(torch.full((1, 1, 4, 4), -50.0), torch.zeros(1, 1, 4, 4)).item() == pytest.approx(0, abs=1e-6)


def test_a_perfect_answer_costs_nothing_and_the_opposite_much() -> None:
    assert bce_dice_loss(100 * (2 * MASK - 1), MASK).item() == pytest.approx(0, abs=1e-6)
    assert bce_dice_loss(-100 * (2 * MASK - 1), MASK).item() > 50


def test_of_several_regions_the_loss_is_the_mean() -> None:
    logits, mask = torch.cat([LOGITS, -LOGITS], dim=1), torch.cat([MASK, MASK.roll(1, 2)], dim=1)
    alone = [bce_dice_loss(*(one[:, [place]] for one in (logits, mask))).item() for place in (0, 1)]
    assert bce_dice_loss(logits, mask).item() == pytest.approx(sum(alone) / 2)


def test_classes_share_a_softmax_with_the_background() -> None:
    logits = torch.tensor([[1.0, 0.0], [2.0, -1.0], [0.0, 3.0]])[
        None, :, :, None
    ]  # background, two targets; two pixels
    mask = torch.tensor([[1.0, 0.0], [0.0, 0.0]])[None, :, :, None]  # the first target, nothing
    p = [[math.exp(value) / sum(map(math.exp, pixel)) for value in pixel] for pixel in ((1, 2, 0), (0, -1, 3))]
    entropy = -(math.log(p[0][1]) + math.log(p[1][0])) / 2
    first = 1 - (2 * p[0][1] + 1) / (p[0][1] + p[1][1] + 1 + 1)
    second = 1 - 1 / (p[0][2] + p[1][2] + 0 + 1)
    assert bce_dice_loss(logits, mask).item() == pytest.approx(entropy + (first + second) / 2)


def test_a_pixel_of_two_classes_is_the_later_one_s() -> None:
    """As a label map is written; half of an area may be one's and half the other's."""
    logits, both = torch.randn(1, 3, 1, 1), torch.ones(1, 2, 1, 1)
    p = logits.softmax(dim=1).flatten()
    soft = [1 - (2 * one + 1) / (one + 2) for one in p[1:]]
    assert bce_dice_loss(logits, both).item() == pytest.approx((-p[2].log() + sum(soft) / 2).item())


@pytest.mark.parametrize("logit", [-200.0, 200.0])
def test_classes_are_finite_with_finite_gradients(logit: float) -> None:
    logits = torch.zeros(2, 3, 4, 4)
    logits[:, 1] = logit
    logits.requires_grad_()
    mask = torch.zeros(2, 2, 4, 4)
    mask[0, 0] = 1
    loss = bce_dice_loss(logits, mask)
    loss.backward()
    assert loss.isfinite() and logits.grad is not None and logits.grad.isfinite().all()
