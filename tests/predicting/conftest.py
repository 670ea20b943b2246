"""Run folders with tiny untrained models, as a training would leave them; a stand-in for trained models."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from headtohead.cli import main
from headtohead.models.registry import build_model
from headtohead.predicting.predictor import Estimate, Predictor
from headtohead.predicting.scan import Scan
from headtohead.readers.lgg import TASK as LGG_TASK
from headtohead.runs.folder import RunFolder
from headtohead.trained.choosing import Choice
from headtohead.trained.facts import ModelFacts
from headtohead.trained.onnx_file import write_onnx
from headtohead.trained.source import ONNX

MakeRun = Callable[..., RunFolder]
FACTS = ModelFacts("stand/in", "buda", 4, 5, {"image_size": 32, "normalise": "inner", "neighbours": 1}, task=LGG_TASK)


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
        seed: int = 0,
        onnx: bool = False,
        net_channels: int = 0,
        **facts: Any,
    ) -> RunFolder:
        run = RunFolder(tmp_path / "runs" / comparison / name)
        run.best.parent.mkdir(parents=True)
        torch.manual_seed(seed)
        channels = net_channels or 3 + 2 * neighbours
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
        if onnx:
            kept = ModelFacts(f"{comparison}/{name}", "buda", 4, channels, recipe, threshold=threshold, task=LGG_TASK)
            kept.write(run.path)
            write_onnx(model.eval(), kept, run.path / ONNX, np.zeros((1, channels, 32, 32), np.float32))
        return run

    return make


@dataclass(frozen=True)
class Brightness(Predictor):
    """In place of trained models: what is brighter than half of white is lesion, with a probability of its own.

    It needs no net.
    """

    choices: tuple[Choice, ...] = ()
    engines: tuple[Any, ...] = ()
    threshold: float = 0.5
    facts: ModelFacts = FACTS  # type: ignore[assignment,misc]
    name: str = "brightness"  # type: ignore[assignment,misc]
    members: int = 1  # type: ignore[assignment,misc]
    idle: frozenset[str] = frozenset()  # type: ignore[assignment,misc]

    def prepare(self, scan: Scan) -> Any:
        return scan

    def ask(self, inputs: Any) -> Any:
        grey = inputs.volume[..., inputs.volume.shape[-1] // 2].astype(np.float32)
        probability = grey[None] / max(255.0, float(grey.max(initial=0)))
        return Estimate(probability, probability / 10 if self.members > 1 else None)

    def combine(self, inputs: Any, answers: Any) -> Estimate:
        return answers


@pytest.fixture(scope="session")
def brightness() -> type[Brightness]:
    """Give the class of the stand-in for trained models."""
    return Brightness


@pytest.fixture
def predict(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., int]:
    """Give a function that runs `--predict` on folder `in` with the stand-in, as a user does: exit status."""

    def run(*flags: str, source: str = "in", output: str = "out", predictor: Brightness | None = None) -> int:
        monkeypatch.setattr("headtohead.predicting.predictor.open_predictor", lambda *_: predictor or Brightness())
        folders = ["--predict", str(tmp_path / source), "--output", str(tmp_path / output)]
        return main([*folders, *flags])

    return run
