"""U-Net with a ResNeXt-50 (32x4d) encoder, from segmentation_models_pytorch.

Encoder: Xie et al., Aggregated Residual Transformations for Deep Neural Networks, CVPR 2017,
doi:10.1109/CVPR.2017.634. Decoder: the library's, with nearest up-sampling and batch norm.
"""

from torch import nn

from headtohead.machine import mend_torchvision
from headtohead.models.pretrained import fit_first_convolution, read_encoder_weights

mend_torchvision()
import segmentation_models_pytorch as smp  # noqa: E402  needs the mend above

ENCODER = "resnext50_32x4d"


def resnext_unet(in_channels: int = 3, encoder_weights: str = "none", out_channels: int = 1) -> nn.Module:
    """Build the net; it maps float [B, C, H, W] to logits [B, out_channels, H, W], H and W multiples of 32.

    Pretrained weights (see `pretrained.read_encoder_weights`) of three channels are repeated in turn over more channels
    and scaled by 3 / in_channels, so that the sum over channels keeps its size.

    Raises:
        UserError: the weights cannot be had or do not fit.
    """
    if encoder_weights == "none":
        return smp.Unet(ENCODER, encoder_weights=None, in_channels=in_channels, classes=out_channels)
    weights = read_encoder_weights(encoder_weights, ENCODER, in_channels)
    stored_channels = weights["conv1.weight"].shape[1]
    model = smp.Unet(ENCODER, encoder_weights=None, in_channels=stored_channels, classes=out_channels)
    model.encoder.load_state_dict(weights)
    if stored_channels != in_channels:
        model.encoder.set_in_channels(in_channels, pretrained=True)
    return model


def resnext_encoder(in_channels: int = 3, encoder_weights: str = "none") -> nn.Module:
    """Build the encoder alone, started as in `resnext_unet`.

    It maps float [B, C, H, W] to a list of six: the image, and features of 64, 256, 512, 1024 and 2048 channels.

    Raises:
        UserError: the weights cannot be had or do not fit.
    """
    if encoder_weights == "none":
        return smp.encoders.get_encoder(ENCODER, in_channels=in_channels, weights=None)
    weights = read_encoder_weights(encoder_weights, ENCODER, in_channels)
    encoder = smp.encoders.get_encoder(ENCODER, in_channels=in_channels, weights=None)
    encoder.load_state_dict(fit_first_convolution(weights, in_channels))
    return encoder
