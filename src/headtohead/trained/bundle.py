"""A bundle: a folder that holds all of a trained model and nothing that could run code, to be used anywhere.

It holds model.json, weights.safetensors, model.onnx, and, as far as they are known, config.yaml, cases.csv, README.md.
"""

import json
from pathlib import Path

import numpy as np
import torch
import yaml
from safetensors.torch import save

from headtohead.errors import UserError
from headtohead.records.regular import UnreadableError, read_regular
from headtohead.runs.folder import RunFolder
from headtohead.saving import replace_folder, sync, temporary_folder, write_bytes, write_text
from headtohead.trained.card import model_card
from headtohead.trained.engines.onnx_bytes import onnx_bytes
from headtohead.trained.engines.torch_engine import load_net
from headtohead.trained.facts import FILE, ModelFacts
from headtohead.trained.source import ONNX, WEIGHTS, Source, open_source

CARD = "README.md"
TRAVELS = (CARD, "config.yaml", "cases.csv")
"""What an existing bundle passes on to one made from it."""

LARGEST = 64 << 20
"""Bytes of one of these."""

PLACES = (
    *("root_dir", "cache_dir", "runs_dir", "output", "comparison", "run_name"),
    *("fold_file", "model_path", "init_from", "config"),
)
"""Options that say where something lies on the machine of the training; no business of who gets the bundle."""

CHECKED = 2  # inputs on which ONNX is compared with PyTorch where no real slices are at hand


def write_bundle(source: Source, folder: Path, half: bool = False, overwrite: bool = False) -> Path:
    """Write a trained model as a bundle, and give the folder. It appears whole or not at all.

    Half, the weights are kept in 16 bits, in half the space; they are read back, and calculated with, in 32.

    Raises:
        UserError: the folder is there already, or is no bundle and so not replaced; or the model cannot be read.
    """
    refuse_folder(folder, overwrite)
    model = load_net(source)
    if half:
        model = model.half().float()
    with temporary_folder(folder.parent, becomes=folder) as temporary:
        source.facts.write(temporary)
        write_safetensors(model, source.facts, temporary / WEIGHTS, half)
        _write_onnx(model, source, temporary / ONNX, half)
        _write_papers(source, temporary, folder.name)
        for path in temporary.iterdir():
            sync(path)
        replace_folder(temporary, folder)
        sync(folder.parent)
    return folder


def load_bundle(folder: Path) -> tuple[ModelFacts, torch.nn.Module]:
    """Read a bundle: its facts, and its net in evaluation mode. Data only, no code of it is run.

    Raises:
        UserError: it is no bundle, damaged, or holds anything but plain data and tensors.
    """
    source = open_source(folder)
    try:
        return source.facts, load_net(source)
    except (TypeError, ValueError, AttributeError) as fault:
        raise UserError(f"{folder / FILE}: damaged; make the bundle again with `export=bundle`") from fault


def refuse_folder(folder: Path, overwrite: bool) -> None:
    """Refuse to replace a folder unless told to; one that is no bundle is never replaced.

    Raises:
        UserError: names the folder and the fix.
    """
    if not folder.exists():
        return
    if not (folder / FILE).is_file():
        raise UserError(
            f"{folder}: already exists and is not a bundle, so it is kept; choose another folder with `output`"
        )
    if not overwrite:
        raise UserError(f"{folder}: already exists; choose another folder with `output`, or add `overwrite`")


def write_safetensors(model: torch.nn.Module, facts: ModelFacts, path: Path, half: bool = False) -> None:
    """Write weights, in 32 or `half` as many bits, and facts, as JSON in its metadata, into one safetensors file."""
    kind = torch.float16 if half else torch.float32
    state = {
        name: (value.to(kind) if value.is_floating_point() else value).contiguous()
        for name, value in model.state_dict().items()
    }
    write_bytes(path, save(state, metadata={FILE: facts_text(facts)}), lasting=True)


def facts_text(facts: ModelFacts) -> str:
    """The facts as they go into a file's metadata: JSON."""
    return json.dumps(facts.to_dict())


def noise_like_input(facts: ModelFacts) -> np.ndarray:
    """Make inputs for a model where no real slices are at hand: float32 [n, C, S, S], from a fixed seed."""
    side = facts.image_size
    return np.random.default_rng(0).standard_normal((CHECKED, facts.in_channels, side, side), np.float32)


def _write_onnx(model: torch.nn.Module, source: Source, path: Path, half: bool) -> None:
    from headtohead.trained.onnx_file import write_onnx

    if source.onnx and not half:
        write_bytes(path, onnx_bytes(source.onnx))
    else:
        print(f"{ONNX} {write_onnx(model, source.facts, path, noise_like_input(source.facts), half)}")


def _write_papers(source: Source, folder: Path, name: str) -> None:
    """Write the card, the options of the training and the scores of the test, as far as there are any."""
    if source.folder and (source.folder / WEIGHTS).is_file():
        for paper in TRAVELS:
            _pass_on(source.folder / paper, folder / paper)
        return
    run = RunFolder(source.folder) if source.folder else None
    write_text(folder / CARD, model_card(source.facts, run, name))
    if run is None:
        return
    _pass_on(run.cases, folder / run.cases.name)
    options = {key: value for key, value in run.read_config().items() if key not in PLACES}
    write_text(folder / run.config.name, yaml.safe_dump(options, sort_keys=False))


def _pass_on(paper: Path, copy: Path) -> None:
    """Copy a file, if there is one."""
    try:
        write_bytes(copy, read_regular(paper, LARGEST))
    except FileNotFoundError:
        return
    except UnreadableError as fault:
        raise UserError(f"{paper}: cannot be read ({fault}); restore or remove it") from fault
