"""Where a trained model lies: a run folder or a bundle, both with model.json; or weights read from elsewhere."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from headtohead.errors import UserError
from headtohead.models.forms import RUNS_CODE, title_of
from headtohead.readers.tasks import task_of
from headtohead.runs.folder import RunFolder
from headtohead.trained.facts import FILE, ModelFacts, read_facts

if TYPE_CHECKING:
    import torch

ONNX = "model.onnx"
WEIGHTS = "weights.safetensors"


@dataclass(frozen=True)
class Source:
    """A trained model whose weights are not read yet.

    Attributes:
        facts: what it is.
        folder: the run folder or the bundle; None where `state` holds the weights.
        state: weights by their names in the net; None where they are in `folder`.
        file: the file that `state` was read from.
        named: the net as the user named it on the command line. Code of a file or a package is run only if it is the
            one named here, never because a run folder or a bundle names it.
    """

    facts: ModelFacts
    folder: Path | None = None
    state: "dict[str, torch.Tensor] | None" = None
    named: str = ""
    file: Path | None = None

    @property
    def buildable(self) -> bool:
        """Whether PyTorch may build the net: it is ours, of a library, or the user has named it."""
        return self.facts.net.get("kind") not in RUNS_CODE or title_of(self.named) == self.facts.model

    @property
    def onnx(self) -> Path | None:
        """The model as ONNX, where it lies beside the facts."""
        path = self.folder / ONNX if self.folder else None
        return path if path and path.is_file() else None

    def checksum(self) -> str:
        """SHA-256 of the file of weights, which tells one training from another; empty where there is no file."""
        files = [self.file]
        if self.folder:
            files = [self.folder / WEIGHTS, RunFolder(self.folder).best, self.folder / ONNX]
        path = next((one for one in files if one and one.is_file()), None)
        if path is None:
            return ""
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def weights(self) -> "dict[str, torch.Tensor]":
        """Read the weights; data only, no code is run.

        Raises:
            UserError: there are none, or they are damaged or hold more than tensors.
        """
        if self.state is not None:
            return self.state
        assert self.folder is not None
        if (self.folder / WEIGHTS).is_file():
            return read_safetensors(self.folder / WEIGHTS)
        from headtohead.learning.checkpoint import network_weights, read_checkpoint

        best = RunFolder(self.folder).best
        if not best.is_file():
            raise UserError(
                f"{self.folder}: neither {WEIGHTS} nor a checkpoint in it; restore it, or use `engine=onnx`"
            )
        return network_weights(read_checkpoint(best), best)


def open_source(folder: Path) -> Source:
    """Open a run folder or a bundle.

    A run folder that an earlier version left, or a training that was stopped, has no model.json; its checkpoint and
    run.json say the same, but need PyTorch.

    Raises:
        UserError: it holds no trained model, or one that cannot be read.
    """
    if (folder / FILE).is_file() or not RunFolder(folder).best.is_file():
        return Source(read_facts(folder), folder)
    from headtohead.learning.checkpoint import checkpoint_facts

    run = RunFolder(folder)
    record = run.record()
    task, net = task_of(record.get("data", {})), record.get("net") or {}
    facts = ModelFacts(name=f"{folder.parent.name}/{folder.name}", **checkpoint_facts(run.best), task=task, net=net)
    return Source(facts, folder)


def refuse_unnamed_net(source: Source) -> None:
    """Refuse to build a net of a file or a package because a run folder or a bundle names it: its code would be run.

    Raises:
        UserError: says which flag lets it, and what predicts without.
    """
    if not source.buildable:
        instead = "; `engine=onnx` predicts without" if source.onnx else ""
        raise UserError(
            f"{source.folder or source.facts.name}: its net {source.facts.model} is code of "
            f"{source.facts.net['source']}, which is run only if you name it: add `model` "
            f"{source.facts.model.replace(source.facts.net['source'], 'PATH/' + source.facts.net['source'])}{instead}"
        )


def read_safetensors(path: Path) -> "dict[str, torch.Tensor]":
    """Read a safetensors file: tensors by name, in float32; the format can hold nothing else.

    Raises:
        UserError: it is not a safetensors file, or damaged.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return {
            name: tensor.float() if tensor.is_floating_point() else tensor for name, tensor in load_file(path).items()
        }
    except (SafetensorError, OSError) as fault:
        raise UserError(
            f"{path}: not a readable safetensors file; make the bundle again with `export=bundle`"
        ) from fault
