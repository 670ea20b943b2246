"""ONNX Runtime: ready in a tenth of the time that importing PyTorch takes."""

from pathlib import Path

import numpy as np

from headtohead import machine
from headtohead.errors import UserError
from headtohead.telemetry import import_quietly
from headtohead.trained.engines.onnx_bytes import onnx_bytes

onnxruntime = import_quietly("onnxruntime")


class OnnxEngine:
    """A session on the processor."""

    name = "onnx on cpu"

    def __init__(self, path: Path) -> None:
        """Open model.onnx.

        Raises:
            UserError: it is damaged.
        """
        settings = onnxruntime.SessionOptions()
        settings.log_severity_level = 4  # what is wrong is said once, by us
        settings.intra_op_num_threads = machine.usable_cores()
        content = onnx_bytes(path)
        try:
            self.session = onnxruntime.InferenceSession(content, settings, providers=["CPUExecutionProvider"])
            self.input = self.session.get_inputs()[0].name
        except OSError:
            raise
        except Exception as fault:  # its errors share no base class
            raise UserError(
                f"{path}: not a readable ONNX model; run --test again, or export the bundle again"
            ) from fault

    def __call__(self, batch: np.ndarray) -> np.ndarray:
        """See `Engine`."""
        return self.session.run(None, {self.input: np.ascontiguousarray(batch, np.float32)})[0][:, 0]
