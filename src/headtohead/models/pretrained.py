"""Weights for a pretrained encoder: from a file, or ImageNet's from the Hugging Face hub, never after a long wait."""

import threading
import urllib.error
import urllib.request
from pathlib import Path

import torch

from headtohead.errors import UserError
from headtohead.machine import mend_torchvision
from headtohead.records.archives import refuse_packed
from headtohead.records.regular import UnreadableError

SUFFIXES = (".pth", ".pt", ".safetensors")
PREFIXES = ("model.encoder.", "encoder.")  # our own checkpoints; a whole segmentation model
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
    path = _imagenet_file(encoder) if source == "imagenet" else Path(source)
    entries = _encoder_entries(_read_file(path))
    _check_fit(entries, path, encoder, in_channels)
    return entries


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
    """Repeat the channels of an encoder's first convolution in turn, or leave some out, up to `in_channels`.

    Its weights are scaled so that the sum over channels keeps its size.
    """
    first = first_convolution(entries)
    stored = entries[first].shape[1]
    if stored == in_channels:
        return entries
    return entries | {first: entries[first][:, torch.arange(in_channels) % stored] * (stored / in_channels)}


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
    from huggingface_hub import constants, hf_hub_download, try_to_load_from_cache
    from segmentation_models_pytorch.encoders import encoders

    settings = encoders[encoder]["pretrained_settings"]["imagenet"]
    repository, revision, name = settings["repo_id"], settings["revision"], "model.safetensors"
    cached = try_to_load_from_cache(repository, name, revision=revision)
    if isinstance(cached, str):
        return Path(cached)

    # The hub's own client tries again for half a minute before it gives up.
    if constants.HF_HUB_OFFLINE or not answers(constants.ENDPOINT):
        raise UserError(
            f"`encoder_weights=imagenet`: not in the local cache, and {constants.ENDPOINT} cannot be reached; {WAY_OUT}"
        )
    try:
        return Path(hf_hub_download(repository, name, revision=revision))
    except Exception as error:  # the client's own kinds, and those of whichever HTTP library it rests on
        raise UserError(f"`encoder_weights=imagenet`: download failed ({type(error).__name__}); {WAY_OUT}") from error


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
