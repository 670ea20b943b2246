"""Weights for a pretrained encoder: from a file, or ImageNet's from the Hugging Face hub, never after a long wait."""

import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn

from headtohead.errors import UserError
from headtohead.machine import mend_torchvision
from headtohead.records.archives import refuse_packed
from headtohead.records.regular import UnreadableError

SUFFIXES = (".pth", ".pt", ".safetensors")
PREFIXES = ("model.encoder.", "encoder.")  # our own checkpoints; a whole segmentation model
TIMM = "tu-"  # before the name of an encoder that is timm's
CLASSIFIERS = ("fc.", "classifier.")  # what comes after the encoder in torchvision's nets
PATIENCE_SECONDS = 2.0
WAY_OUT = "write `encoder_weights=none`, or `encoder_weights=FILE` (.pth, .pt or .safetensors)"


def read_encoder_weights(source: str, encoder: str, in_channels: int) -> dict[str, torch.Tensor]:
    """Read the weights of an encoder of segmentation_models_pytorch, and check that they fit.

    They are `imagenet`, or a file: a state dict as torchvision or segmentation_models_pytorch name its entries, of the
    encoder alone or (under `encoder.`) inside a whole model. The first convolution is of `in_channels` or of 3
    channels.

    Raises:
        UserError: no such file, a file of another kind, weights of another net, or no way to download.
    """
    if source == "imagenet" and encoder.startswith(TIMM):
        return _timm_entries(encoder)
    path = _imagenet_file(encoder) if source == "imagenet" else Path(source)
    entries = _encoder_entries(_read_file(path))
    _check_fit(entries, path, encoder, in_channels)
    return entries


def load_encoder(build: Callable[[int], nn.Module], source: str, encoder: str, in_channels: int) -> nn.Module:
    """Build a net of segmentation_models_pytorch whose encoder starts from weights; `none`: from fresh ones.

    Args:
        build: makes the net for a number of input channels.
        source: as for `read_encoder_weights`.
        encoder: its name in the library.
        in_channels: of the input.

    Raises:
        UserError: as `read_encoder_weights`.
    """
    net = build(in_channels)
    if source == "none":
        return net
    its_encoder: nn.Module = net.encoder  # type: ignore[assignment]
    entries, due = read_encoder_weights(source, encoder, in_channels), its_encoder.state_dict()
    fitted = {  # a shallower encoder has fewer
        name: entries[name] if entries[name].shape == own.shape else spread_channels(entries[name], in_channels)
        for name, own in due.items()
    }
    its_encoder.load_state_dict(fitted)
    return net


def spread_channels(weight: torch.Tensor, channels: int) -> torch.Tensor:
    """Repeat the channels of a first convolution's weights in turn, or leave some out, up to so many.

    They are scaled so that the sum over channels keeps its size.
    """
    stored = weight.shape[1]
    return weight if stored == channels else weight[:, torch.arange(channels) % stored] * (stored / channels)


def _read_file(path: Path) -> dict[str, torch.Tensor]:
    if not path.is_file():
        raise UserError(f"`encoder_weights` {path}: no such file; write none, imagenet, or a file of weights")
    if path.suffix not in SUFFIXES:
        raise UserError(f"`encoder_weights` {path}: unknown file type; known are {', '.join(SUFFIXES)}")
    if path.suffix == ".safetensors":
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        try:
            return load_file(path, device="cpu")
        except (SafetensorError, OSError, ValueError, TypeError, KeyError) as error:
            raise UserError(f"`encoder_weights` {path}: damaged or no safetensors file; fetch it again") from error
    try:
        refuse_packed(path)
        content = torch.load(path, map_location="cpu", weights_only=True)
    except UnreadableError as fault:
        raise UserError(
            f"`encoder_weights` {path}: damaged ({fault}); save it again with torch.save(model.state_dict(), FILE)"
        ) from fault
    except Exception as error:  # what an unpickler meets in arbitrary bytes can be any of a dozen errors
        raise UserError(
            f"`encoder_weights` {path}: damaged, or holds objects besides weights, which could run code when read; "
            "save it again with torch.save(model.state_dict(), FILE)"
        ) from error
    content = content.get("state_dict", content) if isinstance(content, dict) else {}
    content = content if isinstance(content, dict) else {}
    return {str(name): value for name, value in content.items() if isinstance(value, torch.Tensor)}


