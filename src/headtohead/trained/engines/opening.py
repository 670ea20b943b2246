"""Choose what runs a net, and open it."""

import importlib.util
import shutil
import sys
from collections.abc import Iterable
from typing import Protocol

import numpy as np

from headtohead.errors import DamagedModel, UserError
from headtohead.models.forms import FILE, kind_of_name
from headtohead.options.flags import as_flags
from headtohead.trained.source import ONNX, Source

PACKAGES = {"torch": "torch", "onnx": "onnxruntime", "openvino": "openvino"}


class Engine(Protocol):
    """A net that is ready to be asked."""

    @property
    def name(self) -> str:
        """What runs it, and on what: `onnx on cpu`."""
        ...

    def __call__(self, batch: np.ndarray) -> np.ndarray:
        """Map scaled slices float32 [B, C, S, S] to the probability of the targets, float32 [B, K, S, S]."""
        ...


def open_engine(
    source: Source, which: str = "auto", gpus: str = "auto", precision: str = "auto", many: bool = True
) -> Engine:
    """Open a trained model in an engine, for many slices or one.

    `auto` is PyTorch where there is a GPU to use, as no other engine does. On a processor it is the fastest that is
    installed: OpenVINO for many slices, ONNX Runtime, which is ready sooner, for one. A net whose code the user has not
    named is never PyTorch's. A precision of `auto` is bf16
    where the processor multiplies it, but float32 in ONNX Runtime, which has no bf16 on processors.

    Raises:
        UserError: the engine is not installed, or the model is not there in the form it takes.
        DamagedModel: its weights cannot be read, or do not fit its facts.
    """
    which = pick_engine(source, which, gpus, many, precision)
    if not installed(which):
        raise UserError(f"`engine` {which}: {PACKAGES[which]} is not installed; run pip install {PACKAGES[which]}")
    if which == "torch":
        from headtohead.trained.engines.torch_engine import TorchEngine

        return TorchEngine(source, gpus, precision)
    if gpus not in ("auto", "cpu"):
        raise UserError(f"`engine` {which}: runs on the processor; leave `gpus={gpus}` out or use `engine=torch`")
    if source.onnx is None:
        place = source.folder or source.facts.name
        raise UserError(f"`engine` {which}: no {ONNX} in {place}; run `test` again to make it, or use `engine=torch`")
    try:
        if which == "onnx":
            from headtohead.trained.engines.onnx_engine import OnnxEngine

            return OnnxEngine(source.onnx, source.facts)
        from headtohead.trained.engines.openvino_engine import OpenVinoEngine

        return OpenVinoEngine(source.onnx, source.facts, precision, many)
    except UserError as fault:
        raise DamagedModel(str(fault), source.folder) from fault


def pick_engine(source: Source, which: str, gpus: str, many: bool, precision: str = "auto") -> str:
    """Settle `auto`: what `open_engine` opens, without importing any of them. ONNX Runtime has no bf16."""
    if which != "auto":
        return which
    if source.onnx and not source.buildable and gpus in ("auto", "cpu"):
        return next((name for name in ("openvino", "onnx") if many and installed(name)), "onnx")
    if source.onnx is None or gpus not in ("auto", "cpu") or (gpus == "auto" and many and sees_gpu()):
        return "torch"
    order = ["openvino"] if precision == "bf16" else ["openvino", "onnx"] if many else ["onnx", "openvino"]
    able = [name for name in order if installed(name)]
    return able[0] if able else "torch"


def say_unread_files(sources: Iterable[Source], which: str, gpus: str, many: bool, precision: str) -> None:
    """Say where a user names the file of a net, perhaps a changed one, that the model of a training stands in for."""
    named = {one.named for one in sources if pick_engine(one, which, gpus, many, precision) != "torch"}
    for name in sorted(name for name in named if kind_of_name(name) == FILE):
        line = f"`model` {name}: not read; {ONNX}, made by the training, predicts (`engine=torch` runs the file)"
        print(as_flags(line), file=sys.stderr)


def installed(engine: str) -> bool:
    """Say whether the package of an engine can be imported, without importing it."""
    return importlib.util.find_spec(PACKAGES[engine]) is not None


def sees_gpu() -> bool:
    """Guess from outside whether PyTorch would find a GPU: asking it costs a second."""
    return shutil.which("nvidia-smi") is not None or sys.platform == "darwin"
