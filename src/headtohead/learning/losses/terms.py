"""What losses are made of: the probabilities of the targets, the class of each pixel, cross-entropy."""

from collections.abc import Callable

import torch
from torch.nn import functional


def exclusive(logits: torch.Tensor, mask: torch.Tensor) -> bool:
    """Say whether the targets exclude each other: logits [B, K + 1, ...] then begin with the background's."""
    return logits.shape[1] > mask.shape[1]


def target_probability(logits: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Give the probabilities of the K targets, in the shape of the mask: a sigmoid each, or a softmax of classes."""
    return logits.softmax(dim=1)[:, 1:] if exclusive(logits, mask) else logits.sigmoid()


def class_of_pixels(mask: torch.Tensor) -> torch.Tensor:
    """Give the class of each pixel of a mask {0, 1} [B, K, S, S], int64 [B, S, S]: 0 background, else 1 to K.

    A pixel that two targets share is the later one's.
    """
    classes = torch.zeros_like(mask[:, 0], dtype=torch.int64)
    for place, own in enumerate(mask.unbind(dim=1), start=1):
        classes = torch.where(own > 0, place, classes)
    return classes


def one_hot(mask: torch.Tensor) -> torch.Tensor:
    """Give a mask of classes with the background as first channel, [B, K + 1, S, S]: each pixel is of one class."""
    classes = class_of_pixels(mask)
    return torch.stack([(classes == place).to(mask.dtype) for place in range(mask.shape[1] + 1)], dim=1)


def cross_entropy(
    logits: torch.Tensor, mask: torch.Tensor, pos_weight: torch.Tensor | None = None, reduction: str = "mean"
) -> torch.Tensor:
    """Mean cross-entropy over pixels: of each region by itself, of classes by a softmax with the background.

    `pos_weight` [K] multiplies the terms of the pixels of each target; the mean is over all pixels all the same.
    Without a mean, `none`: that of each pixel, [B, K, S, S] of regions, [B, S, S] of classes.
    """
    if not exclusive(logits, mask):
        weight = None if pos_weight is None else pos_weight[:, None, None]
        return functional.binary_cross_entropy_with_logits(logits, mask, pos_weight=weight, reduction=reduction)
    classes = class_of_pixels(mask)
    if pos_weight is None:
        return functional.cross_entropy(logits, classes, reduction=reduction)
    # PyTorch's mean would be over the weights: of a rare target, it undoes them.
    weighted = functional.cross_entropy(logits, classes, functional.pad(pos_weight, (1, 0), value=1), reduction="none")
    return weighted.mean() if reduction == "mean" else weighted


def mean_over_channels(
    loss: Callable[[torch.Tensor, torch.Tensor], torch.Tensor], given: torch.Tensor, mask: torch.Tensor
) -> torch.Tensor:
    """Mean of a loss of single channels [B, S, S] over all channels of two tensors [B, K, S, S]."""
    pairs = zip(given.unbind(dim=1), mask.unbind(dim=1), strict=True)
    return torch.stack([loss(*pair) for pair in pairs]).mean()
