"""Entry points for `torch.hub`: the models with fresh weights, and trained models from bundles.

    model = torch.hub.load("path/to/checkout", "unet", source="local", in_channels=3, width=16)
    published = torch.hub.load("path/to/checkout", "unet", source="local", in_channels=3, out_channels=1,
                               init_features=32, pretrained=True, weights="unet.pt")
    model = torch.hub.load("path/to/checkout", "bundle", "path/to/bundle", source="local")
    models = torch.hub.load("path/to/checkout", "predictor", "path/to/bundle", source="local")

Models map scaled slices, float [B, C, H, W], to logits [B, out_channels, H, W]; only `unet` with `init_features`, the
name and argument of a published entry, gives probabilities as that did. Of a model from a bundle, `facts.recipe` says
how to scale, and `facts.task.targets` what the logits are of.
"""

import sys
from numbers import Integral
from pathlib import Path
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from headtohead.predicting.predictor import Predictor

SOURCE = str(Path(__file__).resolve().parent / "src")
if SOURCE not in sys.path:
    sys.path.insert(0, SOURCE)

dependencies = ["torch", "numpy", "cv2", "safetensors"]

LARGEST = 1024
"""Number of channels, of a first level too: a slip of the hand must not exhaust the memory."""

AS_PUBLISHED = ("width", "init_features")
"""What may be 0."""


def unet(
    in_channels: int = 3,
    width: int = 0,
    pretrained: bool = False,
    out_channels: int = 1,
    init_features: int = 0,
    weights: str = "",
) -> torch.nn.Module:
    """Plain U-Net, four levels from `width` (64) to eight times `width` channels; or the one published on the hub.

    With `init_features` it is the entry that was published under this name: the U-Net with batch norm of Buda et al.,
    five levels from `init_features`, which maps its input to probabilities, not to logits. `pretrained` loads
    `weights`, their `unet.pt`; without a file those that come with the program for these sizes, if there are any.

    With weights, its input is a slice of a patient whose whole volume went through `net.facts.chain`: the published
    preparation scales by the volume, so a slice alone, or one scaled otherwise, gives wrong masks. `predictor` takes
    such a model from the volume to its mask.
    """
    _refuse_sizes("unet", init_features=init_features, width=width)
    if not init_features:
        if weights:
            raise ValueError("unet: weights are of the published net; add init_features=32, or leave them out")
        return _fresh("unet", in_channels, width or 64, pretrained, out_channels)
    if width:
        raise ValueError("unet: width is of the plain U-Net, init_features of the published one; leave one of them out")
    _refuse_sizes("unet", in_channels=in_channels, out_channels=out_channels)
    from headtohead.trained.published_unet import published_unet

    return published_unet(in_channels, out_channels, init_features, pretrained, weights)


def buda(in_channels: int = 3, width: int = 32, pretrained: bool = False, out_channels: int = 1) -> torch.nn.Module:
    """U-Net with batch norm of Buda et al.; a published state dict loads with `load_state_dict`."""
    return _fresh("buda", in_channels, width, pretrained, out_channels)


def fetal_unet(
    in_channels: int = 1, width: int = 32, pretrained: bool = False, out_channels: int = 1
) -> torch.nn.Module:
    """U-Net of the fetal brain masking system, for one channel."""
    return _fresh("fetal_unet", in_channels, width, pretrained, out_channels)


def resnext(in_channels: int = 3, width: int = 0, pretrained: bool = False, out_channels: int = 1) -> torch.nn.Module:
    """U-Net with a ResNeXt-50 encoder, which `pretrained` starts from ImageNet; it has one width only.

    Needs segmentation_models_pytorch.
    """
    return _with_encoder("resnext", in_channels, width, pretrained, out_channels)


def resnext_plain(
    in_channels: int = 3, width: int = 0, pretrained: bool = False, out_channels: int = 1
) -> torch.nn.Module:
    """U-Net with a ResNeXt-50 encoder and the decoder of the LGG comparison; `pretrained` starts from ImageNet."""
    return _with_encoder("resnext_plain", in_channels, width, pretrained, out_channels)


def segnet(in_channels: int = 3, width: int = 64, pretrained: bool = False, out_channels: int = 1) -> torch.nn.Module:
    """SegNet, which `pretrained` starts from the VGG16 of ImageNet."""
    return _with_encoder("segnet", in_channels, width, pretrained, out_channels)


def segnet_5x5(
    in_channels: int = 3, width: int = 64, pretrained: bool = False, out_channels: int = 1
) -> torch.nn.Module:
    """SegNet with kernels of 5x5 pixels."""
    return _fresh("segnet_5x5", in_channels, width, pretrained, out_channels)


def bundle(path: str) -> torch.nn.Module:
    """Load a trained model from a folder that `--export bundle` wrote, in evaluation mode.

    Returns:
        The net; its attribute `facts` is a `headtohead.trained.facts.ModelFacts`.
    """
    from headtohead.trained.bundle import load_bundle

    facts, model = load_bundle(Path(path))
    model.facts = facts
    return model


def predictor(path: str, threshold: float = 0.0, postprocessing: str = "") -> "Predictor":
    """Open a trained model, a run folder or a bundle, to predict with as the program does.

        from headtohead.predicting.predict import predict
        from headtohead.task import Case, Grid

        found = predict(Case("mine", images, Grid(images.shape[:3], affine)), models)  # images: [x, y, z, C]
        found.labels, found.probability  # [x, y, z], [K, x, y, z]

    Args:
        path: the folder.
        threshold: as `--threshold`; 0: the model's own.
        postprocessing: as `--postprocessing`; empty: the model's own.
    """
    from headtohead.options.table import from_flat
    from headtohead.predicting.predictor import open_predictor

    return open_predictor(from_flat({"model_path": path, "threshold": threshold, "postprocessing": postprocessing}))


def _refuse_sizes(name: str, **sizes: int) -> None:
    """Refuse what is no number of channels."""
    for what, value in sizes.items():
        least = 0 if what in AS_PUBLISHED else 1
        whole = isinstance(value, Integral) and not isinstance(value, bool)
        if not whole or not least <= value <= LARGEST:
            raise ValueError(f"{name}: {what}={value!r}: must be a whole number from {least} to {LARGEST}")


def _with_encoder(name: str, in_channels: int, width: int, pretrained: bool, out_channels: int) -> torch.nn.Module:
    _refuse_sizes(name, in_channels=in_channels, width=width, out_channels=out_channels)
    from headtohead.models.registry import build_model

    start = "imagenet" if pretrained else "none"
    return build_model(name, in_channels, width=width, encoder_weights=start, out_channels=out_channels)


def _fresh(name: str, in_channels: int, width: int, pretrained: bool, out_channels: int) -> torch.nn.Module:
    _refuse_sizes(name, in_channels=in_channels, width=width, out_channels=out_channels)
    from headtohead.models.registry import build_model

    if pretrained:
        raise ValueError(f"{name}: no pretrained weights go by this name; load a trained model with bundle(path)")
    return build_model(name, in_channels, width, out_channels=out_channels)
