"""Choosing among the runs of a test's folder."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from headtohead.options.table import from_flat
from headtohead.runs.folder import RunFolder
from headtohead.trained.choosing import Choice, choose_models

MakeRun = Callable[..., RunFolder]


def choose(folder: Path, image: str | None = "elsewhere/scan.tif", **settings: Any) -> Choice:
    """Choose one model among the runs of a test's folder."""
    (choice,) = choose_several(folder, image, **settings)
    return choice


def choose_several(folder: Path, image: str | None = "elsewhere/scan.tif", **settings: Any) -> list[Choice]:
    """Choose models among the runs of a test's folder."""
    return choose_models(from_flat({"runs_dir": str(folder / "runs"), **settings}), folder / image if image else None)
