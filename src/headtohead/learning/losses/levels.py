"""The loss of a net that answers at several resolutions while it is trained."""

from collections.abc import Callable, Sequence

import torch

Loss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


def loss_of_levels(loss: Loss, levels: Sequence[torch.Tensor], mask: torch.Tensor) -> torch.Tensor:
    """Mean loss of logits of falling size [B, L, H, W], weighted 1, 1/2, 1/4, ..., against a mask [B, K, H, W].

    Source: Isensee et al., nnU-Net, Nat Methods 18:203-211, 2021, doi 10.1038/s41592-020-01008-z.
    """
    if len(levels) == 1:
        return loss(levels[0], mask)
    weights = [0.5**place for place in range(len(levels))]
    losses = [loss(logits, shrunk(mask, logits.shape[-2:])) for logits in levels]
    weighted = [weight * own for weight, own in zip(weights, losses, strict=True)]
    return torch.stack(weighted).sum() / sum(weights)


def shrunk(mask: torch.Tensor, size: Sequence[int]) -> torch.Tensor:
    """Take the pixels of a mask [B, K, H, W] nearest to those of a size that divides its own."""
    rows, columns = (whole // part for whole, part in zip(mask.shape[-2:], size, strict=True))
    return mask[..., rows // 2 :: rows, columns // 2 :: columns]
