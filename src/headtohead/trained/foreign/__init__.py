"""Weights from elsewhere: published state dicts and Keras files, with the preparation and clean-up they belong to."""

from pathlib import Path
from typing import TYPE_CHECKING

from headtohead.errors import UserError
from headtohead.trained.facts import ModelFacts

if TYPE_CHECKING:
    import torch

READERS = {
    "buda": "headtohead.trained.foreign.buda_weights:read_buda",
    "fetal_unet": "headtohead.trained.foreign.fetal_h5:read_fetal",
}
"""Model to the function that reads its published weights."""


def read_foreign(path: Path, model: str) -> "tuple[ModelFacts, dict[str, torch.Tensor]]":
    """Read published weights: a PyTorch state dict of `buda`, a Keras HDF5 file of `fetal_unet`; no code is run.

    Gives the facts of the model with its own preparation and clean-up, and its weights by their names in the net.

    Raises:
        UserError: there is no such file, it is damaged, holds more than weights, or not those of the model.
    """
    import importlib

    if model not in READERS:
        raise UserError(
            f"`model_path` {path}: third-party weights can be read for {' and '.join(READERS)}, not for {model}; "
            f"name the model with `model`, or name a bundle folder"
        )
    if not path.is_file():
        raise UserError(f"`model_path` {path}: no such file; check the path")
    module, _, function = READERS[model].partition(":")
    return getattr(importlib.import_module(module), function)(path)
