"""OpenVINO: the fastest on Intel's and AMD's processors; optional."""

from pathlib import Path

import numpy as np
import openvino

from headtohead.errors import UserError

PRECISIONS = {"32": "f32", "bf16": "bf16"}


class OpenVinoEngine:
    """A model compiled for this processor."""

    name = "openvino on cpu"

    def __init__(self, path: Path, precision: str) -> None:
        """Compile model.onnx; `precision` is as `--precision`, and `auto` leaves the choice to OpenVINO.

        Raises:
            UserError: the file is damaged.
        """
        settings = {"PERFORMANCE_HINT": "LATENCY"}
        if precision in PRECISIONS:
            settings["INFERENCE_PRECISION_HINT"] = PRECISIONS[precision]
        try:
            self.compiled = openvino.Core().compile_model(path, "CPU", settings)
        except RuntimeError as fault:
            raise UserError(
                f"{path}: not a readable ONNX model; run --test again, or export the bundle again"
            ) from fault

    def __call__(self, batch: np.ndarray) -> np.ndarray:
        """See `Engine`."""
        return self.compiled(np.ascontiguousarray(batch, np.float32))[0][:, 0]
