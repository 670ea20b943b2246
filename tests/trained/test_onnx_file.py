"""model.onnx: checked against PyTorch when it is written, with its facts inside, and not kept when it differs."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from headtohead.errors import UserError
from headtohead.trained import onnx_file
from headtohead.trained.facts import ModelFacts
from headtohead.trained.onnx_file import FACTS, write_onnx
from headtohead.trained.source import ONNX


def test_agreement_is_measured(made: Any) -> None:
    agreement = made.agreement
    assert agreement.slices == 6
    assert 0 <= agreement.difference < 1e-5
    assert agreement.masks > 0.999
    assert str(agreement).startswith("agrees with PyTorch on 6 slices: largest difference of a probability ")


def test_facts_are_inside(made: Any) -> None:
    properties = {one.key: one.value for one in onnx.load(str(made.source.folder / ONNX)).metadata_props}
    assert json.loads(properties[FACTS])["threshold"] == made.source.facts.threshold


def test_half_the_size_and_nearly_the_same(made: Any, tmp_path: Path) -> None:
    path = tmp_path / ONNX
    agreement = write_onnx(made.model, made.source.facts, path, made.slices, half=True)
    assert 0 < agreement.difference < 5e-3
    assert path.stat().st_size < 0.65 * (made.source.folder / ONNX).stat().st_size


def test_one_that_differs_is_not_kept(made: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Liar:
        def __init__(self, path: Path, facts: ModelFacts) -> None:
            self.path = path

        def __call__(self, batch: np.ndarray) -> np.ndarray:
            return np.full((len(batch), *batch.shape[2:]), np.nan, np.float32)

    monkeypatch.setattr(onnx_file, "OnnxEngine", Liar)
    with pytest.raises(UserError, match="ONNX differs from PyTorch by nan, so it is not kept"):
        write_onnx(made.model, made.source.facts, tmp_path / ONNX, made.slices)
    assert not list(tmp_path.iterdir())
