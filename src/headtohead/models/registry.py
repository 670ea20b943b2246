"""Which models there are, as plain data: flags, help, checks and documentation all read this table."""

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from headtohead.errors import UserError
from headtohead.models.forms import FILE, MONAI, SMP, SPOKEN, Form, entry_points, form_of

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class ModelSpec:
    """What the rest of the program needs to know about a model before it is built.

    Attributes:
        name: what `--model` calls it.
        builder: where its class or function is, `module:name`. It is called with `in_channels` and `out_channels`
            (int), with `width` (int) if `width` below is not 0, with `encoder_weights` (str) if `encoder` below is
            not empty, and with `deep_supervision` (True) if that is asked for.
        summary: one line for `--help`.
        parameters: trainable parameters as published, with `in_channels` input channels and one logit a pixel.
        source: the paper and its DOI.
        divisor: the image size must be a multiple of this.
        width: channels of the first level as published; 0: the net cannot be scaled.
        encoder: the encoder that can start from pretrained weights; empty: there is none.
        batch_norm: whether it normalises its features over the batch.
        in_channels: channels of its input as published.
        normalise: the intensity scaling that belongs to the model and takes the place of `--normalise` and
            `--neighbours`; empty: it takes what all others take.
        deep_supervision: whether it can answer at lower levels of its decoder, too: in training, by a list of logits,
            each half the size of the one before.
        form: whose net it is, where it is no row of the table. Nothing else is known of it before it is built.
    """

    name: str
    builder: str
    summary: str
    parameters: int
    source: str
    divisor: int
    width: int = 0
    encoder: str = ""
    batch_norm: bool = False
    in_channels: int = 3
    normalise: str = ""
    deep_supervision: bool = False
    form: Form | None = None


_ROWS = (
    ModelSpec(
        name="unet",
        builder="headtohead.models.unet:PlainUNet",
        summary="plain U-Net, four levels from 64 to 512 channels, no normalisation, bilinear up-sampling",
        parameters=7_782_913,
        source="Ronneberger et al., MICCAI 2015, doi:10.1007/978-3-319-24574-4_28",
        divisor=8,
        width=64,
        deep_supervision=True,
    ),
    ModelSpec(
        name="buda",
        builder="headtohead.models.buda:BudaUNet",
        summary="batch-norm U-Net of Buda et al., five levels from 32 to 512 channels",
        parameters=7_763_041,
        source="Buda et al., Comput Biol Med 109:218-225, 2019, doi:10.1016/j.compbiomed.2019.05.002",
        divisor=16,
        width=32,
        batch_norm=True,
        deep_supervision=True,
    ),
    ModelSpec(
        name="resnext",
        builder="headtohead.models.resnext:resnext_unet",
        summary="U-Net with a ResNeXt-50 (32x4d) encoder, which --encoder_weights can start from ImageNet",
        parameters=31_992_977,
        source="Xie et al., CVPR 2017, doi:10.1109/CVPR.2017.634",
        divisor=32,
        encoder="resnext50_32x4d",
        batch_norm=True,
    ),
    ModelSpec(
        name="resnext_plain",
        builder="headtohead.models.resnext_plain:ResNeXtPlain",
        summary="ResNeXt-50 U-Net of the LGG comparison: its own decoder, skips added, no max-pooling at the start",
        parameters=30_947_777,
        source="Xie et al., CVPR 2017, doi:10.1109/CVPR.2017.634",
        divisor=16,
        encoder="resnext50_32x4d",
        batch_norm=True,
    ),
    ModelSpec(
        name="segnet",
        builder="headtohead.models.segnet:SegNet",
        summary="SegNet: VGG16 with batch norm, which --encoder_weights can start from ImageNet, and its mirror image",
        parameters=29_443_587,
        source="Badrinarayanan et al., IEEE TPAMI 39:2481-2495, 2017, doi:10.1109/TPAMI.2016.2644615",
        divisor=1,
        width=64,
        encoder="vgg16_bn",
        batch_norm=True,
    ),
    ModelSpec(
        name="segnet_5x5",
        builder="headtohead.models.segnet:segnet_5x5",
        summary="SegNet with kernels of 5x5 in place of 3x3 pixels",
        parameters=81_745_411,
        source="Badrinarayanan et al., IEEE TPAMI 39:2481-2495, 2017, doi:10.1109/TPAMI.2016.2644615",
        divisor=1,
        width=64,
        batch_norm=True,
    ),
    ModelSpec(
        name="fetal_unet",
        builder="headtohead.models.fetal_unet:FetalUNet",
        summary="U-Net of fetal brain masking, five levels from 32 to 512 channels, on one channel scaled by slice",
        parameters=7_759_521,
        source="Ronneberger et al., MICCAI 2015, doi:10.1007/978-3-319-24574-4_28",
        divisor=16,
        width=32,
        in_channels=1,
        normalise="slice",
    ),
)
MODELS: dict[str, ModelSpec] = {row.name: row for row in _ROWS}


