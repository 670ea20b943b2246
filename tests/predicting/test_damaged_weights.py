"""Damaged weights of a run that nobody named: a warning names it, and the next candidate is taken."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from headtohead.cli import main
from headtohead.errors import DamagedModel, UserError
from headtohead.options.table import from_flat
from headtohead.predicting.predictor import Predictor, open_predictor
from headtohead.predicting.scan import scan_of
from headtohead.runs.folder import RunFolder
from headtohead.trained.export import export
from tests.predicting.conftest import MakeRun
from tests.predicting.scans import head


def opened(folder: Path, **settings: Any) -> Predictor:
    wanted = {"runs_dir": str(folder / "runs"), "gpus": "cpu", "precision": "32", "engine": "torch", **settings}
    return open_predictor(from_flat(wanted))


def damage(path: Path) -> str:
    """Cut a file short; give what is said of it."""
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    return f"{path}: not a readable"


@pytest.fixture
def best(make_run: MakeRun) -> RunFolder:
    """The best of two runs, both whole."""
    make_run("next", dice=0.7, onnx=True)
    return make_run("best", dice=0.9, onnx=True)


@pytest.mark.parametrize(("engine", "file"), [("torch", "checkpoints/best.ckpt"), ("openvino", "model.onnx")])
def test_the_next_is_taken_and_a_warning_names_both(
    best: RunFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str], engine: str, file: str
) -> None:
    fault = damage(best.path / file)
    predictor = opened(tmp_path, engine=engine)
    assert predictor.name == "single/next"
    assert predictor.choices[0].line.endswith("; left out as damaged: single/best)")
    assert predictor(scan_of(np.zeros((2, 32, 32, 3), np.uint8))).probability.shape == (1, 2, 32, 32)
    line = capsys.readouterr().err
    assert line.count("\n") == 1 and line.startswith(f"warning: {fault}")
    assert line.endswith(
        "; single/next is used instead; to use the damaged one anyway: --run_name best --comparison single\n"
    )


def test_named_it_is_refused(best: RunFolder, tmp_path: Path) -> None:
    fault = damage(best.best)
    with pytest.raises(DamagedModel, match=fault):
        opened(tmp_path, run_name="best").ready()


def test_where_all_are_damaged_the_shipped_model_does_not_take_their_place(
    best: RunFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    damage(best.best)
    fault = damage(best.path.parent / "next" / "checkpoints" / "best.ckpt")
    with pytest.raises(UserError, match=rf"^{fault}.* \(so are all 2 trained runs that suit\), or name another model"):
        opened(tmp_path)
    assert capsys.readouterr().err.count("\n") == 1, "of the first, once"


def test_what_was_said_of_another_run_is_said_once(
    best: RunFolder, make_run: MakeRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, file in (("lost", "run.json"), ("torn", "model.json")):
        (make_run(name, dice=0.95, onnx=True).path / file).write_text("null")
    damage(best.best)
    assert opened(tmp_path).name == "single/next"
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(": ")[1].split("/")[-2] for line in lines] == ["lost", "torn", "checkpoints"]


def test_an_average_goes_on_with_the_others(
    best: RunFolder, make_run: MakeRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_run("third", dice=0.1)
    fault = damage(best.best)
    predictor = opened(tmp_path, ensemble=True, comparison="single")
    assert [choice.run.path.name for choice in predictor.choices if choice.run] == ["next", "third"]
    assert f"warning: {fault}" in capsys.readouterr().err


def test_an_image_and_an_export_do_the_same(
    best: RunFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    damage(best.best)
    damage(best.path / "model.onnx")
    runs = {"runs_dir": str(tmp_path / "runs")}
    assert export(from_flat({**runs, "export": "safetensors"})).parents[1].name == "next"
    path = head(tmp_path / "a.nii.gz")
    assert main(["--image_path", str(path), "--runs_dir", runs["runs_dir"]]) == 0
    assert (best.path.parent / "next" / "figures" / "a_mask.nii.gz").is_file()
    assert not (best.path / "figures").exists()
    assert capsys.readouterr().err.count("single/next is used") == 2
