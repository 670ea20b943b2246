"""Generalised Dice."""

import torch

from headtohead.learning.losses.terms import exclusive, mean_over_channels, one_hot


def generalized_dice_loss(logits: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Generalised Dice loss in a whole batch; shapes as in `LossSpec`.

    Classes and background are weighted against each other; a region is weighted against what is not of it, and the
    loss is the mean over regions. Source: Sudre et al., DLMIA 2017, doi 10.1007/978-3-319-67558-9_28.
    """
    if exclusive(logits, mask):
        return soft_generalized_dice_loss(logits.softmax(dim=1), one_hot(mask))
    return mean_over_channels(_against_the_rest, logits.sigmoid(), mask)


def soft_generalized_dice_loss(probability: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """One minus the generalised Dice of labels that share all pixels: float [B, L, S, S] against {0, 1} of that shape.

    The weight of a label is one through its number of pixels squared. A label without a pixel would have an infinite
    one; it has the largest of the others, as in MONAI.
    """
    pixels = mask.sum(dim=(0, 2, 3))
    weight = torch.where(pixels > 0, 1 / pixels.clamp(min=1) ** 2, 0.0)
    weight = torch.where(pixels > 0, weight, weight.max())
    overlap = (probability * mask).sum(dim=(0, 2, 3))
    both = probability.sum(dim=(0, 2, 3)) + pixels
    return 1 - 2 * (weight * overlap).sum() / (weight * both).sum()


def _against_the_rest(probability: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    labels = (torch.stack([1 - one, one], dim=1) for one in (probability, mask))
    return soft_generalized_dice_loss(*labels)
