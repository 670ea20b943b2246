"""`--image_path` of a NIfTI volume: back on its own grid, with a panel of its fullest slice."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import nibabel as nib
import numpy as np
import pytest

from headtohead.errors import UserError
from headtohead.options.table import Options, from_flat
from headtohead.predicting import image as module
from headtohead.predicting.cleaning.postprocessing import NO_CLEAN_UP
from headtohead.predicting.image import fullest_slice, predict_image
from headtohead.predicting.predict import Found
from headtohead.predicting.results.panel import Prediction
from headtohead.predicting.scan import scan_of
from headtohead.readers.nifti import TASK as NIFTI_TASK
from headtohead.runs.folder import RunFolder
from headtohead.task.slicing import Slicing
from headtohead.trained.facts import read_facts
from tests.predicting.scans import listed

MakeRun = Callable[..., RunFolder]
AFFINE = np.array([[0, 0, 3.0, -5], [-1.5, 0, 0, 7], [0, 1.5, 0, 2], [0, 0, 0, 1]])  # axes P, S, R


def options(folder: Path, image: Path, **changes: Any) -> Options:
    """Options of `--image_path image` with the runs of a test's folder."""
    return from_flat({"image_path": str(image), "runs_dir": str(folder / "runs"), "gpus": "cpu", **changes})


def volume(folder: Path, name: str = "scan.nii.gz", truth: bool = False) -> Path:
    """Write a small volume, and a mask beside it if wanted."""
    path = folder / "scans" / name
    path.parent.mkdir(exist_ok=True)
    values = np.random.default_rng(0).integers(0, 900, (20, 24, 8)).astype(np.int16)
    nib.save(nib.Nifti1Image(values, AFFINE), path)
    if truth:
        mask = (values > 450).astype(np.uint8)
        nib.save(nib.Nifti1Image(mask, AFFINE), path.with_name(name.replace(".nii", "_mask.nii")))
    return path


@pytest.mark.parametrize("name", ["scan.nii.gz", "scan.nii"])
def test_back_on_its_own_grid(make_run: MakeRun, tmp_path: Path, name: str) -> None:
    make_run(threshold=0.6)
    image = volume(tmp_path, name)
    folder = predict_image(options(tmp_path, image))
    end = name.removeprefix("scan")
    mask, probability = (nib.load(folder / f"scan_{kind}{end}") for kind in ("mask", "probability"))
    for found in (mask, probability):
        assert found.shape == (20, 24, 8)
        np.testing.assert_allclose(found.affine, AFFINE)
    values = np.asanyarray(probability.dataobj)
    assert values.dtype == np.float32
    assert np.array_equal(np.asanyarray(mask.dataobj), values >= 0.6)
    panel = cv2.imread(str(folder / "scan_panel.png"))
    assert panel is not None and min(panel.shape[:2]) > 300


