"""Losses on logits."""

import torch
from torch.nn import functional


def soft_dice_loss(logits: torch.Tensor, mask: torch.Tensor, smooth: float = 1.0) -> torch.Tensor:
    """One minus the soft Dice of a whole batch.

    Pooling over the batch gives slices without a lesion a gradient. This is a loss: scores never smooth, never pool.

    Args:
        logits: float [B, 1, S, S].
        mask: float {0, 1}, same shape.
        smooth: added above and below, so that an empty batch is defined.

    Source: Milletari, Navab, Ahmadi, V-Net, 3DV 2016, doi 10.1109/3DV.2016.79.
    """
    probability = torch.sigmoid(logits)
    overlap = (probability * mask).sum()
    return 1 - (2 * overlap + smooth) / (probability.sum() + mask.sum() + smooth)


def bce_dice_loss(logits: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Binary cross-entropy plus soft Dice loss, both from logits: scalar."""
    return functional.binary_cross_entropy_with_logits(logits, mask) + soft_dice_loss(logits, mask)
