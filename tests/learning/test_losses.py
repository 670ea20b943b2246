"""Losses from logits: right by hand, finite everywhere."""

import math

import pytest
import torch

from headtohead.learning.losses import bce_dice_loss, soft_dice_loss

LOGITS = torch.tensor([[0.0, 2.0], [-1.0, 3.0]])[None, None]
MASK = torch.tensor([[0.0, 1.0], [1.0, 1.0]])[None, None]


def sigmoid(value: float) -> float:
    return 1 / (1 + math.exp(-value))


def test_soft_dice_by_hand() -> None:
    p = [sigmoid(value) for value in (0.0, 2.0, -1.0, 3.0)]
    expected = 1 - (2 * (p[1] + p[2] + p[3]) + 1) / (sum(p) + 3 + 1)
    assert soft_dice_loss(LOGITS, MASK).item() == pytest.approx(expected)


def test_sum_of_cross_entropy_and_dice_by_hand() -> None:
    p = [sigmoid(value) for value in (0.0, 2.0, -1.0, 3.0)]
    entropy = -(math.log(1 - p[0]) + math.log(p[1]) + math.log(p[2]) + math.log(p[3])) / 4
    assert bce_dice_loss(LOGITS, MASK).item() == pytest.approx(entropy + soft_dice_loss(LOGITS, MASK).item())


def test_dice_is_pooled_over_the_batch() -> None:
    """An empty slice beside a full one is no loss of its own, and its false positives count."""
    logits, mask = torch.cat([LOGITS, LOGITS]), torch.cat([MASK, torch.zeros_like(MASK)])
    p = torch.sigmoid(logits)
    assert soft_dice_loss(logits, mask) == 1 - (2 * (p * mask).sum() + 1) / (p.sum() + mask.sum() + 1)
    assert soft_dice_loss(logits, mask) > soft_dice_loss(LOGITS, MASK)


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
