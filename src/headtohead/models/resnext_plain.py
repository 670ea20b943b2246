"""U-Net with a ResNeXt-50 (32x4d) encoder and the decoder of the LGG comparison.

Encoder: Xie et al., Aggregated Residual Transformations for Deep Neural Networks, CVPR 2017,
doi:10.1109/CVPR.2017.634. Decoder blocks: Chaurasia and Culurciello, LinkNet, VCIP 2017, doi:10.1109/VCIP.2017.8305148,
without batch norm.
"""

import torch
from torch import nn

from headtohead.models.resnext import resnext_encoder


class ResNeXtPlain(nn.Module):
    """U-Net whose skips are added; its encoder begins without the max-pooling, and so keeps twice the resolution."""

    def __init__(self, in_channels: int = 3, encoder_weights: str = "none", out_channels: int = 1) -> None:
        """Build the net.

        Raises:
            UserError: the encoder weights cannot be had or do not fit.
        """
        super().__init__()
        self.encoder = resnext_encoder(in_channels, encoder_weights)
        self.encoder.maxpool = nn.Identity()
        self.up4 = EnlargingBlock(2048, 1024)
        self.up3 = EnlargingBlock(1024, 512)
        self.up2 = EnlargingBlock(512, 256)
        self.up1 = EnlargingBlock(256, 256)
        self.head = nn.Sequential(
            nn.Conv2d(256, 128, kernel_size=3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(128, out_channels, kernel_size=3, padding=1),
        )

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Map float [B, C, H, W] to logits [B, out_channels, H, W]; H and W are multiples of 16."""
        # [B, 256, H/2, W/2], [B, 512, H/4, W/4], [B, 1024, H/8, W/8], [B, 2048, H/16, W/16]
        skip1, skip2, skip3, features = self.encoder(image)[2:]
        features = self.up4(features) + skip3
        features = self.up3(features) + skip2
        features = self.up2(features) + skip1
        return self.head(self.up1(features))


class EnlargingBlock(nn.Sequential):
    """A transposed convolution on a quarter of the channels, between two 1x1 convolutions: twice height and width."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        quarter = in_channels // 4
        super().__init__(
            nn.Conv2d(in_channels, quarter, kernel_size=1),
            nn.ReLU(inplace=True),
            nn.ConvTranspose2d(quarter, quarter, kernel_size=4, stride=2, padding=1),
            nn.Conv2d(quarter, out_channels, kernel_size=1),
            nn.ReLU(inplace=True),
        )
