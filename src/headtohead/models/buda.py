"""Batch-norm U-Net of Buda et al., under the layer names of its published weights.

Buda, Saha, Mazurowski: Association of genomic subtypes of lower-grade gliomas with shape features automatically
extracted by a deep learning algorithm. Comput Biol Med 109:218-225, 2019, doi:10.1016/j.compbiomed.2019.05.002.
"""

from collections import OrderedDict

import torch
from torch import nn

from headtohead.models.deep_heads import make_deep_heads, with_deep_answers


class BudaUNet(nn.Module):
    """U-Net of five levels with `width`, 2, 4, 8 and 16 times `width` channels.

    A published state dict loads as it is with `load_state_dict`. Unlike the published net this one returns logits: the
    sigmoid, which holds no weights, is the caller's.
    """

    ENCODER = ("encoder1", "encoder2", "encoder3", "encoder4", "bottleneck")

    def __init__(
        self, in_channels: int = 3, width: int = 32, out_channels: int = 1, deep_supervision: bool = False
    ) -> None:
        super().__init__()
        self.encoder1 = block(in_channels, width, "enc1")
        self.encoder2 = block(width, 2 * width, "enc2")
        self.encoder3 = block(2 * width, 4 * width, "enc3")
        self.encoder4 = block(4 * width, 8 * width, "enc4")
        self.bottleneck = block(8 * width, 16 * width, "bottleneck")
        self.upconv4 = nn.ConvTranspose2d(16 * width, 8 * width, kernel_size=2, stride=2)
        self.decoder4 = block(16 * width, 8 * width, "dec4")
        self.upconv3 = nn.ConvTranspose2d(8 * width, 4 * width, kernel_size=2, stride=2)
        self.decoder3 = block(8 * width, 4 * width, "dec3")
        self.upconv2 = nn.ConvTranspose2d(4 * width, 2 * width, kernel_size=2, stride=2)
        self.decoder2 = block(4 * width, 2 * width, "dec2")
        self.upconv1 = nn.ConvTranspose2d(2 * width, width, kernel_size=2, stride=2)
        self.decoder1 = block(2 * width, width, "dec1")
        self.conv = nn.Conv2d(width, out_channels, kernel_size=1)
        self.pool = nn.MaxPool2d(2)
        self.deep_heads = make_deep_heads([2 * width, 4 * width], out_channels) if deep_supervision else None

    def forward(self, image: torch.Tensor) -> torch.Tensor | list[torch.Tensor]:
        """Map float [B, C, H, W] to logits [B, out_channels, H, W]; H and W are multiples of 16.

        In training under deep supervision: a list of these and of logits of half and a quarter of the size.
        """
        skip1 = self.encoder1(image)  # [B, width, H, W]
        skip2 = self.encoder2(self.pool(skip1))  # [B, 2 width, H/2, W/2]
        skip3 = self.encoder3(self.pool(skip2))  # [B, 4 width, H/4, W/4]
        skip4 = self.encoder4(self.pool(skip3))  # [B, 8 width, H/8, W/8]
        features = self.bottleneck(self.pool(skip4))  # [B, 16 width, H/16, W/16]
        # The published weights expect the enlarged features first, the skip after them.
        features = self.decoder4(torch.cat([self.upconv4(features), skip4], dim=1))
        quarter = self.decoder3(torch.cat([self.upconv3(features), skip3], dim=1))
        half = self.decoder2(torch.cat([self.upconv2(quarter), skip2], dim=1))
        features = self.decoder1(torch.cat([self.upconv1(half), skip1], dim=1))
        logits = self.conv(features)
        if self.training and self.deep_heads is not None:
            return with_deep_answers(self.deep_heads, [half, quarter], logits)
        return logits


class BudaProbability(BudaUNet):
    """The same net with the sigmoid at its end, as it was published; the names of its weights are the same."""

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Map float [B, C, H, W] to probabilities [B, out_channels, H, W]; H and W are multiples of 16."""
        logits = super().forward(image)
        assert isinstance(logits, torch.Tensor)  # it has no deep heads
        return logits.sigmoid()


def block(in_channels: int, out_channels: int, prefix: str) -> nn.Sequential:
    """Twice a 3x3 convolution, batch norm and ReLU, each layer's name led by `prefix`."""
    return nn.Sequential(
        OrderedDict(
            [
                (f"{prefix}conv1", nn.Conv2d(in_channels, out_channels, kernel_size=3, padding=1, bias=False)),
                (f"{prefix}norm1", nn.BatchNorm2d(out_channels)),
                (f"{prefix}relu1", nn.ReLU(inplace=True)),
                (f"{prefix}conv2", nn.Conv2d(out_channels, out_channels, kernel_size=3, padding=1, bias=False)),
                (f"{prefix}norm2", nn.BatchNorm2d(out_channels)),
                (f"{prefix}relu2", nn.ReLU(inplace=True)),
            ]
        )
    )
