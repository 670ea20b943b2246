"""Plain U-Net: no normalisation layers, bilinear up-sampling.

Ronneberger, Fischer, Brox: U-Net: Convolutional Networks for Biomedical Image Segmentation. MICCAI 2015,
doi:10.1007/978-3-319-24574-4_28. Padded convolutions, one level fewer and bilinear up-sampling instead of the
paper's transposed convolutions, as the LGG comparison has them.
"""

import torch
from torch import nn
from torch.nn import functional

from headtohead.models.deep_heads import make_deep_heads, with_deep_answers


class PlainUNet(nn.Module):
    """U-Net of four levels with `width`, 2, 4 and 8 times `width` channels."""

    ENCODER = ("down1", "down2", "down3", "bottom")

    def __init__(
        self, in_channels: int = 3, width: int = 64, out_channels: int = 1, deep_supervision: bool = False
    ) -> None:
        super().__init__()
        self.down1 = double_conv(in_channels, width)
        self.down2 = double_conv(width, 2 * width)
        self.down3 = double_conv(2 * width, 4 * width)
        self.bottom = double_conv(4 * width, 8 * width)
        self.up3 = double_conv(8 * width + 4 * width, 4 * width)
        self.up2 = double_conv(4 * width + 2 * width, 2 * width)
        self.up1 = double_conv(2 * width + width, width)
        self.head = nn.Conv2d(width, out_channels, kernel_size=1)
        self.apply(initialise)
        self.deep_heads = make_deep_heads([2 * width], out_channels).apply(initialise) if deep_supervision else None

    def forward(self, image: torch.Tensor) -> torch.Tensor | list[torch.Tensor]:
        """Map float [B, C, H, W] to logits [B, out_channels, H, W]; H and W are multiples of 8.

        In training under deep supervision: a list of these and of logits of half the size.
        """
        skip1 = self.down1(image)  # [B, width, H, W]
        skip2 = self.down2(functional.max_pool2d(skip1, 2))  # [B, 2 width, H/2, W/2]
        skip3 = self.down3(functional.max_pool2d(skip2, 2))  # [B, 4 width, H/4, W/4]
        features = self.bottom(functional.max_pool2d(skip3, 2))  # [B, 8 width, H/8, W/8]
        features = self.up3(torch.cat([upsample(features), skip3], dim=1))
        half = self.up2(torch.cat([upsample(features), skip2], dim=1))
        features = self.up1(torch.cat([upsample(half), skip1], dim=1))
        logits = self.head(features)
        if self.training and self.deep_heads is not None:
            return with_deep_answers(self.deep_heads, [half], logits)
        return logits


def double_conv(in_channels: int, out_channels: int) -> nn.Sequential:
    """Two 3x3 convolutions, each with a ReLU, that keep the size."""
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, kernel_size=3, padding=1),
        nn.ReLU(inplace=True),
        nn.Conv2d(out_channels, out_channels, kernel_size=3, padding=1),
        nn.ReLU(inplace=True),
    )


def upsample(features: torch.Tensor) -> torch.Tensor:
    """Double height and width, bilinearly, corner pixels on corner pixels."""
    return functional.interpolate(features, scale_factor=2, mode="bilinear", align_corners=True)


def initialise(module: nn.Module) -> None:
    """Draw the weights of a convolution so that its signal keeps its variance through a ReLU; zero its bias.

    PyTorch's default shrinks the signal at every layer, and no normalisation restores it here: fresh logits then
    differ by some thousandths over an image, now by about one, and the loss falls sooner (measured, 100 steps).
    He et al., Delving Deep into Rectifiers, ICCV 2015, doi:10.1109/ICCV.2015.123 (and the U-Net paper, section 3).
    """
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, mode="fan_in", nonlinearity="relu")
        if module.bias is not None:
            nn.init.zeros_(module.bias)
