"""From logits to the probability of the targets: sigmoid of regions, softmax of classes without the background."""

import torch

from headtohead.task.targets import CLASSES, Targets


def probability_of(logits: torch.Tensor, targets: Targets) -> torch.Tensor:
    """Map logits float [B, `targets.logits`, ...] to probability [B, K, ...], one channel a target."""
    return logits.softmax(dim=1)[:, 1:] if targets.kind == CLASSES else logits.sigmoid()
