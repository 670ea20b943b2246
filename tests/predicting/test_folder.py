"""`--predict` as a user gives it: which files, what is in them, and what is said of them."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import nibabel
import numpy as np
import pytest
from PIL import Image

from headtohead.cli import main
from headtohead.predicting.cleaning.postprocessing import parse_clean_up
from headtohead.predicting.folder import progress
from headtohead.readers.lgg import TASK as LGG_TASK
from headtohead.trained.choosing import Choice
from headtohead.trained.facts import ModelFacts
from headtohead.trained.source import Source
from tests.predicting.scans import (
    INSIDE,
    OURS,
    SHAPE,
    Predict,
    case_of_slices,
    drawn,
    files_in,
    head,
    picture,
    summary_of,
)

FETAL = ["--mask_suffix", "_mask.nii", "--outputs", "0.0:_brain.nii,0.2:_overlay02.nii"]


def test_the_command_of_the_fetal_masking_system(tmp_path: Path, predict: Predict) -> None:
    head(tmp_path / "in/a.nii")
    head(tmp_path / "in/sub/deep/b.nii")
    head(tmp_path / "in/sub/c.nii.gz")
    assert predict("--pattern", "**/*.nii", *FETAL) == 0
    assert files_in(tmp_path / "out") - OURS == {
        f"{stem}{end}.nii" for stem in ("a", "sub/deep/b") for end in ("_mask", "_brain", "_overlay02")
    }
    assert predict(*FETAL, output="all") == 0  # without its pattern, .nii.gz too, which it missed
    assert {f"sub/c{end}.nii.gz" for end in ("_mask", "_brain", "_overlay02")} <= files_in(tmp_path / "all")
    assert predict("--mask_suffix", "", "--outputs", "0.0:_brain.nii", output="brains") == 0
    assert files_in(tmp_path / "brains") - OURS == {"a_brain.nii", "sub/deep/b_brain.nii", "sub/c_brain.nii.gz"}


def test_what_is_in_the_files(tmp_path: Path, predict: Predict, capsys: pytest.CaptureFixture[str]) -> None:
    source = head(tmp_path / "in/a.nii.gz")
    drawn(tmp_path / "in/a_mask.nii.gz")
    flags = [*FETAL, "--save_probability", "--save_uncertainty", "--preview"]
    assert predict(*flags) == 0
    out = tmp_path / "out"
    image = nibabel.load(source)
    mask = nibabel.load(out / "a_mask.nii.gz")
    np.testing.assert_array_equal(mask.affine, image.affine)
    assert mask.header.get_zooms() == image.header.get_zooms()
    assert mask.get_data_dtype() == np.uint8
    np.testing.assert_array_equal(np.asarray(mask.dataobj), INSIDE)
    brain = np.asarray(nibabel.load(out / "a_brain.nii.gz").dataobj)
    np.testing.assert_array_equal(brain, np.asarray(image.dataobj) * INSIDE)
    assert brain.dtype == np.int16
    probability = nibabel.load(out / "a_probability.nii.gz")
    assert probability.get_data_dtype() == np.float32
    np.testing.assert_array_equal(np.asarray(probability.dataobj) >= 0.5, INSIDE)
    uncertainty = np.asarray(nibabel.load(out / "a_uncertainty.nii.gz").dataobj)
    assert uncertainty[INSIDE].max() < uncertainty[~INSIDE].max() <= 1
    assert cv2.imread(str(out / "a_preview.png")) is not None
    with Image.open(out / "a_preview.gif") as scroll:
        assert scroll.n_frames > 1
    row = summary_of(out)["a"]
    assert float(row["volume_ml"]) == pytest.approx(INSIDE.sum() * 4 / 1000)
    assert (row["voxels"], row["slices"], row["slices_with_lesion"], row["lesions"]) == (
        str(INSIDE.sum()),
        "6",
        "3",
        "1",
    )
    assert (float(row["dice"]), row["threshold"], row["model"], row["error"]) == (1.0, "0.5", "brightness", "")
    assert "no T1 or T1+contrast; FLAIR was used in their place" in row["warnings"]
    said = capsys.readouterr().out
    assert re.search(r"^a: 0\.76 ml, 3 of 6 slices, 1 lesion, Dice 1\.000, \d+\.\d\d s$", said, re.MULTILINE)
    assert "a: warning: no T1 or T1+contrast; FLAIR was used in their place" in said
    assert said.splitlines()[-1] == f"results: {out}"


def test_pictures_and_folders_of_slices(tmp_path: Path, predict: Predict) -> None:
    picture(tmp_path / "in/one.jpg")
    picture(tmp_path / "in/two.png")
    case_of_slices(tmp_path / "in/site/case")
    assert predict("--save_probability", "--preview", "--outputs", "0:_cut.nii") == 0
    out = tmp_path / "out"
    slices = {f"site/case/case_{n}{end}" for n in (1, 2, 3) for end in ("_mask.tif", "_probability.png", "_cut.tif")}
    lone = {f"{stem}{end}.png" for stem in ("one", "two") for end in ("_mask", "_probability", "_preview", "_cut")}
    lone |= {"one_preview.gif", "two_preview.gif", "site/case/case_preview.gif"}
    assert files_in(out) - OURS == slices | lone | {"site/case/case_preview.png"}
    for name in ("two_mask.png", "site/case/case_2_mask.tif"):
        np.testing.assert_array_equal(cv2.imread(str(out / name), cv2.IMREAD_UNCHANGED), INSIDE[:, :, 3] * 255)
    probability = cv2.imread(str(out / "two_probability.png"), cv2.IMREAD_UNCHANGED)
    assert probability.dtype == np.uint16
    cut = cv2.imread(str(out / "site/case/case_3_cut.tif"), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(cut, INSIDE[:, :, 3] * 250)
    rows = summary_of(out)
    assert rows["two"]["volume_ml"] == "" and rows["two"]["voxels"] == str(INSIDE[:, :, 3].sum())
    assert rows["site/case"]["slices"] == "3"


def test_one_file(tmp_path: Path, predict: Predict) -> None:
    head(tmp_path / "in/a.nii")
    head(tmp_path / "in/b.nii")
    assert predict(source="in/b.nii") == 0
    assert files_in(tmp_path / "out") - OURS == {"b_mask.nii"}


def test_clean_up_threshold_and_ensemble(tmp_path: Path, predict: Predict, brightness: Any) -> None:
    two = INSIDE.copy()
    two[16, 20, 0] = True
    head(tmp_path / "in/a.nii", two)
    models = brightness(members=2, threshold=0.05, clean_up=parse_clean_up("largest,dilate=1px", LGG_TASK.targets))
    assert predict("--save_uncertainty", "variance", predictor=models) == 0
    rows = summary_of(tmp_path / "out")
    assert rows["a"]["steps"] == "largest,dilate=1px"
    assert rows["a"]["threshold"] == "0.05"
    assert int(rows["a"]["voxels"]) > two.sum()
    variance = np.asarray(nibabel.load(tmp_path / "out/a_uncertainty.nii").dataobj)
    assert variance.max() == pytest.approx(0.1, rel=0.01)


def test_a_turned_copy_gets_the_same_mask_on_its_own_grid(tmp_path: Path, predict: Predict, brightness: Any) -> None:
    ragged = INSIDE & (np.random.default_rng(0).random(SHAPE) > 0.3)
    image = nibabel.load(head(tmp_path / "in/a.nii", ragged))
    turned = image.as_reoriented(np.array([[2, -1], [0, 1], [1, -1]]))
    nibabel.save(turned, tmp_path / "in/turned.nii")
    models = brightness(clean_up=parse_clean_up("close=2cube,dilate=2mm,min_size=5vox", LGG_TASK.targets))
    assert predict("--outputs", "0:_cut.nii", predictor=models) == 0
    for end in ("mask", "cut"):
        plain, other = (nibabel.load(tmp_path / f"out/{stem}_{end}.nii") for stem in ("a", "turned"))
        again = other.as_reoriented(
            nibabel.orientations.ornt_transform(
                nibabel.io_orientation(other.affine), nibabel.io_orientation(plain.affine)
            )
        )
        np.testing.assert_array_equal(np.asarray(again.dataobj), np.asarray(plain.dataobj))
        np.testing.assert_array_equal(other.affine, turned.affine)


def test_progress_bar_on_a_terminal_only(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, predict: Predict
) -> None:
    head(tmp_path / "in/a.nii")
    assert predict() == 0
    assert "\x1b" not in capsys.readouterr().out
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("FORCE_COLOR", "1")
    with progress(3) as advance:
        advance()
        advance()
    assert "2/3" in capsys.readouterr().out


def test_trained_models_average(
    tmp_path: Path, make_run: Callable[..., Any], capsys: pytest.CaptureFixture[str]
) -> None:
    make_run("buda-none-s0-f0", "pair", onnx=True)
    make_run("buda-none-s1-f0", "pair", seed=1, onnx=True)
    head(tmp_path / "in/a.nii.gz")
    case_of_slices(tmp_path / "in/case")
    words = ["--predict", str(tmp_path / "in"), "--output", str(tmp_path / "out"), "--runs_dir", str(tmp_path / "runs")]
    words += ["--comparison", "pair", "--ensemble", "--save_uncertainty", "variance", "--save_probability"]
    assert main([*words, "--gpus", "cpu"]) == 0
    variance = np.asarray(nibabel.load(tmp_path / "out/a_uncertainty.nii.gz").dataobj)
    assert variance.shape == SHAPE and variance.max() > 0
    assert summary_of(tmp_path / "out")["case"]["model"] == "pair/buda-none-s0-f0 + pair/buda-none-s1-f0"
    said = capsys.readouterr().out
    models = [f"model pair/buda-none-s{seed}-f0 (trained elsewhere; one of 2 of the comparison)" for seed in (0, 1)]
    assert said.splitlines()[:2] == models


def test_warnings_stay_whole(
    tmp_path: Path, predict: Predict, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("headtohead.predicting.trust.familiarity.unfamiliar_features", lambda *_: ["dark; very", "odd"])
    head(tmp_path / "in/a.nii")
    assert predict() == 0
    said = capsys.readouterr().out.splitlines()
    assert "a: warning: dark; very" in said and "a: warning: odd" in said
    assert summary_of(tmp_path / "out")["a"]["warnings"].endswith("; dark; very; odd")


def test_a_pattern_chooses_cases(tmp_path: Path, predict: Predict, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("a_flair", "a_t1", "a_t1ce", "b_t1"):
        head(tmp_path / f"in/s/{name}.nii.gz")
    assert predict("--pattern", "**/*_flair.nii.gz") == 0
    assert "FLAIR was used" not in capsys.readouterr().out
    assert files_in(tmp_path / "out") - OURS == {"s/a_flair_mask.nii.gz"}
    assert predict("--pattern", "**/*_flair.nii.gz", "--channels", "t1=0,flair=1", output="other") == 2
    assert "--channels t1=0,flair=1: is for the volumes of one NIfTI file" in capsys.readouterr().err


def test_a_case_that_the_model_has_seen(
    tmp_path: Path, predict: Predict, brightness: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("one", "two", "three"):
        case_of_slices(tmp_path / "in" / name)
        for number in (1, 2, 3):
            mask = np.roll(INSIDE[:, :, 3], 5 if name == "three" else 0, axis=0)
            assert cv2.imwrite(str(tmp_path / f"in/{name}/{name}_{number}_mask.tif"), mask.astype(np.uint8) * 255)
    facts = ModelFacts(
        "m",
        "buda",
        4,
        5,
        {"image_size": 32, "normalise": "unit", "neighbours": 1},
        data={"parts": {"train": ["one"], "val": ["two"]}},
        task=LGG_TASK,
    )
    models = brightness(facts=facts, choices=(Choice(Source(facts), "the only one"),))
    assert predict(predictor=models) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "model m (trained elsewhere; the only one)"
    assert "one: warning: the model was trained on this case" in said
    assert "two: warning: the model was chosen by validation on this case" in said
    rows = summary_of(tmp_path / "out")
    assert {name: row["seen"] for name, row in rows.items()} == {"one": "train", "two": "val", "three": ""}
    assert rows["one"]["dice"] == "1"
    last = next(line for line in said if line.startswith("all 3"))
    assert "not in the mean Dice: 2 files that the model was trained on or chosen by" in said
    assert last.startswith("all 3, mean Dice ") and f"{float(rows['three']['dice']):.3f}" in last


def test_an_oblique_scan(tmp_path: Path, predict: Predict, capsys: pytest.CaptureFixture[str]) -> None:
    turn = np.eye(4)
    turn[1:3, 1:3] = [[np.cos(0.4), -np.sin(0.4)], [np.sin(0.4), np.cos(0.4)]]
    (tmp_path / "in").mkdir()
    nibabel.save(nibabel.Nifti1Image(np.where(INSIDE, 1000, 100).astype(np.int16), turn), tmp_path / "in/a.nii")
    assert predict() == 0
    warning = "a: warning: the scan is tilted by 23 degrees against the axial plane and was levelled; if the head is"
    assert warning in capsys.readouterr().out
    assert predict("--plane", "acquired", output="other") == 0
    assert "tilted" not in capsys.readouterr().out
