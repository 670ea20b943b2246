"""Cross-entropy."""

import torch

from headtohead.learning.losses.terms import cross_entropy


def bce_loss(logits: torch.Tensor, mask: torch.Tensor, pos_weight: torch.Tensor | None = None) -> torch.Tensor:
    """Mean cross-entropy over pixels; shapes as in `LossSpec`."""
    return cross_entropy(logits, mask, pos_weight)
