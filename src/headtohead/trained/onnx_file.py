"""model.onnx: the net with its sigmoid or softmax, written by PyTorch and checked against it."""

import io
import json
import warnings
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

from headtohead.errors import UserError
from headtohead.learning.deciding import activate
from headtohead.saving import atomic_path
from headtohead.task import Targets
from headtohead.trained.engines.onnx_engine import OnnxEngine
from headtohead.trained.facts import ModelFacts

OPSET = 18
FACTS = "headtohead"
"""Key of the facts in the metadata of the file."""

TOLERANCE = 1e-3
"""A larger difference from PyTorch's probability is not rounding: the file is then not written."""


class Probability(torch.nn.Module):
    """A net with the sigmoid or softmax that its training keeps in the loss."""

    def __init__(self, model: torch.nn.Module, targets: Targets) -> None:
        """Wrap a net."""
        super().__init__()
        self.model, self.targets = model, targets

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Map scaled slices float [B, C, S, S] to the probability of the targets [B, K, S, S]."""
        return activate(self.model(image), self.targets)


@dataclass(frozen=True)
class Agreement:
    """How well an ONNX file agrees with PyTorch on some slices.

    Attributes:
        slices: how many were compared.
        difference: largest difference of a probability.
        masks: share of pixels on the same side of the threshold.
    """

    slices: int
    difference: float
    masks: float

    def __str__(self) -> str:
        """In one line."""
        return (
            f"agrees with PyTorch on {self.slices} slices: largest difference of a probability {self.difference:.1e}, "
            f"{self.masks:.4%} of pixels on the same side of the threshold"
        )


def write_onnx(
    model: torch.nn.Module, facts: ModelFacts, path: Path, slices: np.ndarray, half: bool = False
) -> Agreement:
    """Write a net, float32 in evaluation mode, as ONNX, after checking it on real slices, float32 [n, C, S, S].

    The facts go into the file's metadata. Half, weights are kept in 16 bits; they are calculated with in 32.

    Raises:
        UserError: ONNX Runtime gets something else from the file than PyTorch does; it is not written.
    """
    # The exporter leaves a net in the mode that its wrapper was in.
    net = Probability(model, facts.task.targets).eval()
    with torch.inference_mode():
        expected = net(torch.from_numpy(slices)).numpy()
    with atomic_path(path, lasting=True) as temporary:
        exported = io.BytesIO()
        with warnings.catch_warnings():
            # The newer exporter takes nine seconds for what this one does in one.
            warnings.simplefilter("ignore")
            torch.onnx.export(
                net,
                (torch.from_numpy(slices[:1]),),
                exported,  # type: ignore[arg-type]
                dynamo=False,
                opset_version=OPSET,
                input_names=["image"],
                output_names=["probability"],
                dynamic_axes={"image": {0: "batch"}, "probability": {0: "batch"}},
            )
        temporary.write_bytes(_finished(exported.getvalue(), facts, half))
        found = OnnxEngine(temporary, facts)(slices)
        difference = float(np.abs(found - expected).max())
        if not difference <= (10 * TOLERANCE if half else TOLERANCE):
            raise UserError(
                f"{path}: ONNX differs from PyTorch by {difference:.2g}, so it is not kept; use `engine=torch`"
            )
    masks = float(((found >= facts.threshold) == (expected >= facts.threshold)).mean())
    return Agreement(len(slices), difference, masks)


def _finished(exported: bytes, facts: ModelFacts, half: bool) -> bytes:
    """Add the facts to the content of a file, and halve its weights if asked to."""
    import onnx
    from onnx import numpy_helper

    proto = onnx.load_from_string(exported)
    onnx.helper.set_model_props(proto, {FACTS: json.dumps(asdict(facts))})
    if half:
        graph, casts = proto.graph, []
        for weight in graph.initializer:
            if weight.data_type != onnx.TensorProto.FLOAT or np.prod(weight.dims) < 64:
                continue
            values = numpy_helper.to_array(weight).astype(np.float16)
            name = weight.name
            weight.CopyFrom(numpy_helper.from_array(values, f"{name}.half"))
            casts.append(onnx.helper.make_node("Cast", [f"{name}.half"], [name], to=onnx.TensorProto.FLOAT))
        nodes = list(graph.node)
        del graph.node[:]
        graph.node.extend([*casts, *nodes])
    onnx.checker.check_model(proto)
    return proto.SerializeToString()
