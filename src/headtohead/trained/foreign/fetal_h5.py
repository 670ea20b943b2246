"""The Keras weights of the fetal brain masking U-Net: an HDF5 file, walked layer by layer.

Keras 1 and 2 write the layers either at the top of the file (`save_weights`) or below `model_weights` (`save`). The
order is that of the attributes `layer_names` and `weight_names`; names differ from file to file and are not relied on.
"""

from collections.abc import Iterator
from itertools import count, takewhile
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import torch

from headtohead.errors import UserError
from headtohead.models.fetal_unet import FetalUNet
from headtohead.preparing.recipe import InputRecipe
from headtohead.readers.tasks import VOLUMES_TASK
from headtohead.trained.facts import ModelFacts

CLEAN_UP = "dilate=2px,close=2cube,largest"
IMAGE_SIZE = 256
LARGEST = 2**27
"""Numbers in all arrays together above which none more is read: a file of a kilobyte can declare more than the memory
holds, in one array or in many."""

MOST_ARRAYS = 1000


def read_fetal(path: Path) -> tuple[ModelFacts, dict[str, torch.Tensor]]:
    """Read the weights of the net, whose width and channels follow from their shapes.

    Raises:
        UserError: it is damaged, or does not hold exactly the weights of this net.
    """
    try:
        with h5py.File(path, "r") as file:
            arrays = list(weights_in_order(file, path))
    except (OSError, KeyError, RuntimeError, TypeError, ValueError, AttributeError) as fault:
        raise UserError(
            f"{path}: not a readable Keras file of weights (HDF5; cut short or damaged); restore it"
        ) from fault
    if not arrays or arrays[0][1].ndim != 4:
        raise UserError(f"{path}: not the weights of fetal_unet: it does not begin with a convolution")
    in_channels, width = arrays[0][1].shape[2:]
    if in_channels != 1:
        raise UserError(f"{path}: takes {in_channels} channels, but slices of this model have one")
    with torch.device("meta"):
        expected = FetalUNet(in_channels, width).state_dict()
    if len(arrays) != len(expected):
        raise UserError(
            f"{path}: not the weights of fetal_unet: it has {len(arrays)} arrays instead of {len(expected)}"
        )
    state = {}
    for (name, wanted), (stored, array) in zip(expected.items(), arrays, strict=True):
        value = to_torch(array)
        if value.shape != wanted.shape:
            raise UserError(
                f"{path}: {stored} is {array.shape}, but fetal_unet has {from_torch(tuple(wanted.shape))}; "
                "is it another model?"
            )
        state[name] = value
    return masker_facts(path, width), state


def masker_facts(path: Path, width: int) -> ModelFacts:
    """State what belongs to such weights: slices scaled by themselves, any plane, and a clean-up."""
    return ModelFacts(
        name=path.name.split(".")[0],
        model="fetal_unet",
        width=width,
        in_channels=1,
        recipe=InputRecipe(IMAGE_SIZE, "slice", 0).chain.to_dict(),
        task=VOLUMES_TASK,
        postprocessing=CLEAN_UP,
    )


def weights_in_order(file: h5py.File, path: Path) -> Iterator[tuple[str, np.ndarray]]:
    """Walk the arrays of all layers in their order: (name, array).

    Raises:
        UserError: the file has no layers where Keras puts them, declares far too many numbers, or reads other files.
    """
    root = held_by(file, "model_weights", path) if "model_weights" in file else file
    layers = names(root, "layer_names")
    if not layers:
        raise UserError(f"{path}: no layers in it; save the weights from Keras in the HDF5 format (.h5)")
    numbers = arrays = 0
    for layer in layers:
        group = held_by(root, layer, path)
        for name in names(group, "weight_names"):
            stored = held_by(group, name, path)
            numbers, arrays = numbers + stored.size, arrays + 1
            if numbers > LARGEST or arrays > MOST_ARRAYS:
                raise UserError(
                    f"{path}: {numbers} numbers in {arrays} arrays up to {name}; no fetal_unet holds as many"
                )
            yield name, np.asarray(stored, np.float32)


def held_by(group: h5py.Group, name: str, path: Path) -> Any:
    """Give what a group holds under a name, unless it lies in another file.

    Raises:
        KeyError: it is not there.
        UserError: a link leads to another file, or may; or the values of an array lie in one.
    """
    for part in name.strip("/").split("/"):
        outside = not isinstance(group.get(part, h5py.HardLink(), getlink=True), h5py.HardLink)
        group = group if outside else group[part]
        if outside or (isinstance(group, h5py.Dataset) and (group.external or group.is_virtual)):
            raise UserError(f"{path}: refused, since {name} lies elsewhere (a link or external data); save it anew")
    return group


def names(group: h5py.Group, attribute: str) -> list[str]:
    """Read a list of names from a group's attributes; Keras cuts a long one into `<attribute>0`, `<attribute>1` ..."""
    pieces = takewhile(group.attrs.__contains__, (f"{attribute}{number}" for number in count()))
    parts = [group.attrs[piece] for piece in ([attribute] if attribute in group.attrs else pieces)]
    return [name.decode() if isinstance(name, bytes) else str(name) for part in parts for name in part]


def to_torch(array: np.ndarray) -> torch.Tensor:
    """Bring a kernel [height, width, in, out] to PyTorch's [out, in, height, width]; a bias stays as it is."""
    return torch.from_numpy(np.ascontiguousarray(array.transpose(3, 2, 0, 1) if array.ndim == 4 else array))


def from_torch(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Give the shape that PyTorch's has in Keras."""
    return (*shape[2:], shape[1], shape[0]) if len(shape) == 4 else shape
