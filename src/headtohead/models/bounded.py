"""A bound on nets that a file from elsewhere asks for: counted while they are built, before their weights are drawn."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn
from torch.nn.modules import module
from torch.nn.parameter import is_lazy

from headtohead.errors import UserError

SPARE = 4
"""Times as many tensors and numbers as are kept may be made: some nets put layers in the place of others."""

MODULES = 10
"""Layers, those without weights and their containers too, for each tensor."""

FREE_TENSORS, FREE_NUMBERS = 500, 1 << 25
"""As many are never too many: a hundredth of a second, 128 MiB."""


class NetTooLarge(UserError):
    """A net has more layers or weights than the weights that are at hand are of."""


@contextmanager
def bounded_to(weights: dict[str, torch.Tensor]) -> Iterator[None]:
    """Stop building a net as soon as it is by far larger than the one that weights are of.

    The layers of other threads do not count.

    Raises:
        NetTooLarge: from within the net that is built.
    """
    tensors = SPARE * len(weights) + FREE_TENSORS
    left = {
        "tensors": tensors,
        "numbers": SPARE * sum(value.numel() for value in weights.values()) + FREE_NUMBERS,
        "layers": MODULES * tensors,
    }
    own = threading.get_ident()

    def take(what: str, count: int) -> None:
        left[what] -= count
        if left[what] < 0:
            raise NetTooLarge(f"the net that its facts ask for has far more {what} than its weights")

    def count_tensor(_: nn.Module, __: str, value: torch.Tensor | None) -> None:
        if threading.get_ident() == own and value is not None and not is_lazy(value):
            take("tensors", 1)
            take("numbers", value.numel())

    def count_layer(_: nn.Module, __: str, layer: nn.Module | None) -> None:
        if threading.get_ident() == own:
            take("layers", 1)

    hooks = [
        module.register_module_parameter_registration_hook(count_tensor),
        module.register_module_buffer_registration_hook(count_tensor),
        module.register_module_module_registration_hook(count_layer),
    ]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