def find_spec(name: str, label: str = "`model`") -> ModelSpec:
    """Look a model up by name: a row, or what `forms` reads; `label` is where the name came from, for the message.

    Raises:
        UserError: there is none of that name; the message suggests the nearest.
    """
    return MODELS[name] if name in MODELS else spec_of_form(form_of(name, label, MODELS))


def spec_of_form(form: Form) -> ModelSpec:
    """Say what is known of a net that is no row of the table, without building it."""
    where = {SMP: "segmentation_models_pytorch", MONAI: "MONAI", FILE: form.title.partition(":")[0]}
    return ModelSpec(
        name=form.title,
        builder="",
        summary=SPOKEN[form.kind],
        parameters=0,
        source=where.get(form.kind) or entry_points().get(form.title, "an installed package"),
        divisor=1,
        encoder=form.parts[1] if form.kind == SMP else "",
        form=form,
    )


def build_model(
    name: str,
    in_channels: int,
    width: int = 0,
    encoder_weights: str = "none",
    out_channels: int = 1,
    arguments: Sequence[str] = (),
    deep_supervision: bool = False,
) -> "nn.Module":
    """Build a model with fresh weights, drawn from PyTorch's global generator: the same seed gives the same net.

    It maps float [B, in_channels, H, W] to logits float [B, out_channels, H, W]. A width of 0 is the published one;
    encoder weights are `none`, `imagenet`, or a file of weights for its encoder; arguments are the `key=value` of a net
    that is no row of the table. Code of a file or a package is run: the caller has made sure that the user named it.
    Under deep supervision it gives a list of logits in training: these, then those of lower levels.

    Raises:
        UserError: no such model, or it cannot be scaled, has no encoder to load or no deep supervision, or the weights
            cannot be had.
    """
    spec = find_spec(name)
    if width < 0:
        raise UserError(f"`width` {width}: must be a number of channels, or 0 for the published width")
    if width and not spec.width:
        scalable = ", ".join(other.name for other in MODELS.values() if other.width)
        raise UserError(f"`width` {width}: {name} cannot be scaled; leave `width` out or use one of: {scalable}")
    if not spec.encoder and encoder_weights != "none":
        able = ", ".join(other.name for other in MODELS.values() if other.encoder)
        raise UserError(
            f"`encoder_weights` {encoder_weights}: {name} has no pretrained encoder; leave it out or use one of: {able}"
        )
    if deep_supervision and not spec.deep_supervision:
        able = ", ".join(other.name for other in MODELS.values() if other.deep_supervision)
        raise UserError(f"`deep_supervision`: {name} has no heads at lower levels; leave it out or use one of: {able}")
    if spec.form:
        if spec.form.runs_code:
            from headtohead.models.own_file import own_net

            return own_net(spec.form, in_channels, out_channels, arguments)
        from headtohead.models.libraries import library_net

        return library_net(spec.form, in_channels, out_channels, arguments, encoder_weights)
    if arguments:
        raise UserError(f"`model_arguments` {arguments[0]}: {name} takes none; leave it out")
    keywords: dict[str, int | str] = {"in_channels": in_channels, "out_channels": out_channels}
    if spec.width:
        keywords["width"] = width or spec.width
    if spec.encoder:
        keywords["encoder_weights"] = encoder_weights
    if deep_supervision:
        keywords["deep_supervision"] = True
    module, _, attribute = spec.builder.partition(":")
    return getattr(importlib.import_module(module), attribute)(**keywords)


def check_image_size(name: str, image_size: int, label: str = "`image_size`") -> None:
    """Refuse an image size that the model cannot halve evenly down to its deepest level.

    Raises:
        UserError: names what the size was given with, and the nearest sizes that work.
    """
    spec = find_spec(name)
    if spec.form and image_size > 0:
        return  # `asking.refuse_unfit_net` asks the net itself
    divisor = spec.divisor
    if image_size > 0 and image_size % divisor == 0:
        return
    below = max(image_size, 0) // divisor * divisor
    sizes = f"{below} or {below + divisor}" if below else f"{divisor} or more"
    raise UserError(f"{label} {image_size}: {name} needs a multiple of {divisor}; write {sizes}")
