"""Multiply-adds against counts by hand."""

import pytest
import torch
from torch import nn

from headtohead.models.cost import multiply_adds
from headtohead.models.registry import build_model


def unet_by_hand(channels: int, width: int, size: int) -> int:
    """Of the plain U-Net: each 3x3 convolution takes 9 x inputs x outputs multiply-adds a pixel of its level."""
    levels = [width, 2 * width, 4 * width, 8 * width]
    total, before = 0, channels
    for depth, own in enumerate(levels):
        total += 9 * (before * own + own * own) * (size >> depth) ** 2
        before = own
    for depth in (2, 1, 0):
        own = levels[depth]
        total += 9 * ((before + own) * own + own * own) * (size >> depth) ** 2
        before = own
    return total + width * size**2


@pytest.mark.parametrize(("channels", "width", "size"), [(3, 64, 256), (5, 4, 32)])
def test_the_plain_unet(channels: int, width: int, size: int) -> None:
    assert multiply_adds(build_model("unet", channels, width=width), channels, size) == unet_by_hand(
        channels, width, size
    )


class AsksValues(nn.Module):
    """Cannot be run on no device: it looks at a number."""

    def __init__(self) -> None:
        super().__init__()
        self.up = nn.ConvTranspose2d(2, 3, kernel_size=2, stride=2)
        self.drop = nn.Dropout(0.5)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return self.drop(self.up(image) * (1 if image.sum() > 0 else 2))


def test_one_that_looks_at_values_is_run_on_the_processor_and_stays_as_it_was() -> None:
    net, seed = AsksValues().train(), torch.random.get_rng_state()
    assert multiply_adds(net, 2, 8) == 2 * 3 * 2 * 2 * 8 * 8
    assert net.training and next(net.parameters()).device.type == "cpu"
    assert torch.equal(torch.random.get_rng_state(), seed)


def test_one_that_cannot_be_run_has_no_count() -> None:
    assert multiply_adds(nn.Linear(3, 3), 2, 8) is None
