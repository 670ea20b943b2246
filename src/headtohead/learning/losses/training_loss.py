"""The loss of a training: one of the table, in float32, at every resolution that a net answers in."""

import importlib
from collections.abc import Sequence

import torch
from torch import nn

from headtohead.learning.losses.registry import find_loss, refuse_weight


class TrainingLoss(nn.Module):
    """A loss by its name. It holds nothing that is learned, and nothing of it stands in a checkpoint."""

    def __init__(self, name: str, pos_weight: Sequence[float] | None = None) -> None:
        """Look the loss up; `pos_weight` weights the pixels of each target in its cross-entropy, None: all alike.

        Raises:
            UserError: there is no such loss, or it has no cross-entropy to weight.
        """
        super().__init__()
        spec = find_loss(name)
        if pos_weight is not None:
            refuse_weight(spec, "`pos_weight`")
        module, _, function = spec.builder.partition(":")
        self.function = getattr(importlib.import_module(module), function)
        weight = None if pos_weight is None else torch.tensor(pos_weight, dtype=torch.float32)
        self.register_buffer("pos_weight", weight, persistent=False)

    def forward(self, logits: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Give the loss of logits against a mask {0, 1} of any type, shapes as in `LossSpec`: a float32 scalar.

        Mixed precision ends here: sums over a batch of pixels need more than the 8 bits of bf16.
        """
        weights = () if self.pos_weight is None else (self.pos_weight,)
        with torch.autocast(logits.device.type, enabled=False):
            return self.function(logits.float(), mask.float(), *weights)
