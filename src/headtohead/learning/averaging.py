"""Several trainings of one net as one: the mean of their probabilities."""

from collections.abc import Mapping, Sequence

import torch
from torch import nn

from headtohead.task.targets import CLASSES

SMALLEST = 1e-6  # a mean probability this near 0 or 1 is given as this: its logit stays finite


class AveragedNets(nn.Module):
    """Gives the logits of the mean probability, so that it stands wherever a single net does.

    There is one net, which takes the weights of each training in turn: memory does not grow with their number.
    """

    def __init__(self, net: nn.Module, weights: Sequence[Mapping[str, torch.Tensor]], kind: str) -> None:
        """Take net, weights of its trainings, which may lie on disk (`read_checkpoint`, mapped), kind of targets."""
        super().__init__()
        self.net, self.weights, self.exclusive = net, weights, kind == CLASSES

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Map float32 [B, C, S, S] to logits float32 [B, logits, S, S]."""
        mean = torch.stack([self._probability(image, weights) for weights in self.weights]).mean(dim=0)
        return mean.clamp(min=SMALLEST).log() if self.exclusive else torch.logit(mean, eps=SMALLEST)

    def _probability(self, image: torch.Tensor, weights: Mapping[str, torch.Tensor]) -> torch.Tensor:
        self.net.load_state_dict(weights)
        torch.clear_autocast_cache()  # else autocast goes on with its copies of the weights before
        logits = self.net(image).float()
        return logits.softmax(dim=1) if self.exclusive else logits.sigmoid()
