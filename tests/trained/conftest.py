"""A tiny trained model in each of the forms that engines take."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from headtohead.models.registry import build_model
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
            return self.model(torch.from_numpy(self.slices))[:, 0].sigmoid().numpy()


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
        "tiny", "buda", 4, 5, {"image_size": SIDE, "normalise": "inner", "neighbours": 1}, threshold=0.45
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
