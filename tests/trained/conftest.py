"""A tiny trained model in each of the forms that engines take."""

import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from headtohead.models.registry import build_model
from headtohead.readers.lgg import TASK as LGG_TASK
from headtohead.trained.facts import ModelFacts
from headtohead.trained.onnx_file import Agreement, write_onnx
from headtohead.trained.source import ONNX, WEIGHTS, Source

SIDE = 32


@dataclass(frozen=True)
class Made:
    """A net, the folder it was written into, and some input."""

    model: torch.nn.Module
    source: Source
    slices: np.ndarray
    agreement: Agreement

    @property
    def expected(self) -> np.ndarray:
        """What the net itself says of the input."""
        with torch.inference_mode():
            return self.model(torch.from_numpy(self.slices)).sigmoid().numpy()


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Give a small net as a bundle has it. Read only."""
    folder = tmp_path_factory.mktemp("bundle")
    torch.manual_seed(3)
    model = build_model("buda", 5, width=4)
    with torch.no_grad():  # fresh batch norms would hide a mistake in them, and make the answer flat
        for _ in range(20):
            model(torch.randn(4, 5, SIDE, SIDE))
    model.eval()
    facts = ModelFacts(
        "tiny", "buda", 4, 5, {"image_size": SIDE, "normalise": "inner", "neighbours": 1}, threshold=0.45, task=LGG_TASK
    )
    slices = np.random.default_rng(0).normal(size=(6, 5, SIDE, SIDE)).astype(np.float32)
    facts.write(folder)
    save_file(model.state_dict(), folder / WEIGHTS)
    agreement = write_onnx(model, facts, folder / ONNX, slices)
    return Made(model, Source(facts, folder), slices, agreement)


@pytest.fixture
def empty(tmp_path: Path, made: Made) -> Path:
    """Give a folder with the facts alone."""
    made.source.facts.write(tmp_path)
    return tmp_path


@pytest.fixture
def run_folder(tmp_path: Path, made: Made) -> Path:
    """Give a run folder as training and test leave it, of the small net; one of five test cases has no Dice."""
    folder = tmp_path / "runs" / "tiny" / "buda-none-s0-f1"
    facts = made.source.facts
    (folder / "checkpoints").mkdir(parents=True)
    kept = {name: getattr(facts, name) for name in ("model", "width", "in_channels", "recipe", "threshold")}
    weights = {f"model.{name}": value for name, value in made.model.state_dict().items()}
    torch.save({"epoch": 0, "state_dict": weights, "hyper_parameters": kept}, folder / "checkpoints" / "best.ckpt")
    data = {"key": "d1", "cases": 8, "slices": 15}
    replace(facts, name="tiny/buda-none-s0-f1", data={"name": "phantoms", **data}).write(folder)
    record = {
        "status": "finished",
        "command": "python main.py --train --root_dir /secret/kaggle_3m",
        "versions": {"headtohead": "0.1.0", "torch": "2.0"},
        "hardware": {"processor": "a fast one"},
        "device": "cpu",
        "git_commit": "abc123",
        "protocol": {"version": 3},
        "experiment": {"model": "buda", "schedule": "none", "seed": 0, "fold": 1, "name": folder.name},
        "data": {"root": "/secret/kaggle_3m", **data},
        "split": {"kind": "patient", "seed": 0, "key": "s1", "folds": 5, "leaking_patients": 0},
        "threshold": 0.3,
        "seed": 0,
        "epochs": 3,
        "best_epoch": 2,
        "best_val_dice": 0.8,
        "started": "2026-01-01T00:00:00+00:00",
        "ended": "2026-01-01T00:10:00+00:00",
    }
    (folder / "run.json").write_text(json.dumps(record), encoding="utf-8")
    (folder / "config.yaml").write_text("model: buda\nwidth: 4\nroot_dir: /secret/kaggle_3m\nruns_dir: /secret\n")
    scores = [("p1", "0.9", 50), ("p2", "0.1", 7), ("p3", "0.75", 20), ("p4", "0.8", 30), ("p5", "", 0)]
    rows = "".join(f"{case},{voxels},{dice},{'' if not dice else 2.5}\n" for case, dice, voxels in scores)
    (folder / "cases.csv").write_text(f"case,lesion_voxels,dice,hd95_px\n{rows}")
    parts = [("t1", 4, "train"), ("t2", 3, "train"), ("v1", 3, "val"), *((f"p{i}", 1, "test") for i in range(1, 6))]
    lines = [f"{case},{number},{part}" for case, count, part in parts for number in range(1, count + 1)]
    (folder / "split.csv").write_text("\n".join(["case,slice,part", *lines]) + "\n")
    return folder
