"""Run folders with tiny untrained models, as a training would leave them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from headtohead.models.registry import build_model
from headtohead.runs.folder import RunFolder

MakeRun = Callable[..., RunFolder]


@pytest.fixture
def make_run(tmp_path: Path) -> MakeRun:
    """Give a function that writes a run folder below `runs` in the test's folder."""

    def make(
        name: str = "buda-none-s0-f0",
        comparison: str = "single",
        dice: float | None = 0.8,
        status: str = "finished",
        root: Path | None = None,
        normalise: str = "inner",
        neighbours: int = 1,
        threshold: float = 0.5,
        **facts: Any,
    ) -> RunFolder:
        run = RunFolder(tmp_path / "runs" / comparison / name)
        run.best.parent.mkdir(parents=True)
        torch.manual_seed(0)
        channels = 3 + 2 * neighbours
        model = build_model("buda", channels, width=4)
        recipe = {"image_size": 32, "normalise": normalise, "neighbours": neighbours}
        torch.save(
            {
                "epoch": 1,
                "state_dict": {f"model.{key}": value for key, value in model.state_dict().items()},
                "hyper_parameters": {
                    "model": "buda",
                    "width": 4,
                    "in_channels": channels,
                    "recipe": recipe,
                    "threshold": threshold,
                },
            },
            run.best,
        )
        record = {"status": status, "best_val_dice": dice, "data": {"root": str(root or "elsewhere")}, **facts}
        (run.path / "run.json").write_text(json.dumps(record))
        return run

    return make
