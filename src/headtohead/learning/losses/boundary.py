"""Boundary loss."""

import torch

from headtohead.learning.losses.bce_dice import bce_dice_loss
from headtohead.learning.losses.distances import signed_distance
from headtohead.learning.losses.terms import target_probability

SHARE = 0.01
"""Of the boundary term, the paper's first value; it is pixels times probability, the others are about 1."""


def boundary_loss(logits: torch.Tensor, mask: torch.Tensor, pos_weight: torch.Tensor | None = None) -> torch.Tensor:
    """Cross-entropy and soft Dice plus a share of the boundary term; shapes as in `LossSpec`.

    The boundary term is the mean over pixels of false probability times its distance to the true outline, missed
    probability likewise: 0 for a perfect answer. A slice without an outline has none, so regional terms stand beside
    it. Source: Kervadec et al., Med Image Anal 67:101851, 2021, doi 10.1016/j.media.2020.101851, equation 5.
    """
    with torch.no_grad():
        distance = signed_distance(mask)
    beyond = (distance * (target_probability(logits, mask) - mask)).mean()
    return bce_dice_loss(logits, mask, pos_weight) + SHARE * beyond
