"""Several models as one: their mean and variance, mirrored slices, and what cannot be averaged."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from headtohead.cli import main
from headtohead.errors import UserError
from headtohead.options.machine import MachineOptions
from headtohead.options.prediction import PredictionOptions
from headtohead.options.table import from_flat
from headtohead.predicting import predictor as predictor_module
from headtohead.predicting.predictor import Predictor, open_choices, open_predictor
from headtohead.predicting.scan import scan_of
from headtohead.readers.lgg import TASK as LGG_TASK
from headtohead.readers.nifti import TASK as NIFTI_TASK
from headtohead.runs.folder import RunFolder
from headtohead.task import Target, Targets
from headtohead.trained.choosing import Choice
from headtohead.trained.source import ONNX, Source, open_source

MakeRun = Callable[..., RunFolder]
VOLUME = np.random.default_rng(0).integers(0, 256, (7, 40, 30, 3), np.uint8)


def opened(folder: Path, **settings: Any) -> Predictor:
    """Open the runs of a test's folder."""
    return open_predictor(from_flat({"runs_dir": str(folder / "runs"), "gpus": "cpu", "precision": "32", **settings}))


def test_mean_and_variance(make_run: MakeRun, tmp_path: Path) -> None:
    names = ("a", "b", "c")
    alone = []
    for seed, name in enumerate(names):
        make_run(name, seed=seed, threshold=0.3 + 0.1 * seed)
        estimate = opened(tmp_path, run_name=name)(scan_of(VOLUME))
        assert estimate.variance is None
        alone.append(estimate.probability)
    together = opened(tmp_path, run_name="a,b,c")
    estimate = together(scan_of(VOLUME))
    assert estimate.probability.dtype == np.float32
    np.testing.assert_allclose(estimate.probability, np.mean(alone, axis=0), atol=1e-6)
    assert estimate.variance is not None
    np.testing.assert_allclose(estimate.variance, np.var(alone, axis=0), atol=1e-6)
    assert np.sqrt(estimate.variance.max()) > 0.01
    assert (together.members, together.name) == (3, "single/a and 2 more")
    assert together.threshold == pytest.approx(0.4)


def test_a_slice_is_what_it_is_in_its_volume(make_run: MakeRun, tmp_path: Path) -> None:
    make_run("a")
    make_run("b", seed=1, normalise="zscore", neighbours=2)
    together = opened(tmp_path, run_name="a,b")
    whole = together(scan_of(VOLUME)).probability
    for index in (0, 3, 6):
        alone = together(scan_of(VOLUME, slice(index, index + 1))).probability
        np.testing.assert_allclose(alone, whole[:, index : index + 1], atol=1e-5)


def test_batches_do_not_change_the_answer(make_run: MakeRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_run()
    whole = opened(tmp_path)(scan_of(VOLUME)).probability
    monkeypatch.setattr(predictor_module, "PIXELS", 3 * 32 * 32)
    np.testing.assert_allclose(opened(tmp_path)(scan_of(VOLUME)).probability, whole, atol=1e-6)


def test_mirrored_slices(make_run: MakeRun, tmp_path: Path) -> None:
    make_run(normalise="unit")
    square = VOLUME[:, :30]  # no padding, so that mirroring the volume mirrors the input
    plain = opened(tmp_path)
    expected = (plain(scan_of(square)).probability + plain(scan_of(square[:, :, ::-1])).probability[..., ::-1]) / 2
    np.testing.assert_allclose(opened(tmp_path, tta=True)(scan_of(square)).probability, expected, atol=1e-5)
    assert np.abs(expected - plain(scan_of(square)).probability).max() > 1e-4


@pytest.mark.parametrize("field", ["plane", "sequences", "targets"])
def test_what_cannot_be_averaged(make_run: MakeRun, field: str) -> None:
    source = open_source(make_run().path)
    others = {"plane": replace(LGG_TASK, plane="coronal"), "sequences": replace(NIFTI_TASK, plane=LGG_TASK.plane)}
    task = others.get(field, replace(LGG_TASK, targets=Targets((Target("brain", (1,)),))))
    other = Source(replace(source.facts, task=task), source.folder)
    with pytest.raises(UserError, match=f"differ in {field}, so they cannot be averaged"):
        open_choices([Choice(source, ""), Choice(other, "")], PredictionOptions(), MachineOptions())


def test_stored_clean_up_unless_another_is_asked_for(make_run: MakeRun, tmp_path: Path) -> None:
    run = make_run(onnx=True)
    source = open_source(run.path)
    replace(source.facts, postprocessing="largest", threshold=0.35).write(run.path)
    assert str(opened(tmp_path).clean_up) == "largest"
    assert opened(tmp_path).threshold == 0.35
    assert not opened(tmp_path, postprocessing="none").clean_up
    assert opened(tmp_path, threshold=0.6).threshold == 0.6
    with pytest.raises(UserError, match="`postprocessing`"):
        opened(tmp_path, postprocessing="polish")


def test_different_stored_clean_up_is_said(
    make_run: MakeRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, steps in (("a", ""), ("b", "largest")):
        run = make_run(name, onnx=True)
        replace(open_source(run.path).facts, postprocessing=steps).write(run.path)
    assert not opened(tmp_path, run_name="a,b").clean_up
    line = "clean-up differs between the models (single/a none, single/b largest), so none is applied; "
    assert capsys.readouterr().err == f"{line}choose one with --postprocessing\n"
    for settings in ({"run_name": "a,b", "postprocessing": "none"}, {"run_name": "b"}):
        opened(tmp_path, **settings)
        assert capsys.readouterr().err == ""


@pytest.mark.parametrize("engine", ["onnx", "openvino"])
def test_a_damaged_model_is_refused_before_anything_is_written(
    make_run: MakeRun, tmp_path: Path, engine: str, capsys: pytest.CaptureFixture[str]
) -> None:
    run = make_run(onnx=True)
    (run.path / ONNX).write_bytes(b"\x08\x07no model")
    (tmp_path / "in").mkdir()
    cv2.imwrite(str(tmp_path / "in" / "a.png"), VOLUME[0])
    folders = ["--predict", str(tmp_path / "in"), "--output", str(tmp_path / "out"), "--model_path", str(run.path)]
    assert main([*folders, "--engine", engine]) == 2
    assert capsys.readouterr().err.endswith("not a readable ONNX model; run --test again, or export the bundle again\n")
    assert not (tmp_path / "out").exists()
