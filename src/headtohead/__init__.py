"""Head-to-Head: an honest comparison of segmentation models on brain MRI.

What is for others to call is in `headtohead.api`, where `headtohead.compare` and the like find it when asked for.
"""

import importlib
from typing import Any

from headtohead.telemetry import switch_off

__version__ = "0.1.0"

switch_off()  # before anything of ours imports a package that would send

_PUBLIC = ("PartlyDone", "UserError", "compare", "explore", "make_phantoms", "predict", "report", "score")
"""Looked up late: `import headtohead` is part of every command and must cost nothing."""


def __getattr__(name: str) -> Any:
    if name in _PUBLIC:
        return getattr(importlib.import_module(f"{__name__}.api"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_PUBLIC])
