"""OpenVINO: the fastest on Intel's and AMD's processors; optional."""

import threading
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from headtohead.errors import UserError
from headtohead.telemetry import import_quietly
from headtohead.trained.engines.fitting import FLOAT, Port, refuse_unfit
from headtohead.trained.engines.onnx_bytes import UNREADABLE, onnx_bytes
from headtohead.trained.facts import ModelFacts

openvino = import_quietly("openvino")

PRECISIONS = {"32": "f32", "bf16": "bf16"}

PART = 4 * 128 * 128
"""Input pixels for one group of cores at a time, roughly: enough to keep it busy, and few enough that all
groups end at nearly the same time."""


@cache
def shared_core() -> Any:
    """Give the one core of this process.

    Each of its own, destroyed with the models of others still there, wrote into memory that was Python's by then.
    """
    return openvino.Core()


class OpenVinoEngine:
    """A model compiled for this processor."""

    name = "openvino on cpu"

    def __init__(self, path: Path, facts: ModelFacts, precision: str, many: bool = True) -> None:
        """Compile model.onnx; a precision of `auto` leaves the choice to OpenVINO.

        For many slices, groups of cores work on slices of their own, and need not wait for each other after every
        layer, least of all for a core that something else is using.

        Raises:
            UserError: the file is damaged, or does not fit the facts.
        """
        settings = {"PERFORMANCE_HINT": "THROUGHPUT" if many else "LATENCY"}
        if precision in PRECISIONS:
            settings["INFERENCE_PRECISION_HINT"] = PRECISIONS[precision]
        content = onnx_bytes(path)
        try:
            model = shared_core().read_model(content, b"")
            self.compiled = shared_core().compile_model(model, "CPU", settings)
        except (RuntimeError, UnicodeDecodeError) as fault:
            raise UserError(f"{path}: {UNREADABLE}") from fault
        inputs, outputs = ([_port(one) for one in several] for several in (model.inputs, model.outputs))
        refuse_unfit(path, facts, inputs, outputs, lambda zeros: self.compiled(zeros)[0])
        self.many = many
        self.requests: list[Any] = []
        self.lock = threading.Lock()  # the requests are for one caller at a time

    def __call__(self, batch: np.ndarray) -> np.ndarray:
        """See `Engine`."""
        batch = np.ascontiguousarray(batch, np.float32)
        if not self.many:
            return self.compiled(batch)[0]
        size = max(1, PART // batch[0, 0].size)
        parts = [batch[start : start + size] for start in range(0, len(batch), size)]
        with self.lock:
            return np.concatenate(self._ask(parts))

    def _ask(self, parts: list[np.ndarray]) -> list[np.ndarray]:
        """Ask for all parts at once: to hand them out one by one, Python would have to be asked in between."""
        self.requests += [self.compiled.create_infer_request() for _ in parts[len(self.requests) :]]
        asked: list[Any] = []
        try:
            for request, part in zip(self.requests, parts, strict=False):
                request.start_async(part, share_inputs=True)
                asked.append(request)
        finally:  # whatever happens, nothing goes on with memory that is given back
            for request in asked:
                request.wait()
        return [request.get_output_tensor(0).data for request in asked]


def _port(declared: Any) -> Port:
    """Read what a model says of an input or output."""
    shape, dtype = declared.get_partial_shape(), declared.get_element_type().get_type_name()
    dtype = {"f32": FLOAT}.get(dtype, dtype)
    if not shape.rank.is_static:
        return Port(dtype, None)
    return Port(dtype, tuple(side.get_length() if side.is_static else None for side in shape))
