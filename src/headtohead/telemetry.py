"""Nothing that this program imports may send anything: its packages' telemetry and update checks are switched off here.

Some packages report as soon as they are imported, so `import headtohead` comes first and calls `switch_off`.
tests/network runs every verb in a network of its own and holds that nothing asks for anybody else.
"""

import importlib
import os
import sys
from typing import Any

SWITCHES = {
    "ORT_DISABLE_TELEMETRY": "1",  # ONNX Runtime since 1.29: events to Microsoft, an id in the temporary folder
    "NO_ALBUMENTATIONS_UPDATE": "1",  # albumentations asks the package index for its newest version
    "HF_HUB_DISABLE_TELEMETRY": "1",  # huggingface_hub: what the program is, in every request
    "MLFLOW_DISABLE_TELEMETRY": "true",  # MLflow since 3.2: which functions are used
    "WANDB_ERROR_REPORTING": "false",  # Weights & Biases: its own errors to Sentry
    "DO_NOT_TRACK": "1",  # the same for whichever package heeds it
}
"""Environment variables that must be set before the package is imported, whatever the user's environment says."""

REPORTER = "openvino_telemetry"
"""What OpenVINO sends an event to Google Analytics with at every import, and writes an id into ~/intel. It has no
variable of its own, but where this package cannot be imported OpenVINO takes a stub in its place."""


def switch_off() -> None:
    """Switch off all that would send. Cheap, imports nothing, and may be called again."""
    os.environ.update(SWITCHES)
    sys.modules.setdefault(REPORTER, None)  # type: ignore[arg-type]  # None: the import system says "not found"


def import_quietly(runtime: str) -> Any:
    """Import `onnxruntime` or `openvino`: the only place that does. ModuleNotFoundError where it is not installed."""
    switch_off()
    module = importlib.import_module(runtime)
    if runtime == "onnxruntime":
        module.disable_telemetry_events()  # by itself too late for what the import has begun; on Windows it counts
    return module
