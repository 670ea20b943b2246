"""What a checkpoint holds of a trained model: data only, no code is run, no Lightning needed."""

import pickle
import warnings
import zipfile
from pathlib import Path
from typing import Any

import torch

from headtohead.errors import UserError
from headtohead.models.forms import title_of
from headtohead.models.parts import DEEP_HEADS
from headtohead.preparing.recipe import InputRecipe
from headtohead.records.archives import refuse_packed
from headtohead.records.regular import UnreadableError

PREFIX = "model."
FOREIGN = "not a checkpoint of this version of the program; train again"


def read_checkpoint(path: Path, mapped: bool = False) -> dict[str, Any]:
    """Read a checkpoint's plain data; `mapped`, its tensors stay on disk until used, and are not checked for damage.

    Raises:
        UserError: the file is missing, damaged, or holds anything but plain data and tensors.
    """
    if not path.is_file():
        raise UserError(f"{path}: no such checkpoint; train first (`train`)")
    checkpoint = read_tensors(path, "checkpoint", "train again", mapped)
    if not isinstance(checkpoint, dict):
        raise UserError(f"{path}: {FOREIGN}")
    return checkpoint


def read_tensors(path: Path, kind: str, mend: str, mapped: bool = False) -> Any:
    """Read a file of PyTorch that holds tensors and plain data, and run no code of it.

    `kind` and `mend` say in errors what it should be and what to do; `mapped` is as for `read_checkpoint`.

    Raises:
        UserError: it is damaged, packed, could run code, or is TorchScript.
    """
    try:
        refuse_packed(path)
        with warnings.catch_warnings():
            # PyTorch remarks on what it then refuses; our own line is to be the only one.
            warnings.simplefilter("ignore")
            return torch.load(path, map_location="cpu", weights_only=True, mmap=mapped)
    except pickle.UnpicklingError as fault:
        raise UserError(
            f"{path}: refused, since it holds more than tensors and plain data and could run code"
        ) from fault
    except UnreadableError as fault:
        if _is_torchscript(path):
            raise UserError(f"{path}: a TorchScript file, not a state dict; name a {kind}") from fault
        raise UserError(f"{path}: not a readable {kind} ({fault}); {mend}") from fault
    except Exception as fault:  # what a reader meets in arbitrary bytes can be any of a dozen errors
        if _is_torchscript(path):
            raise UserError(f"{path}: a TorchScript file, not a state dict; name a {kind}") from fault
        raise UserError(f"{path}: not a readable {kind} (cut short or damaged); {mend}") from fault


def _is_torchscript(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            return any(name.endswith("/constants.pkl") for name in archive.namelist())
    except Exception:  # arbitrary bytes again
        return False


def network_weights(checkpoint: dict[str, Any], path: Path) -> dict[str, torch.Tensor]:
    """Give the weights of the net alone, by their names in it, without the heads that only its training asks.

    Raises:
        UserError: it is no checkpoint of this project; `path` is named.
    """
    try:
        named = {name.removeprefix(PREFIX): value for name, value in checkpoint["state_dict"].items()}
        if not checkpoint.get("hyper_parameters", {}).get("deep_supervision"):
            return named
        return {name: value for name, value in named.items() if not name.startswith(DEEP_HEADS)}
    except (KeyError, AttributeError) as fault:
        raise UserError(f"{path}: {FOREIGN}") from fault


def checkpoint_facts(path: Path) -> dict[str, Any]:
    """Read from a checkpoint what model, width, in_channels, recipe and threshold its model has.

    Raises:
        UserError: as `read_checkpoint`, or it is not a checkpoint of this project.
    """
    try:
        facts = read_checkpoint(path)["hyper_parameters"]
        InputRecipe(**facts["recipe"])
        found = {name: facts[name] for name in ("model", "width", "in_channels", "recipe", "threshold")}
        return found | {"model": title_of(found["model"])}
    except (KeyError, TypeError) as fault:
        raise UserError(f"{path}: {FOREIGN}") from fault
