"""The recipes for contributors work on the code as it is."""

import importlib
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
import yaml

from headtohead import __version__, cohort
from headtohead.cohort import pack
from headtohead.comparing.training import train
from headtohead.learning import losses
from headtohead.learning.module import SegmentationModule
from headtohead.options.declaring import describe
from headtohead.options.table import OPTIONS, from_flat

ROOT = Path(__file__).resolve().parents[1]
TINY = {"model": "buda", "width": 2, "in_channels": 3, "threshold": 0.5, "cases": 1, "learning_rate": 0.1} | {
    "recipe": {"image_size": 32, "normalise": "inner", "neighbours": 0}
}


def python_blocks(page: str) -> list[str]:
    text = (ROOT / page).read_text(encoding="utf-8")
    return [re.sub("^   ", "", one, flags=re.MULTILINE) for one in re.findall(r"```python\n(.*?)```", text, re.DOTALL)]


@pytest.fixture
def archives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The reader of docs/how-to/add-a-reader.md, added as that page says."""
    module, row, names = python_blocks("docs/how-to/add-a-reader.md")
    (tmp_path / "archives.py").write_text(module, encoding="utf-8")
    monkeypatch.setattr(cohort, "__path__", [*cohort.__path__, str(tmp_path)])
    importlib.invalidate_caches()
    reader = importlib.import_module("headtohead.cohort.archives")
    known: dict[str, Any] = {"archives": reader, **vars(pack)}
    exec(f"from __future__ import annotations\n{row}{names}", known)
    monkeypatch.setattr(pack, "READERS", known["READERS"])
    monkeypatch.setitem(vars(describe(OPTIONS["data"])), "choices", known["DATA_SETS"])
    return reader


def test_a_reader_added_as_the_page_says(archives: ModuleType, tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    rng = np.random.default_rng(0)
    for patient in range(4):
        mask = np.zeros((4, 32, 32), np.uint8)
        mask[1:3, 8:16, 8:20] = 1
        image = rng.uniform(0.2, 0.5, mask.shape) + 0.5 * mask
        np.savez(data / f"p{patient}.npz", image=image, mask=mask, spacing=[4.0, 1.0, 1.0])
    places = {"root_dir": str(data), "cache_dir": str(tmp_path / "packed"), "runs_dir": str(tmp_path / "runs")}
    small = {"model": "buda", "width": 4, "num_epochs": 1, "image_size": 32, "gpus": "cpu", "num_workers": 0}
    folder = train(from_flat({"data": "archives", **places, **small}))
    assert (folder / "model.onnx").is_file()
    opened = pack.open_cohort(data, tmp_path / "packed", "archives")
    assert list(opened.table["patient"]) == ["p0", "p1", "p2", "p3"]
    assert opened.spacing(0) == (4.0, 1.0, 1.0)
    assert opened.masks(0).sum() == 2 * 8 * 12


def test_a_loss_added_as_the_page_says() -> None:
    (code,) = python_blocks("CONTRIBUTING.md")
    known = dict(vars(losses))
    exec(code, known)
    logits = torch.tensor([[-50.0, 0.0], [50.0, -50.0]])[None, None].requires_grad_()
    mask = torch.tensor([[0.0, 1.0], [1.0, 1.0]])[None, None]
    loss = known["focal_loss"](logits, mask)
    loss.backward()
    assert loss.item() == pytest.approx((0.25 * np.log(2) + 50) / 4)
    assert logits.grad is not None and logits.grad.isfinite().all()


def test_the_loss_is_used_where_the_page_says() -> None:
    assert losses.LOSSES["regions"] is losses.bce_dice_loss
    assert SegmentationModule(**TINY).loss is losses.bce_dice_loss


def test_the_citation_names_this_version() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["cff-version"] == "1.2.0"
    assert {"message", "title", "authors"} <= citation.keys()
    assert citation["version"] == __version__
