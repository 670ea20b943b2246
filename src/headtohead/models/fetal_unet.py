"""U-Net of the fetal brain masking system, layer by layer as its Keras weights expect it.

Ronneberger, Fischer, Brox: U-Net: Convolutional Networks for Biomedical Image Segmentation. MICCAI 2015,
doi:10.1007/978-3-319-24574-4_28; padded, half as wide, with nearest up-sampling and dropout at the two deepest levels.
"""

import torch
from torch import nn
from torch.nn import functional

from headtohead.models.unet import double_conv, initialise

DROPOUT = 0.5


class FetalUNet(nn.Module):
    """U-Net of five levels with `width`, 2, 4, 8 and 16 times `width` channels, without normalisation.

    Its parts are declared in the order in which an image passes them, which is the order of a Keras file's layers.
    Unlike the published net this one returns logits: the sigmoid, which holds no weights, is the caller's.
    """

    ENCODER = ("down1", "down2", "down3", "down4", "bottom")

    def __init__(self, in_channels: int = 1, width: int = 32, out_channels: int = 1) -> None:
        super().__init__()
        self.down1 = double_conv(in_channels, width)
        self.down2 = double_conv(width, 2 * width)
        self.down3 = double_conv(2 * width, 4 * width)
        self.down4 = double_conv(4 * width, 8 * width)
        self.bottom = double_conv(8 * width, 16 * width)
        self.enlarge4 = EnlargingConv(16 * width, 8 * width)
        self.up4 = double_conv(16 * width, 8 * width)
        self.enlarge3 = EnlargingConv(8 * width, 4 * width)
        self.up3 = double_conv(8 * width, 4 * width)
        self.enlarge2 = EnlargingConv(4 * width, 2 * width)
        self.up2 = double_conv(4 * width, 2 * width)
        self.enlarge1 = EnlargingConv(2 * width, width)
        self.up1 = double_conv(2 * width, width)
        self.head = nn.Conv2d(width, out_channels, kernel_size=1)
        self.dropout = nn.Dropout(DROPOUT)
        self.apply(initialise)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Map float [B, C, H, W] to logits [B, out_channels, H, W]; H and W are multiples of 16."""
        skip1 = self.down1(image)  # [B, width, H, W]
        skip2 = self.down2(functional.max_pool2d(skip1, 2))  # [B, 2 width, H/2, W/2]
        skip3 = self.down3(functional.max_pool2d(skip2, 2))  # [B, 4 width, H/4, W/4]
        skip4 = self.dropout(self.down4(functional.max_pool2d(skip3, 2)))  # [B, 8 width, H/8, W/8]
        features = self.dropout(self.bottom(functional.max_pool2d(skip4, 2)))  # [B, 16 width, H/16, W/16]
        # The published weights expect the skip first, the enlarged features after it.
        features = self.up4(torch.cat([skip4, self.enlarge4(features)], dim=1))
        features = self.up3(torch.cat([skip3, self.enlarge3(features)], dim=1))
        features = self.up2(torch.cat([skip2, self.enlarge2(features)], dim=1))
        features = self.up1(torch.cat([skip1, self.enlarge1(features)], dim=1))
        return self.head(features)


class EnlargingConv(nn.Module):
    """Repeat every pixel twice in both directions, then a 2x2 convolution with a ReLU.

    A kernel of even size has no middle. Keras keeps the size by padding on the right and at the bottom.
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, kernel_size=2)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Map float [B, C, H, W] to [B, out_channels, 2 H, 2 W]."""
        large = functional.interpolate(features, scale_factor=2, mode="nearest")
        return functional.relu(self.conv(functional.pad(large, (0, 1, 0, 1))))
