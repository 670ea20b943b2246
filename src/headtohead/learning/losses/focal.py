"""Focal loss."""

import torch

from headtohead.learning.losses.terms import cross_entropy

GAMMA = 2.0


def focal_loss(logits: torch.Tensor, mask: torch.Tensor, pos_weight: torch.Tensor | None = None) -> torch.Tensor:
    """Mean over pixels of the cross-entropy times (1 - p)^2, p the probability of the truth; shapes as in `LossSpec`.

    The paper's alpha is `pos_weight` here, none by default. Source: Lin et al., ICCV 2017, doi 10.1109/ICCV.2017.324.
    """
    hardness = (1 - torch.exp(-cross_entropy(logits, mask, reduction="none"))) ** GAMMA
    return (hardness * cross_entropy(logits, mask, pos_weight, reduction="none")).mean()
