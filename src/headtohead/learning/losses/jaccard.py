"""Soft Jaccard index."""

from functools import partial

import torch

from headtohead.learning.losses.terms import mean_over_channels, target_probability
from headtohead.learning.losses.tversky import soft_tversky_loss


def jaccard_loss(logits: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Mean over targets of one minus the soft Jaccard index in a whole batch; shapes as in `LossSpec`.

    Source: Rahman and Wang, ISVC 2016, doi 10.1007/978-3-319-50835-1_22.
    """
    soft_jaccard = partial(soft_tversky_loss, false=1.0, missed=1.0)
    return mean_over_channels(soft_jaccard, target_probability(logits, mask), mask)
