"""Several trained nets as one: the mean of their probabilities."""

from collections.abc import Sequence

import torch
from torch import nn

SMALLEST = 1e-6  # a mean probability this near 0 or 1 is given as this: its logit stays finite


class AveragedNets(nn.Module):
    """Gives the logit of the mean probability, so that it stands wherever a single net does."""

    def __init__(self, nets: Sequence[nn.Module]) -> None:
        """Take nets that have the same input."""
        super().__init__()
        self.nets = nn.ModuleList(nets)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Map float32 [B, C, S, S] to logits float32 [B, 1, S, S]."""
        mean = torch.stack([net(image).float().sigmoid() for net in self.nets]).mean(dim=0)
        return torch.logit(mean, eps=SMALLEST)
