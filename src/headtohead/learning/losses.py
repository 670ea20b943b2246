"""Losses on logits."""

import torch
from torch.nn import functional

from headtohead.task.targets import CLASSES, REGIONS


def soft_dice_loss(probability: torch.Tensor, mask: torch.Tensor, smooth: float = 1.0) -> torch.Tensor:
    """One minus the soft Dice of one target in a whole batch: float [B, S, S] against a mask {0, 1} of that shape.

    Pooling over the batch gives slices without a lesion a gradient, and `smooth` defines an empty batch. This is a
    loss: scores never smooth, never pool. Source: Milletari, Navab, Ahmadi, V-Net, 3DV 2016, doi 10.1109/3DV.2016.79.
    """
    overlap = (probability * mask).sum()
    return 1 - (2 * overlap + smooth) / (probability.sum() + mask.sum() + smooth)


def bce_dice_loss(logits: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Binary cross-entropy plus soft Dice loss, the mean over targets that may overlap.

    Logits are float [B, K, S, S], the mask float {0, 1} of that shape.
    """
    return functional.binary_cross_entropy_with_logits(logits, mask) + _mean_dice_loss(logits.sigmoid(), mask)


def cross_entropy_dice_loss(logits: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Cross-entropy plus soft Dice loss, the mean over targets that exclude each other.

    Logits are float [B, K + 1, S, S], the background's first; the mask is float {0, 1} [B, K, S, S], and a pixel that
    two targets share is the later one's.
    """
    target = torch.zeros_like(mask[:, 0], dtype=torch.int64)
    for place, own in enumerate(mask.unbind(dim=1), start=1):
        target = torch.where(own > 0, place, target)
    return functional.cross_entropy(logits, target) + _mean_dice_loss(logits.softmax(dim=1)[:, 1:], mask)


def _mean_dice_loss(probability: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    pairs = zip(probability.unbind(dim=1), mask.unbind(dim=1), strict=True)
    return torch.stack([soft_dice_loss(*pair) for pair in pairs]).mean()


LOSSES = {REGIONS: bce_dice_loss, CLASSES: cross_entropy_dice_loss}
"""By the kind of targets."""
