"""Cross-entropy plus soft Dice: what models are trained with unless a loss is chosen."""

import torch

from headtohead.learning.losses.dice import dice_loss
from headtohead.learning.losses.terms import cross_entropy


def bce_dice_loss(logits: torch.Tensor, mask: torch.Tensor, pos_weight: torch.Tensor | None = None) -> torch.Tensor:
    """Sum of cross-entropy and soft Dice loss; shapes as in `LossSpec`."""
    return cross_entropy(logits, mask, pos_weight) + dice_loss(logits, mask)
