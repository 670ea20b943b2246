"""What a command leaves on the disk: its numbers, without times; and whether each of its files is whole."""

import hashlib
import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx
import pandas as pd
import torch
import yaml
from safetensors import safe_open
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

UNFINISHED = (".writing-*", ".packing-*", ".making-*", ".downloading-*", "*.partial")
TIMES = ("started", "ended", "tested", "seconds", "test_seconds", "command", "git_commit", "fingerprint")
TIMES += ("training_slices_per_second", "test_slices_per_second")
TIMED = ("results.md", "results.tex", "report.html", "costs.csv")  # the same numbers stand in the tables beside them
POINTS = ("dice/val", "dice/train", "loss/train", "learning_rate")
EVENTS = "events.out.tfevents"


def unfinished(home: Path) -> list[Path]:
    """List what is left of work that did not come to its end."""
    return sorted(path for pattern in UNFINISHED for path in home.rglob(pattern))


def numbers(folder: Path) -> dict[str, str]:
    """Give all numbers that lie in a folder, by file: two commands that did the same have the same."""
    found = {}
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        if path.suffix == ".lock" or path.name in TIMED or path.name.startswith(EVENTS):
            continue
        found[str(path.relative_to(folder))] = _READ.get(path.name, _record if path.suffix == ".json" else _bytes)(path)
    for run in {path.parent for path in folder.rglob(f"{EVENTS}*")}:
        found[f"{run.relative_to(folder)}/{EVENTS}"] = _points(run)
    return found


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _bytes(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _record(path: Path) -> str:
    record = json.loads(path.read_text())
    members = sorted(record.get("members", {}))  # by the time of their training
    return _hash(
        json.dumps({**{k: v for k, v in record.items() if k not in TIMES}, "members": members}, sort_keys=True)
    )


def _metrics(path: Path) -> str:
    return _hash(pd.read_csv(path).drop(columns="seconds").to_csv())


def _weights(path: Path) -> str:
    """Weights and the optimiser's state, but not the epochs' seconds."""
    state = torch.load(path, weights_only=True)
    kept = [state.get(name) for name in ("state_dict", "optimizer_states")]
    return _hash(str([(name, value.numpy().tobytes()) for name, value in _tensors(kept)]))


def _net(path: Path) -> str:
    """The operations and weights, without the names of what lies between them, which count on in a process."""
    graph = onnx.load(path).graph
    nodes = [(node.op_type, [one.SerializeToString() for one in node.attribute]) for node in graph.node]
    return _hash(str([nodes, [onnx.numpy_helper.to_array(one).tobytes() for one in graph.initializer]]))


def _tensors(value: Any, name: str = "") -> list[tuple[str, torch.Tensor]]:
    if isinstance(value, torch.Tensor):
        return [(name, value)]
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list | tuple) else ()
    return [found for key, one in inner for found in _tensors(one, f"{name}/{key}")]


def _points(run: Path) -> str:
    """What TensorBoard shows of a run: every point once."""
    events = EventAccumulator(str(run)).Reload()
    tags = [tag for tag in events.Tags()["scalars"] if tag in POINTS]
    return _hash(str([(tag, [(event.step, event.value) for event in events.Scalars(tag)]) for tag in sorted(tags)]))


_READ: dict[str, Callable[[Path], str]] = {
    "metrics.csv": _metrics, "summary.csv": _metrics, "last.ckpt": _weights, "best.ckpt": _weights, "model.onnx": _net,
}  # fmt: skip


def broken(folder: Path) -> list[str]:
    """Name the files that are there under their own names and are not whole."""
    found = []
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        parts = path.relative_to(folder).parts
        if path.suffix not in _OPEN or any(Path(part).match(pattern) for part in parts for pattern in UNFINISHED):
            continue
        try:
            _OPEN[path.suffix](path)
        except Exception as fault:  # each reader has its own
            found.append(f"{path.relative_to(folder)}: {type(fault).__name__}: {fault}")
    return found


def _csv(path: Path) -> None:
    text = path.read_text()
    assert text.endswith("\n")
    pd.read_csv(StringIO(text))


def _npz(path: Path) -> None:
    with np.load(path) as arrays:
        for name in arrays.files:
            arrays[name]


def _html(path: Path) -> None:
    assert path.read_text().rstrip().endswith("</html>")


def _picture(path: Path) -> None:
    assert cv2.imread(str(path), cv2.IMREAD_UNCHANGED) is not None


def _gif(path: Path) -> None:
    assert path.read_bytes().endswith(b";")


def _safetensors(path: Path) -> None:
    with safe_open(path, "np") as file:
        for name in file.keys():  # noqa: SIM118  it is no dictionary
            file.get_tensor(name)


_OPEN: dict[str, Callable[[Path], object]] = {
    ".json": lambda path: json.loads(path.read_text()),
    ".yaml": lambda path: yaml.safe_load(path.read_text()),
    ".csv": _csv,
    ".npz": _npz,
    ".html": _html,
    ".png": _picture,
    ".tif": _picture,
    ".jpg": _picture,
    ".gif": _gif,
    ".ckpt": lambda path: torch.load(path, weights_only=True),
    ".onnx": lambda path: onnx.checker.check_model(onnx.load(path)),
    ".safetensors": _safetensors,
    ".pt": lambda path: torch.jit.load(path),
}
