"""What a row of the table declares is asked of other nets: they are run once, on zeros, before any training."""

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.nn.parameter import is_lazy

from headtohead.errors import UserError

STEPS = (2, 4, 8, 16, 32, 64)
LOUD = 1000.0  # noise of this size leaves the logits of no net within [0, 1]


def refuse_unfit_net(net: nn.Module, name: str, in_channels: int, out_channels: int, image_size: int) -> None:
    """Refuse a net that does not map float [B, C, S, S] to logits float [B, K, S, S], or learns nothing.

    It is run on the processor, in evaluation mode and, as a copy, in training mode. The net and the caller's random
    numbers stay as they are.

    Raises:
        UserError: says what it gave and what was expected; of an image size that it cannot have, the nearest that work.
    """
    if any(is_lazy(one) for one in (*net.parameters(), *net.buffers())):
        raise UserError(f"`model` {name}: has lazy layers; give their number of input channels")
    if not any(weight.requires_grad for weight in net.parameters()):
        raise UserError(f"`model` {name}: has no parameter to train; make its layers attributes of the module")
    copy = deepcopy(net)
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        for mode in ("evaluation", "training"):
            asked = _Asked(copy.train(mode == "training"), in_channels, out_channels)
            found = asked.answer(image_size)
            if wrong := asked.wrong(found, image_size):
                if able := _sizes_that_work(asked, image_size):
                    nearest = " or ".join(map(str, able))
                    raise UserError(f"`image_size` {image_size}: {name} {wrong}; write {nearest}")
                due = f"logits {_sketch((2, out_channels, image_size, image_size))}"
                raise UserError(
                    f"`model` {name}: {wrong} in {mode} mode; from images [n, {in_channels}, {image_size}, "
                    f"{image_size}] {due} are expected"
                ) from (found if isinstance(found, BaseException) else None)
        asked = _Asked(copy.eval(), in_channels, out_channels)
        usual, loud = asked.answer(image_size, 1.0), asked.answer(image_size, LOUD)
    if isinstance(usual, torch.Tensor) and not usual.isfinite().all():
        raise UserError(f"`model` {name}: gives values that are not finite of an image of noise; correct it")
    # Of a head that starts at zero, all values are alike.
    if isinstance(loud, torch.Tensor) and loud.min() < loud.max() and loud.min() >= 0 and loud.max() <= 1:
        raise UserError(
            f"`model` {name}: gives values from 0 to 1 alone, whatever the image: probabilities; return logits, "
            "without a sigmoid or softmax at the end"
        )


def fault_of_one_image(net: nn.Module, in_channels: int, out_channels: int, image_size: int) -> str:
    """Say how a net fails to learn from a batch of one image, as batch norm of one pixel does; empty if it does not.

    It is run as `refuse_unfit_net` runs it.
    """
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        asked = _Asked(deepcopy(net).train(), in_channels, out_channels, images=1)
        return asked.wrong(asked.answer(image_size), image_size)


@dataclass(frozen=True)
class _Asked:
    """A net that is asked for images of some size."""

    net: nn.Module
    in_channels: int
    out_channels: int
    images: int = 2

    def answer(self, size: int, loudness: float = 0.0) -> Any:
        """Give what it gives of images of zeros, or of noise; or the error that it raises."""
        try:
            return self.net(loudness * torch.randn(self.images, self.in_channels, size, size))
        except (Exception, SystemExit) as fault:  # whatever the layers of others raise
            return fault

    def wrong(self, found: Any, size: int) -> str:
        """Say what is wrong with an answer; empty if nothing is."""
        if isinstance(found, BaseException):
            return f"fails with {type(found).__name__}: {' '.join(str(found).split()) or 'no reason given'}"
        if not isinstance(found, torch.Tensor):
            return f"gives a {type(found).__name__}, not one tensor,"
        if tuple(found.shape) != (self.images, self.out_channels, size, size):
            return f"gives {_sketch(found.shape)}"
        return "" if found.is_floating_point() else f"gives {str(found.dtype).removeprefix('torch.')}"


def _sizes_that_work(asked: _Asked, size: int) -> list[int]:
    """Find the multiples of a power of two next to a size that the net can have; empty where it is another fault."""
    for step in STEPS:
        below = size // step * step
        if below == size:
            continue  # it is not this step that is missing
        near = [one for one in (below, below + step) if one > 0]
        if not any(asked.wrong(asked.answer(one), one) for one in near):
            return near
    return []


def _sketch(shape: Sequence[int]) -> str:
    return f"[{', '.join(['n', *map(str, shape[1:])])}]" if len(shape) else "one number"


def has_batch_norm(net: nn.Module) -> bool:
    """Say whether a net normalises its features over the batch."""
    return any(isinstance(layer, nn.modules.batchnorm._BatchNorm) for layer in net.modules())
