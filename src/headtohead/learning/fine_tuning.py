"""How a training treats layers that began with weights from elsewhere: frozen for a while, or learned more slowly."""

from dataclasses import dataclass
from typing import Any

import torch

from headtohead.models.parts import layer_name


@dataclass(frozen=True)
class FineTuning:
    """Which layers stay as they are, how long, and which learn at a rate of their own; by default all learn alike.

    Attributes:
        frozen: names of layers whose weights stay; their batch norm keeps its statistics, too.
        thaw_epoch: after how many epochs they learn with the others; 0: never.
        old: names of the layers that were taken over.
        old_rate: their learning rate as a share of that of the others.
    """

    frozen: frozenset[str] = frozenset()
    thaw_epoch: int = 0
    old: frozenset[str] = frozenset()
    old_rate: float = 1.0

    def arrange(self, net: torch.nn.Module, epoch: int) -> None:
        """Freeze or thaw the layers as it is due in an epoch, counted from 0; to be called as each one begins."""
        learns = bool(self.thaw_epoch) and epoch >= self.thaw_epoch
        for name, weight in net.named_parameters():
            if layer_name(name) in self.frozen:
                weight.requires_grad_(learns)
        for name, layer in net.named_modules():
            if name in self.frozen:
                layer.train(learns)

    def groups(self, net: torch.nn.Module, rate: float) -> Any:
        """Give the weights of a net as an optimiser takes them; new layers come first, whose rate is the full one.

        Frozen weights are among them: without a gradient no optimiser changes them, and thawed they need no new one.
        """
        if self.old_rate == 1:
            return net.parameters()
        named = [(layer_name(name) in self.old, weight) for name, weight in net.named_parameters()]
        rates = {False: rate, True: rate * self.old_rate}
        groups = [{"params": [weight for old, weight in named if old == kind], "lr": rates[kind]} for kind in rates]
        return [group for group in groups if group["params"]]


PLAIN = FineTuning()
"""Every layer learns from the first step at one rate."""