def _encoder_entries(entries: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Keep the encoder of a whole model, under the encoder's own names and without a classifier."""
    for prefix in PREFIXES:
        inside = {name.removeprefix(prefix): value for name, value in entries.items() if name.startswith(prefix)}
        if inside:
            entries = inside
            break
    return {name: value for name, value in entries.items() if not name.startswith(CLASSIFIERS)}


def _check_fit(entries: dict[str, torch.Tensor], path: Path, encoder: str, in_channels: int) -> None:
    mend_torchvision()
    from segmentation_models_pytorch.encoders import get_encoder

    with torch.device("meta"):  # names and shapes only: no memory, no random numbers
        expected = get_encoder(encoder, in_channels=3, weights=None).state_dict()
    first = first_convolution(expected)
    wrong = sorted(expected.keys() ^ entries.keys())
    wrong += [
        name
        for name in sorted(expected.keys() & entries.keys())
        if _shape(expected[name], name == first) != _shape(entries[name], name == first)
    ]
    if wrong:
        raise UserError(
            f"`encoder_weights` {path}: not the weights of {encoder} (missing, unknown or of another "
            f"shape: {len(wrong)}, such as {wrong[0]}); give a state dict of that encoder"
        )
    stored = entries[first].shape[1]
    if stored not in (3, in_channels):
        raise UserError(
            f"`encoder_weights` {path}: made for {stored}-channel inputs, but this one has {in_channels}; "
            "give weights for as many channels or for 3, or change `neighbours`"
        )


def fit_first_convolution(entries: dict[str, torch.Tensor], in_channels: int) -> dict[str, torch.Tensor]:
    """Fit an encoder's first convolution to `in_channels`, as `spread_channels`."""
    first = first_convolution(entries)
    return entries | {first: spread_channels(entries[first], in_channels)}


def first_convolution(entries: dict[str, torch.Tensor]) -> str:
    """Name the weights that meet the image: those of an encoder's first convolution."""
    return next(name for name, weight in entries.items() if weight.ndim == 4)


def _shape(weight: torch.Tensor, first: bool) -> list[int]:
    """The shape that has to agree: the first convolution may take another number of channels."""
    shape = list(weight.shape)
    return [*shape[:1], *shape[2:]] if first and len(shape) > 1 else shape


def _imagenet_file(encoder: str) -> Path:
    """Find the ImageNet weights in the local Hugging Face cache, else download them."""
    mend_torchvision()
    from huggingface_hub import hf_hub_download, try_to_load_from_cache
    from segmentation_models_pytorch.encoders import encoders

    kinds = encoders[encoder]["pretrained_settings"]
    if "imagenet" not in kinds:
        raise UserError(f"`encoder_weights=imagenet`: the library has none for {encoder}; {WAY_OUT}")
    repository, revision, name = kinds["imagenet"]["repo_id"], kinds["imagenet"]["revision"], "model.safetensors"
    cached = try_to_load_from_cache(repository, name, revision=revision)
    if isinstance(cached, str):
        return Path(cached)

    _refuse_unreachable()
    try:
        return Path(hf_hub_download(repository, name, revision=revision))
    except Exception as error:  # the client's own kinds, and those of whichever HTTP library it rests on
        raise UserError(f"`encoder_weights=imagenet`: download failed ({type(error).__name__}); {WAY_OUT}") from error


def _timm_entries(encoder: str) -> dict[str, torch.Tensor]:
    """Let timm load its own ImageNet weights, from the local cache or the Hugging Face hub."""
    mend_torchvision()
    import timm
    from huggingface_hub import try_to_load_from_cache
    from segmentation_models_pytorch.encoders import get_encoder

    known = timm.get_pretrained_cfg(encoder.removeprefix(TIMM))
    repository = known.hf_hub_id if known else None
    if not repository:
        raise UserError(f"`encoder_weights=imagenet`: timm has none for {encoder}; {WAY_OUT}")
    if not isinstance(try_to_load_from_cache(repository, "model.safetensors"), str):
        _refuse_unreachable()
    try:
        return get_encoder(encoder, in_channels=3, weights=True).state_dict()
    except Exception as error:  # timm's and the client's own kinds
        raise UserError(f"`encoder_weights=imagenet`: download failed ({type(error).__name__}); {WAY_OUT}") from error


def _refuse_unreachable() -> None:
    """Refuse to download where nobody answers: the hub's own client tries again for half a minute."""
    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE or not answers(constants.ENDPOINT):
        raise UserError(
            f"`encoder_weights=imagenet`: not in the local cache, and {constants.ENDPOINT} cannot be reached; {WAY_OUT}"
        )


def answers(address: str, patience: float = PATIENCE_SECONDS) -> bool:
    """Say whether a web address answers, whatever it says, within `patience` seconds.

    The question runs in a thread of its own, because a name server that does not answer holds it up for longer
    than any time limit of the request.
    """
    heard = threading.Event()

    def ask() -> None:
        request = urllib.request.Request(address, method="HEAD")
        try:
            urllib.request.urlopen(request, timeout=patience).close()
        except urllib.error.HTTPError:
            heard.set()
        except OSError:
            return
        heard.set()

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(patience)
    return heard.is_set()