def test_dice_where_a_truth_is(make_run: MakeRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_run()
    predict_image(options(tmp_path, volume(tmp_path)))
    assert "Dice" not in capsys.readouterr().out
    predict_image(options(tmp_path, volume(tmp_path, truth=True), overwrite=True, threshold=0.01))
    said = capsys.readouterr().out
    truth = np.asanyarray(nib.load(tmp_path / "scans" / "scan_mask.nii.gz").dataobj)
    assert f"Dice {2 * truth.sum() / (truth.size + truth.sum()):.3f}" in said


def test_nothing_is_written_where_something_is_wrong(make_run: MakeRun, tmp_path: Path) -> None:
    run = make_run()
    image = volume(tmp_path)
    with pytest.raises(UserError, match="would be taken for its truth"):
        predict_image(options(tmp_path, image, output=str(image.parent)))
    image.write_bytes(image.read_bytes()[:200])
    with pytest.raises(UserError, match=r"scan\.nii\.gz"):
        predict_image(options(tmp_path, image))
    assert not list(run.figures.glob("*"))


def test_fullest_slice_is_shown_as_it_is_written() -> None:
    view = Slicing("axial", (0, 1, 2), (False, False, False), (3.0, 1.0, 1.0))
    scan = scan_of(np.full((5, 9, 9, 1), 7.5, np.float32))
    labels = np.zeros((5, 9, 9), np.uint8)
    probability = np.ones((1, 5, 9, 9), np.float32)  # the mask is what was written, whatever its probability
    found = Found(NIFTI_TASK.targets, probability, None, labels, None, view, None, 0.5, NO_CLEAN_UP)
    assert fullest_slice(scan, found, NIFTI_TASK)[1] == "slice 3 of 5"
    labels[1, :2] = labels[4, :3] = 1
    shown, about = fullest_slice(scan, found, NIFTI_TASK)
    assert about == "slice 5 of 5"
    assert np.array_equal(shown.labels, labels[4])
    assert shown.image.shape == (9, 9, 3) and shown.image.dtype == np.uint8 and (shown.image == 255).all()
    oblong = Slicing("axial", (0, 1, 2), (False, False, False), (3.0, 2.0, 1.0))
    assert fullest_slice(scan, replace(found, view=oblong), NIFTI_TASK)[0].labels.shape == (18, 9)


@pytest.mark.parametrize("angle", [0, 20])
def test_the_panel_shows_the_mask_that_is_written(
    make_run: MakeRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, angle: float
) -> None:
    drawn: list[Prediction] = []
    draw = module.draw_panel
    monkeypatch.setattr(module, "draw_panel", lambda shown, *words: (drawn.append(shown), draw(shown, *words))[1])
    make_run()
    image = volume(tmp_path)
    turn, (sine, cosine) = np.eye(4), (np.sin(np.radians(angle)), np.cos(np.radians(angle)))
    turn[1:3, 1:3] = [[cosine, -sine], [sine, cosine]]
    nib.save(nib.Nifti1Image(np.asanyarray(nib.load(image).dataobj), turn @ AFFINE), image)
    # As much as the untrained net happens to find, in pieces, so that the clean-up has something to remove.
    probe = predict_image(options(tmp_path, image, output=str(tmp_path / "probe")))
    middle = float(np.median(np.asanyarray(nib.load(probe / "scan_probability.nii.gz").dataobj)))
    drawn.clear()
    wanted = {"threshold": middle, "postprocessing": "largest", "output": str(tmp_path / "out")}
    folder = predict_image(options(tmp_path, image, **wanted))
    written = np.asanyarray(nib.load(folder / "scan_mask.nii.gz").dataobj)
    assert 0 < written.mean() < 0.6
    fullest = np.moveaxis(written, 1, 0).sum(axis=(1, 2)).max()  # the file's second axis goes from feet to head
    assert drawn[0].labels.sum() == 2 * fullest  # drawn on square pixels, and its own are 1.5 mm by 3 mm


def test_an_earlier_prediction_is_no_truth(
    make_run: MakeRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_run()
    image = volume(tmp_path, truth=True)
    listed(tmp_path, image.with_name("scan_mask.nii.gz"))
    predict_image(options(tmp_path, image))
    assert "Dice" not in capsys.readouterr().out


def test_our_results_are_no_sequence_of_a_case_but_may_be_named(make_run: MakeRun, tmp_path: Path) -> None:
    make_run()
    image = volume(tmp_path, "scan_flair.nii.gz")
    other = image.with_name("scan_t1.nii.gz")
    other.write_bytes(b"would be refused")
    listed(tmp_path, image, other)
    predict_image(options(tmp_path, image))


def test_what_is_doubtful_is_said(make_run: MakeRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = make_run(onnx=True)
    replace(read_facts(run.path), data={"parts": {"train": ["scan"]}}).write(run.path)
    image = volume(tmp_path)
    bare = nib.load(image)
    header = bare.header.copy()
    header.set_sform(None, 0)
    header.set_qform(None, 0)
    nib.save(nib.Nifti1Image(np.asanyarray(bare.dataobj), None, header), image)
    predict_image(options(tmp_path, image))
    said = capsys.readouterr()
    assert "the model was trained on this case" in said.out
    assert "scan.nii.gz: warning: no orientation in its header" in said.err
