"""Lovász extension of the Jaccard index."""

import torch
from torch.nn import functional

from headtohead.learning.losses.terms import exclusive, mean_over_channels, one_hot


def lovasz_loss(logits: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Lovász hinge of regions, Lovász-Softmax of classes, in a whole batch; shapes as in `LossSpec`.

    Regions: the mean over all of them. Classes: the mean over those that the batch holds, with the background.
    Source: Berman, Rannen Triki, Blaschko, CVPR 2018, doi 10.1109/CVPR.2018.00464. segmentation_models_pytorch has
    both, but asks the device at every step which classes there are.
    """
    if not exclusive(logits, mask):
        return mean_over_channels(_hinge, logits, mask)
    probability, truth = logits.softmax(dim=1), one_hot(mask)
    pairs = zip(probability.unbind(dim=1), truth.unbind(dim=1), strict=True)
    losses = torch.stack([jaccard_extension((own - there).abs(), there) for own, there in pairs])
    held = (truth.sum(dim=(0, 2, 3)) > 0).to(losses.dtype)
    return (losses * held).sum() / held.sum()


def _hinge(logits: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    return jaccard_extension(functional.relu(1 - logits * (2 * mask - 1)), mask)


def jaccard_extension(errors: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Extend the Jaccard loss from sets of wrong pixels to errors >= 0 of all pixels, in the shape of the mask.

    Errors are weighted by how much the Jaccard loss rises as their pixels become wrong, the largest first.
    """
    falling, order = errors.flatten().sort(descending=True)
    there = mask.flatten()[order]
    total = there.sum()
    loss = 1 - (total - there.cumsum(0)) / (total + (1 - there).cumsum(0))
    rise = torch.cat([loss[:1], loss[1:] - loss[:-1]])
    return (falling * rise).sum()
