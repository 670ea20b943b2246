"""Soft Dice."""

import torch

from headtohead.learning.losses.terms import mean_over_channels, target_probability


def dice_loss(logits: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Mean soft Dice loss over targets; shapes as in `LossSpec`."""
    return mean_over_channels(soft_dice_loss, target_probability(logits, mask), mask)


def soft_dice_loss(probability: torch.Tensor, mask: torch.Tensor, smooth: float = 1.0) -> torch.Tensor:
    """One minus the soft Dice of one target in a whole batch: float [B, S, S] against a mask {0, 1} of that shape.

    Pooling over the batch gives slices without a lesion a gradient, and `smooth` defines an empty batch. This is a
    loss: scores never smooth, never pool. Source: Milletari, Navab, Ahmadi, V-Net, 3DV 2016, doi 10.1109/3DV.2016.79.
    """
    overlap = (probability * mask).sum()
    return 1 - (2 * overlap + smooth) / (probability.sum() + mask.sum() + smooth)
