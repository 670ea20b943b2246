"""SegNet: the convolutions of VGG16, max-pooling that remembers where each maximum lay, and their mirror image.

Badrinarayanan, Kendall, Cipolla: SegNet: A Deep Convolutional Encoder-Decoder Architecture for Image Segmentation.
IEEE TPAMI 39(12):2481-2495, 2017, doi:10.1109/TPAMI.2016.2644615. Encoder: Simonyan and Zisserman, ICLR 2015,
arXiv 1409.1556, with batch norm.
"""

import torch
from torch import nn
from torch.nn import functional

from headtohead.errors import UserError
from headtohead.models.pretrained import fit_first_convolution, read_encoder_weights
from headtohead.models.unet import initialise

ENCODER = "vgg16_bn"
WIDTH = 64
LEVELS = ((2, 1), (2, 2), (3, 4), (3, 8), (3, 8))
"""Convolutions of each level, and its channels in widths."""

UNPOOLS_ITSELF = ("cpu", "cuda")
"""Devices on which every supported PyTorch has a kernel of `max_unpool2d`; on Apple's (mps) older ones have none."""


class SegNet(nn.Module):
    """SegNet of five levels with `width`, 2, 4, 8 and 8 times `width` channels.

    There are no skip connections: the decoder knows of the fine structure only where the maxima lay. Batch norm comes
    after every convolution, that of the logits as well. Pooling keeps the last row and column of an odd size (as the
    paper's own net does), so that images of any size are taken.
    """

    HEAD = ("decoder.4.3", "decoder.4.4")

    def __init__(
        self,
        in_channels: int = 3,
        width: int = WIDTH,
        out_channels: int = 1,
        encoder_weights: str = "none",
        kernel_size: int = 3,
    ) -> None:
        """Build the net, its encoder's layers under the names that torchvision's VGG16 has for them.

        Raises:
            UserError: the encoder weights cannot be had or do not fit.
        """
        super().__init__()
        self.encoder = Encoder(in_channels, width, kernel_size)
        self.decoder = decoder(width, out_channels, kernel_size)
        self.apply(initialise)
        if encoder_weights != "none":
            if width != WIDTH:
                raise UserError(f"`width` {width}: `encoder_weights` are of {WIDTH} channels; leave one of them out")
            weights = read_encoder_weights(encoder_weights, ENCODER, in_channels)
            self.encoder.load_state_dict(fit_first_convolution(weights, in_channels))

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Map float [B, C, H, W] to logits [B, out_channels, H, W]; any H and W."""
        features, pooled = self.encoder(image)
        for convolutions, (indices, height, width) in zip(self.decoder, reversed(pooled), strict=True):
            features = convolutions(unpool(features, indices, height, width))
        return features


class Encoder(nn.Module):
    """The convolutions of VGG16 with batch norm; each of the five levels ends in a max-pooling."""

    def __init__(self, in_channels: int, width: int, kernel_size: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for count, widths in LEVELS:
            for _ in range(count):
                layers += convolution(in_channels, widths * width, kernel_size)
                in_channels = widths * width
            layers.append(nn.MaxPool2d(2, return_indices=True, ceil_mode=True))
        self.features = nn.Sequential(*layers)

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, list[tuple[torch.Tensor, int, int]]]:
        """Map float [B, C, H, W] to [B, 8 width, H / 32, W / 32], rounded up.

        Gives with it, of each pooling, the indices int64 [B, C, h, w] of the maxima in a plane, and the plane's size.
        """
        pooled = []
        for layer in self.features:
            if isinstance(layer, nn.MaxPool2d):
                height, width = image.shape[2:]
                image, indices = layer(image)
                pooled.append((indices, height, width))
            else:
                image = layer(image)
        return image, pooled


def convolution(in_channels: int, out_channels: int, kernel_size: int) -> list[nn.Module]:
    """A convolution that keeps the size, batch norm and ReLU."""
    return [
        nn.Conv2d(in_channels, out_channels, kernel_size, padding=kernel_size // 2),
        nn.BatchNorm2d(out_channels),
        nn.ReLU(inplace=True),
    ]


def decoder(width: int, out_channels: int, kernel_size: int) -> nn.ModuleList:
    """The encoder's convolutions mirrored, deepest level first; the last one gives logits and has no ReLU."""
    levels = []
    for number, (count, widths) in reversed(list(enumerate(LEVELS))):
        channels = widths * width
        layers = [layer for _ in range(count - 1) for layer in convolution(channels, channels, kernel_size)]
        below = LEVELS[number - 1][1] * width if number else out_channels
        layers += convolution(channels, below, kernel_size)
        levels.append(nn.Sequential(*(layers if number else layers[:-1])))
    return nn.ModuleList(levels)


def unpool(values: torch.Tensor, indices: torch.Tensor, height: int, width: int) -> torch.Tensor:
    """Put pooled maxima back to where they lay, with zeros between them.

    Maps float [B, C, h, w] and int64 of the same shape to float [B, C, height, width].
    """
    if values.device.type in UNPOOLS_ITSELF and not torch.onnx.is_in_onnx_export():
        return functional.max_unpool2d(values, indices, [2, 2], output_size=[height, width])
    return scattered(values, indices, height, width)


def scattered(values: torch.Tensor, indices: torch.Tensor, height: int, width: int) -> torch.Tensor:
    """Do what `max_unpool2d` does, where it is missing: on Apple's GPUs, and in files that other engines read."""
    # Numbers asked for one by one stay variables of an exported file; a slice of the shape would fix the batch size.
    count, channels = values.shape[0], values.shape[1]
    planes = values.new_zeros((count, channels, height * width))
    planes = planes.scatter(2, indices.flatten(2), values.flatten(2))
    return planes.reshape(count, channels, height, width)


def segnet_5x5(in_channels: int = 3, width: int = WIDTH, out_channels: int = 1) -> SegNet:
    """Build the net with kernels of 5x5 pixels, for which there are no pretrained weights."""
    return SegNet(in_channels, width, out_channels, kernel_size=5)
