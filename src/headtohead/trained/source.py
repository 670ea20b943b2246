"""Where a trained model lies: a run folder or a bundle, both with model.json; or weights read from elsewhere."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from headtohead.errors import UserError
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
    """

    facts: ModelFacts
    folder: Path | None = None
    state: "dict[str, torch.Tensor] | None" = None

    @property
    def onnx(self) -> Path | None:
        """The model as ONNX, where it lies beside the facts."""
        path = self.folder / ONNX if self.folder else None
        return path if path and path.is_file() else None

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
    task = task_of(run.record().get("data", {}))
    return Source(
        ModelFacts(name=f"{folder.parent.name}/{folder.name}", **checkpoint_facts(run.best), task=task), folder
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
