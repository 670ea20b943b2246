"""ONNX Runtime: ready in a tenth of the time that importing PyTorch takes."""

from pathlib import Path
from typing import Any

import numpy as np

from headtohead import machine
from headtohead.errors import UserError
from headtohead.telemetry import import_quietly
from headtohead.trained.engines.fitting import FLOAT, Port, refuse_unfit
from headtohead.trained.engines.onnx_bytes import UNREADABLE, onnx_bytes
from headtohead.trained.facts import ModelFacts

onnxruntime = import_quietly("onnxruntime")


class OnnxEngine:
    """A session on the processor."""

    name = "onnx on cpu"

    def __init__(self, path: Path, facts: ModelFacts) -> None:
        """Open model.onnx.

        Raises:
            UserError: it is damaged, or does not fit the facts.
        """
        settings = onnxruntime.SessionOptions()
        settings.log_severity_level = 4  # what is wrong is said once, by us
        settings.intra_op_num_threads = machine.usable_cores()
        content = onnx_bytes(path)
        try:
            self.session = onnxruntime.InferenceSession(content, settings, providers=["CPUExecutionProvider"])
        except OSError:
            raise
        except Exception as fault:  # its errors share no base class
            raise UserError(f"{path}: {UNREADABLE}") from fault
        inputs, outputs = self.session.get_inputs(), self.session.get_outputs()
        self.input = inputs[0].name if inputs else ""
        refuse_unfit(path, facts, [_port(one) for one in inputs], [_port(one) for one in outputs], self._ask)

    def __call__(self, batch: np.ndarray) -> np.ndarray:
        """See `Engine`."""
        return self._ask(np.ascontiguousarray(batch, np.float32))

    def _ask(self, batch: np.ndarray) -> np.ndarray:
        return self.session.run(None, {self.input: batch})[0]


def _port(declared: Any) -> Port:
    """Read what a session says of an input or output; a side without a number has a name, or none."""
    dtype = {"tensor(float)": FLOAT}.get(declared.type, str(declared.type))
    # No axes at all: a number, or a shape that is not declared.
    shape = tuple(side if isinstance(side, int) else None for side in declared.shape)
    return Port(dtype, shape or None)
