"""Cross-entropy plus soft Dice of single slices."""

import torch

from headtohead.learning.losses.terms import cross_entropy, target_probability

SMOOTH = 1e-5
"""MONAI's: an empty slice with any false pixel has a Dice of about 0."""


def dice_ce_loss(logits: torch.Tensor, mask: torch.Tensor, pos_weight: torch.Tensor | None = None) -> torch.Tensor:
    """Cross-entropy plus the mean soft Dice loss over slices and targets; shapes as in `LossSpec`.

    As MONAI's `DiceCELoss`, but regions have a binary cross-entropy each and the background has no Dice. Every slice
    counts alike: a small lesion as much as a large one, and a slice without one too. Source: Isensee et al., nnU-Net,
    Nat Methods 18:203-211, 2021, doi 10.1038/s41592-020-01008-z.
    """
    probability = target_probability(logits, mask)
    overlap = (probability * mask).sum(dim=(2, 3))
    dice = (2 * overlap + SMOOTH) / (probability.sum(dim=(2, 3)) + mask.sum(dim=(2, 3)) + SMOOTH)
    return cross_entropy(logits, mask, pos_weight) + (1 - dice).mean()
