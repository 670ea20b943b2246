"""What a net costs: the multiply-adds of one image."""

from copy import deepcopy

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode


def multiply_adds(net: nn.Module, in_channels: int, image_size: int) -> int | None:
    """Count the multiply-adds of convolutions and matrix products in one image, float [1, C, S, S].

    PyTorch's counter counts two operations for each. The net is left as it is: a copy is asked, where it can be on no
    device, so that it takes no time. None where the net cannot be asked.
    """
    for device in ("meta", "cpu"):
        try:
            copy = deepcopy(net).to(device).eval()
            counter = FlopCounterMode(display=False)
            with torch.random.fork_rng(devices=[]), torch.no_grad(), counter:
                copy.forward(torch.zeros(1, in_channels, image_size, image_size, device=device))
            return counter.get_total_flops() // 2
        except Exception:  # whatever the layers of others raise; on the next device they may not
            continue
    return None
