"""The published weights of the FLAIR abnormality U-Net: a PyTorch state dict, by convention `unet.pt`."""

from dataclasses import replace
from pathlib import Path

import torch

from headtohead.errors import UserError
from headtohead.learning.checkpoint import read_tensors
from headtohead.models.buda import BudaUNet
from headtohead.preparing.recipe import buda_chain
from headtohead.readers.lgg import TASK as LGG_TASK
from headtohead.readers.tasks import VOLUMES_TASK as NIFTI_TASK
from headtohead.trained.facts import ModelFacts

FIRST = "encoder1.enc1conv1.weight"
TASKS = {1: replace(NIFTI_TASK, plane="axial"), 3: LGG_TASK}
"""What such weights were trained for, by the channels of their input."""

CLEAN_UP = "largest"
"""The published scores are of the largest connected component."""


def read_buda(path: Path) -> tuple[ModelFacts, dict[str, torch.Tensor]]:
    """Read a state dict by the published names; width and channels follow from its shapes.

    Raises:
        UserError: it is damaged, could run code, or does not hold exactly the weights of this net.
    """
    state = read_state_dict(path)
    if FIRST not in state or state[FIRST].ndim != 4:
        raise UserError(f"{path}: not the weights of buda: {FIRST} is missing; is it another `model`?")
    width, in_channels = state[FIRST].shape[:2]
    if in_channels not in TASKS:
        raise UserError(
            f"{path}: takes {in_channels} channels; supported are 1, and 3 ({', '.join(LGG_TASK.sequences)})"
        )
    # On no device: a width made up to exhaust the memory costs nothing.
    with torch.device("meta"):
        expected = BudaUNet(in_channels, width).state_dict()
    for name in [*expected, *state]:
        wanted, found = (held[name].shape if name in held else None for held in (expected, state))
        if wanted is None or found is None:
            raise UserError(f"{path}: not the weights of buda: {name} is {'unknown' if wanted is None else 'missing'}")
        if wanted != found:
            raise UserError(
                f"{path}: {name} is {tuple(found)}, but should be {tuple(wanted)}, given the first layer; fetch the "
                "file again"
            )
    facts = ModelFacts(
        name=path.stem,
        model="buda",
        width=width,
        in_channels=in_channels,
        recipe=buda_chain(in_channels).to_dict(),
        task=TASKS[in_channels],
        postprocessing=CLEAN_UP,
    )
    return facts, {name: value.float() if value.is_floating_point() else value for name, value in state.items()}


def read_state_dict(path: Path) -> dict[str, torch.Tensor]:
    """Read a file of PyTorch that holds tensors by name and nothing else.

    Raises:
        UserError: it is damaged, could run code, or holds something else.
    """
    state = read_tensors(path, "file of weights", "fetch it again")
    if not isinstance(state, dict) or not all(isinstance(value, torch.Tensor) for value in state.values()):
        raise UserError(f"{path}: not a state dict (tensors by name); name another file")
    if sum(value.nbytes for value in state.values()) > path.stat().st_size:  # one number may stand for any shape
        raise UserError(f"{path}: not a state dict: its tensors come to more than the file holds; name another file")
    return {str(name): value for name, value in state.items()}
