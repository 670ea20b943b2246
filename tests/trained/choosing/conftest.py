"""Runs to choose among: what a choice reads of them, and no more."""

import json
from pathlib import Path

import pytest

from headtohead.readers.lgg import TASK as LGG_TASK
from headtohead.readers.nifti import TASK as NIFTI_TASK
from headtohead.runs.folder import RunFolder
from headtohead.trained import choosing
from headtohead.trained.facts import ModelFacts
from tests.trained.choosing.choice import MakeRun

RECIPE = {"image_size": 32, "normalise": "inner", "neighbours": 1}


@pytest.fixture(autouse=True)
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A bundle in place of the one that comes with the program."""
    folder = tmp_path / "shipped"
    folder.mkdir()
    data = {"kind": "lgg", "made_up": False, "cases": 110, "parts": {"train": ["a", "b"], "val": []}}
    ModelFacts("ours", "buda", 4, 5, RECIPE, data=data, task=LGG_TASK).write(folder)
    monkeypatch.setattr(choosing, "SHIPPED", folder)
    return folder


@pytest.fixture
def make_run(tmp_path: Path) -> MakeRun:
    """Give a function that leaves what a choice reads of a run: run.json, model.json, a checkpoint nobody opens."""

    def make(
        name: str,
        dice: float | None = 0.8,
        *,
        data: str = "real",
        split: str = "s1",
        plan: str = "",
        ended: str = "2026-01-01",
        status: str = "finished",
        model: str = "unet",
        kind: str = "lgg",
        made_up: bool | None = False,
    ) -> RunFolder:
        run = RunFolder(tmp_path / "runs" / name)
        run.best.parent.mkdir(parents=True)
        run.best.touch()
        about = {"key": data, "kind": kind, "cases": 8, **({} if made_up is None else {"made_up": made_up})}
        task = NIFTI_TASK if kind == "nifti" else LGG_TASK
        parts = {"parts": {"train": ["p", "q"], "val": []}} if made_up is not None else {}
        facts = ModelFacts(name, model, 4, 5, RECIPE, data={"name": data, **about, **parts}, task=task)
        facts.write(run.path)
        record = {
            "status": status,
            "best_val_dice": dice,
            "ended": ended,
            "experiment": {"model": model},
            "data": {**about, "root": str(tmp_path / data)},
            "split": {"key": split, "plan": plan},
        }
        (run.path / "run.json").write_text(json.dumps(record))
        return run

    return make


@pytest.fixture
def demo(make_run: MakeRun) -> None:
    """What `make demo` leaves."""
    for model, dice in (("unet", 0.713), ("resnext", 0.6)):
        for fold in range(2):
            name = f"demo/{model}-none-s0-f{fold}"
            make_run(name, dice - fold / 10, data="phantoms", split=str(fold), plan="p", model=model, made_up=True)
