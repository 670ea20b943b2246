"""Weights to start a training from: of a run, a bundle or a file, and the cases that they have seen."""

import hashlib
import json
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headtohead.errors import UserError
from headtohead.records.regular import UnreadableError
from headtohead.records.table_reader import read_rows
from headtohead.runs.folder import RunFolder
from headtohead.runs.record import FILE as RECORD
from headtohead.trained.facts import FILE, ModelFacts, read_facts
from headtohead.trained.shape_of_facts import TRAINING_DATA
from headtohead.trained.shipped import path_of_model
from headtohead.trained.source import WEIGHTS, read_safetensors

if TYPE_CHECKING:
    import torch

LABEL = "`init_from`"
RUN, BUNDLE, A_FILE = "run", "bundle", "file"
WRAPPED = ("state_dict", "model_state_dict", "network_weights", "model", "net", "weights")
"""Under which keys programs keep the weights of a net in a checkpoint."""

HDF5 = b"\x89HDF\r\n\x1a\n"
BEFORE = "start"
"""Of the cases that model.json lists: those that the weights had seen which its training started from."""

SEEN_BEFORE, UNKNOWN = "seen_before", "unknown"
"""Where run.json lists these, and what it says of the cases of a start where nothing is known of them."""

Seen = dict[str, frozenset[int]]
"""By name of the case the numbers of its slices, from 1; none: the whole case."""


@dataclass(frozen=True)
class Start:
    """Weights that a training starts from, not read yet.

    Attributes:
        given: as the user named them.
        kind: run, bundle or file.
        path: the file that holds the weights.
        facts: what model.json says of them; None of a file of others.
        data: the data set that they were trained on, as run.json or model.json has it; empty where nothing says so.
        seen: the cases that they were trained on or chosen by, in all trainings before; None where nothing says so.
        whole: whether that holds for all trainings before, and none began with weights of which nothing is known.
    """

    given: str
    kind: str
    path: Path
    facts: ModelFacts | None = None
    data: dict[str, Any] = field(default_factory=dict)
    seen: Seen | None = None
    whole: bool = True

    @property
    def model(self) -> str:
        """What they are weights of: `buda of width 16`; empty where nothing says so."""
        if self.facts is None:
            return ""
        return self.facts.model + (f" of width {self.facts.width}" if self.facts.width else "")

    @property
    def sha256(self) -> str:
        """Checksum of the file of weights."""
        with self.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def weights(self) -> "dict[str, torch.Tensor]":
        """Read the weights by their names there; data only, no code is run.

        Raises:
            UserError: they cannot be read, or the file holds none.
        """
        return read_weights(self.path)


def find_start(given: str, runs_dir: Path) -> Start:
    """Find what a user names: a path, a bundle that comes with the program by its name, or a run below `runs_dir`.

    Raises:
        UserError: there is nothing of that name, or no weights in it, or what describes them is damaged.
    """
    path = path_of_model(given)
    if not path.exists() and (runs_dir / given / RECORD).is_file():
        path = runs_dir / given
    if path.is_dir():
        return _of_folder(given, path, _weights_in(path))
    if not path.is_file():
        raise UserError(f"{LABEL} {given}: no such run folder, bundle or file; check the path")
    if path.name == WEIGHTS and (path.parent / FILE).is_file():
        return _of_folder(given, path.parent, path)
    if path.suffix == ".ckpt" and (path.absolute().parent.parent / RECORD).is_file():
        return _of_folder(given, path.absolute().parent.parent, path)
    data = _facts_within(path)
    return Start(given, A_FILE, path, data=data, seen=_listed(data))


def read_weights(path: Path) -> "dict[str, torch.Tensor]":
    """Read tensors by name from a checkpoint, a state dict, a safetensors file or the Keras weights of the masker.

    Raises:
        UserError: it is damaged, could run code, or holds no weights.
    """
    with path.open("rb") as file:
        first = file.read(len(HDF5))
    if first == HDF5:
        from headtohead.trained.foreign.fetal_h5 import read_fetal

        return read_fetal(path)[1]
    if path.suffix == ".onnx":
        raise UserError(f"{LABEL} {path}: weights cannot be taken from ONNX; name the run, or its bundle")
    if path.suffix == ".safetensors":
        try:
            return read_safetensors(path)
        except UserError as fault:
            raise UserError(f"{LABEL} {path}: not a readable safetensors file; name another file") from fault
    from headtohead.learning.checkpoint import read_tensors

    content = read_tensors(path, "file of weights", "name another file")
    inside = content if isinstance(content, dict) else {}
    inside = next((inside[key] for key in WRAPPED if isinstance(inside.get(key), dict)), inside)
    weights = {str(name): value for name, value in inside.items() if _is_plain(value)}
    if not weights:
        raise UserError(f"{LABEL} {path}: holds no weights (tensors by name); name another file")
    return weights


def _is_plain(value: Any) -> bool:
    """Say whether a value is a tensor whose numbers are all in the file: one number may stand for any shape."""
    import torch

    if not isinstance(value, torch.Tensor) or value.layout != torch.strided or value.is_quantized or value.is_meta:
        return False
    return value.nbytes <= value.untyped_storage().nbytes()


def _weights_in(folder: Path) -> Path:
    for path in (folder / WEIGHTS, RunFolder(folder).best):
        if path.is_file():
            return path
    raise UserError(
        f"{LABEL} {folder}: no weights in it ({WEIGHTS}, or checkpoints/best.ckpt of a run); check the path"
    )


def _of_folder(given: str, folder: Path, weights: Path) -> Start:
    run = RunFolder(folder)
    record = run.record()
    facts = read_facts(folder) if (folder / FILE).is_file() else None
    data = record.get("data", {}) | (facts.data if facts else {})
    split = _of_split(run)
    seen = _listed(data) if split is None else split
    if seen is not None:
        earlier = record.get(SEEN_BEFORE) or (data.get("parts") or {}).get(BEFORE) or ()
        seen = seen | dict.fromkeys(earlier, frozenset[int]())
    before = record.get("start") or data.get("start") or {}
    return Start(given, RUN if record else BUNDLE, weights, facts, data, seen, before.get("training_cases") != UNKNOWN)


def _listed(data: dict[str, Any]) -> Seen | None:
    """Give the cases that model.json lists; None where it lists none."""
    parts = data.get("parts") or {}
    if not any(part in parts for part in ("train", "val")):
        return None
    return {case: frozenset() for part in ("train", "val", BEFORE) for case in parts.get(part) or ()}


def _of_split(run: RunFolder) -> Seen | None:
    """Read who was trained on and chosen by in a run folder; None where it has no split.csv."""
    if not run.split.is_file():
        return None
    seen: dict[str, set[int]] = defaultdict(set)
    try:
        for row in read_rows(run.split, ("case", "slice", "part")):
            if row["part"] != "test":
                seen[row["case"]].add(int(row["slice"]))
    except (UnreadableError, ValueError) as fault:
        raise UserError(
            f"{run.split}: damaged ({fault}), so it is not known what the run has seen; restore it"
        ) from fault
    return {case: frozenset(slices) for case, slices in seen.items()}


def _facts_within(path: Path) -> dict[str, Any]:
    """Read what a safetensors file that this program exported says of its data; empty of all others."""
    if path.suffix != ".safetensors":
        return {}
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            data = json.loads((file.metadata() or {}).get(FILE, "{}")).get("data", {})
    except (SafetensorError, OSError, ValueError, AttributeError, RecursionError):
        return {}
    return data if isinstance(data, dict) and TRAINING_DATA(data) is None else {}
