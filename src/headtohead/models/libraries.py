"""Nets of segmentation_models_pytorch and of MONAI, by their names there."""

import inspect
from collections.abc import Callable, Sequence
from typing import Any

from torch import nn

from headtohead.errors import UserError, did_you_mean
from headtohead.machine import mend_torchvision
from headtohead.models.arguments import fitted_arguments, read_arguments
from headtohead.models.forms import MONAI_MISSING, SMP, Form
from headtohead.models.pretrained import load_encoder

LEFT_OUT = ("activation", "aux_params", "pretrained", "pretrained_path", "pretrained_weights", "weights", "progress")
"""What a net of a library may not be told: it would ask the network, or give something other than logits."""


def library_net(
    form: Form, in_channels: int, out_channels: int, texts: Sequence[str] = (), encoder_weights: str = "none"
) -> nn.Module:
    """Build a net of a library with fresh weights, or with those of an encoder of segmentation_models_pytorch.

    Raises:
        UserError: the library has no such net or encoder, or it does not take an argument.
    """
    if form.kind == SMP:
        return _smp_net(form, in_channels, out_channels, texts, encoder_weights)
    build = _class_of_monai(form)
    given = read_arguments(texts, form.title)
    settled = {"spatial_dims": 2}
    return called(
        build, form.title, fitted_arguments(build, form.title, given, in_channels, out_channels, settled, LEFT_OUT)
    )


def called(build: Callable[..., Any], name: str, arguments: dict[str, Any]) -> nn.Module:
    """Call a class or function of others, and refuse what is no net.

    Raises:
        UserError: it raises an error of its own, or gives something else.
    """
    try:
        net = build(**arguments)
    except UserError:
        raise
    except (Exception, SystemExit) as fault:  # anything may come out of the code of others
        # Of a missing package, the further lines are about an installation in general.
        said = str(fault).strip().splitlines()[:1] if isinstance(fault, ImportError) else str(fault).split()
        reason = " ".join(said) or "no reason given"
        raise UserError(
            f"`model` {name}: cannot be built: {type(fault).__name__}: {reason}; correct it or its "
            "`model_settings` (`debug` shows where)"
        ) from fault
    if not isinstance(net, nn.Module):
        raise UserError(f"`model` {name}: gives a {type(net).__name__}, not a torch.nn.Module; return the net")
    return net


def _smp_net(form: Form, in_channels: int, out_channels: int, texts: Sequence[str], encoder_weights: str) -> nn.Module:
    mend_torchvision()
    import segmentation_models_pytorch as smp

    architecture, encoder = form.parts
    known = {one.__name__: one for one in smp.MODEL_ARCHITECTURES_MAPPING.values()}
    if architecture not in known:
        raise UserError(
            f"`model` {form.title}: segmentation_models_pytorch has no {architecture}"
            f"{did_you_mean(architecture, known)}; it has {', '.join(known)}"
        )
    _refuse_unknown_encoder(form.title, encoder)
    build, given = known[architecture], read_arguments(texts, form.title)
    settled = {"encoder_name": encoder, "encoder_weights": None}

    def with_inputs(channels: int) -> nn.Module:
        arguments = fitted_arguments(build, form.title, given, channels, out_channels, settled, LEFT_OUT)
        return called(build, form.title, arguments)

    return load_encoder(with_inputs, encoder_weights, encoder, in_channels)


def _refuse_unknown_encoder(title: str, encoder: str) -> None:
    import segmentation_models_pytorch as smp
    import timm

    if encoder.startswith("tu-"):
        # By its list alone: a name with a colon or a slash would be looked up on a server.
        known = [f"tu-{name}" for name in timm.list_models()]
        if encoder.partition(".")[0] in known and timm.is_model(encoder.removeprefix("tu-")):
            return
        library = "timm"
    else:
        known, library = list(smp.encoders.encoders), "segmentation_models_pytorch"
        if encoder in known:
            return
    more = "" if did_you_mean(encoder, known) else f"; such as {', '.join(known[:4])}"
    raise UserError(f"`model` {title}: {library} has no encoder {encoder}{did_you_mean(encoder, known)}{more}")


def _class_of_monai(form: Form) -> Callable[..., Any]:
    try:
        from monai.networks import nets
    except ImportError as fault:
        raise UserError(f"`model` {form.title}: {MONAI_MISSING}") from fault

    [name] = form.parts
    found = vars(nets)
    known = [key for key, one in found.items() if inspect.isclass(one) and issubclass(one, nn.Module)]
    if name not in known:
        raise UserError(
            f"`model` {form.title}: MONAI has no net {name}{did_you_mean(name, known)}; known are those of "
            "monai.networks.nets"
        )
    if "spatial_dims" not in inspect.signature(found[name]).parameters:
        raise UserError(f"`model` {form.title}: it takes no spatial_dims, so it is no net of images; choose another")
    return found[name]
