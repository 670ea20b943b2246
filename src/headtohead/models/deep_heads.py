"""Heads at the lower levels of a decoder, which only a training asks: deep supervision.

Lee et al.: Deeply-Supervised Nets. AISTATS 2015, arXiv 1409.5185. As nnU-Net has it (Isensee et al., Nat Methods
18:203-211, 2021, doi:10.1038/s41592-020-01008-z), each level of the decoder but the lowest has one. A net keeps
them under the name that `parts.DEEP_HEADS` says, by which readers of its weights leave them out.
"""

from collections.abc import Sequence

import torch
from torch import nn


def make_deep_heads(channels: Sequence[int], out_channels: int) -> nn.ModuleList:
    """Make a 1x1 convolution for each number of channels, of the finest level first.

    Make them after all else of a net: its other weights are then those that the same seed gives without them.
    """
    return nn.ModuleList(nn.Conv2d(one, out_channels, kernel_size=1) for one in channels)


def with_deep_answers(
    heads: nn.ModuleList, features: Sequence[torch.Tensor], logits: torch.Tensor
) -> list[torch.Tensor]:
    """Give the logits of a net, then those of its heads on the features of the levels below, each half the size."""
    return [logits, *(head(own) for head, own in zip(heads, features, strict=True))]
