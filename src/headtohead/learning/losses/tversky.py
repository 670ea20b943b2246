"""Soft Tversky index."""

import torch

from headtohead.learning.losses.terms import mean_over_channels, target_probability

FALSE, MISSED = 0.3, 0.7


def tversky_loss(logits: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Mean over targets of one minus the Tversky index in a whole batch; shapes as in `LossSpec`.

    Missed pixels cost more than false ones. Source: Salehi, Erdogmus, Gholipour, MLMI 2017, doi
    10.1007/978-3-319-67389-9_44.
    """
    return mean_over_channels(soft_tversky_loss, target_probability(logits, mask), mask)


def soft_tversky_loss(
    probability: torch.Tensor, mask: torch.Tensor, false: float = FALSE, missed: float = MISSED, smooth: float = 1.0
) -> torch.Tensor:
    """One minus the soft Tversky index of one target in a whole batch: float [B, S, S] against a mask of that shape.

    `false` and `missed` weight false and missed pixels: 1 and 1 give the Jaccard index, 0.5 and 0.5 Dice. `smooth`
    defines an empty batch, in which false pixels still cost.
    """
    found = (probability * mask).sum()
    wrong = false * (probability * (1 - mask)).sum() + missed * ((1 - probability) * mask).sum()
    return 1 - (found + smooth) / (found + wrong + smooth)
