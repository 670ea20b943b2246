"""What run.json says an experiment costs, beside its parameters and seconds."""

from typing import TYPE_CHECKING, Any

from headtohead.learning.pace import Pace
from headtohead.models.cost import multiply_adds

if TYPE_CHECKING:
    import pytorch_lightning as pl
    from torch import nn


def cost_of_net(net: "nn.Module", in_channels: int, image_size: int) -> dict[str, Any]:
    """Count the multiply-adds of one image, and name the size that they are of; empty where they cannot be counted."""
    count = multiply_adds(net, in_channels, image_size)
    if count is None:
        return {}
    return {"multiply_adds": count, "multiply_adds_of": [in_channels, image_size, image_size]}


def cost_of_training(trainer: "pl.Trainer") -> dict[str, Any]:
    """Give the slices a second of a training, without its validation."""
    pace = next(one for one in trainer.callbacks if isinstance(one, Pace)).slices_per_second  # type: ignore[attr-defined]
    return {} if pace is None else {"training_slices_per_second": pace}
