"""Optimisers and schedules of the learning rate, by name. A schedule is built once per training."""

import math
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import torch
from torch.optim.lr_scheduler import LambdaLR, ReduceLROnPlateau

OPTIMIZERS: dict[str, Callable[..., torch.optim.Optimizer]] = {
    "adamax": torch.optim.Adamax,
    "adam": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
    "sgd": partial(torch.optim.SGD, momentum=0.9),
}

WARM_UP = 0.05
"""Share of all steps over which `cosine` rises to the full rate."""

START = 0.01
"""Where a warm-up starts, as a share of the full rate."""


def build_optimizer(
    name: str, parameters: Iterable[torch.nn.Parameter] | list[dict[str, Any]], learning_rate: float
) -> torch.optim.Optimizer:
    """Build an optimiser by its name; `sgd` has momentum 0.9. Groups of parameters may have a rate of their own."""
    return OPTIMIZERS[name](parameters, lr=learning_rate)


def build_schedule(name: str, optimizer: torch.optim.Optimizer, steps: int, epochs: int) -> dict[str, Any] | None:
    """Build a schedule for all steps and epochs of a training as Lightning wants it; None for `none`.

    `cosine` (warm-up, then half a cosine to zero; Loshchilov and Hutter, ICLR 2017, arXiv 1608.03983) is stepped per
    batch; `plateau` halves the rate after 3 epochs without a better validation Dice. `restarting_warmup` is the fault
    of the field's LGG comparison, kept to reproduce its table: the warm-up is begun anew in every epoch and the rate
    never decays.
    """
    if name == "none":
        return None
    if name == "plateau":
        return {
            "scheduler": ReduceLROnPlateau(optimizer, mode="max", factor=0.5, patience=3),
            "monitor": "dice/val",
            "interval": "epoch",
        }
    factors = {
        "cosine": lambda step: cosine(step, steps),
        "restarting_warmup": lambda step: ramp(step, steps // epochs),
    }
    return {"scheduler": LambdaLR(optimizer, factors[name]), "interval": "step"}


def cosine(step: int, steps: int) -> float:
    """Share of the full rate at `step` of `steps`: linear warm-up, then half a cosine to zero."""
    warm_up = max(1, round(WARM_UP * steps))
    if step < warm_up:
        return START + (1 - START) * step / warm_up
    return 0.5 * (1 + math.cos(math.pi * (step - warm_up) / max(1, steps - warm_up)))


def ramp(step: int, steps_per_epoch: int) -> float:
    """Share of the full rate where every epoch climbs from `START` to 1 again."""
    within = step % max(1, steps_per_epoch)
    return START + (1 - START) * within / max(1, steps_per_epoch - 1)
