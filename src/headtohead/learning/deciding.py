"""What `task.Targets` does with label maps and probabilities, done on the device, target axis second."""

from functools import reduce

import torch

from headtohead.task import Targets
from headtohead.task.targets import CLASSES


def activate(logits: torch.Tensor, targets: Targets) -> torch.Tensor:
    """Map logits float [B, targets.logits, ...] to the probability of each target, float [B, K, ...].

    Regions may overlap: a sigmoid each. Classes exclude each other: a softmax, whose first channel is the background.
    """
    return logits.softmax(dim=1)[:, 1:] if targets.kind == CLASSES else logits.sigmoid()


def decide_targets(probability: torch.Tensor, targets: Targets, threshold: float) -> torch.Tensor:
    """Decide which targets each pixel is, bool [B, K, H, W]: `targets.encode(targets.decide(...))` of each slice."""
    if len(targets) == 1:
        return probability >= threshold
    labels = torch.zeros_like(probability[:, 0], dtype=torch.int32)
    channels = _chosen(probability, targets, threshold)
    for chosen, label in zip(channels, targets.written, strict=True):
        labels.masked_fill_(chosen, label)
    for inside, label in targets.overlaps:
        alike = [chosen == there for chosen, there in zip(channels, inside, strict=True)]
        labels.masked_fill_(reduce(torch.logical_and, alike), label)
    return encode(labels, targets)


def encode(labels: torch.Tensor, targets: Targets) -> torch.Tensor:
    """Encode label maps [B, H, W] of any type of whole numbers as channels, bool [B, K, H, W]."""
    channels = [reduce(torch.logical_or, [labels == label for label in target.labels]) for target in targets.all]
    return torch.stack(channels, dim=1)


def _chosen(probability: torch.Tensor, targets: Targets, threshold: float) -> list[torch.Tensor]:
    """Which pixels each target is written on, before a later one is written over it: bool [B, H, W] each."""
    channels = probability.unbind(dim=1)
    if targets.thresholded:
        return [channel >= threshold for channel in channels]
    best, place = channels[0], torch.zeros_like(channels[0], dtype=torch.int32)
    total = channels[0]
    for number, channel in enumerate(channels[1:], start=1):
        place = torch.where(channel > best, number, place)
        best, total = torch.maximum(best, channel), total + channel
    return [(place == number) & (best >= 1 - total) for number in range(len(channels))]
