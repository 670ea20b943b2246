"""`--channels`, `--plane` and `--pattern` are followed or refused in one line, never ignored."""

from collections.abc import Callable
from pathlib import Path

import cv2
import nibabel
import numpy as np
import pytest

from headtohead.errors import UserError
from headtohead.options.table import from_flat
from headtohead.predicting.image import predict_image

Predict = Callable[..., int]
DARK, LEFT, RIGHT = (np.full((20, 24, 6), 10, np.int16) for _ in range(3))
LEFT[3:9, 6:15, 2:5] = RIGHT[11:17, 6:15, 2:5] = 1000
IGNORED = (
    "error: --channels {}: every file here holds one volume, number 0, and its name says which sequence it is; "
    "leave it out, or give a sequence number 0\n"
)


def save(path: Path, *volumes: np.ndarray) -> Path:
    """Write one volume as 3-D, several as 4-D."""
    path.parent.mkdir(parents=True, exist_ok=True)
    values = volumes[0] if len(volumes) == 1 else np.stack(volumes, -1)
    nibabel.save(nibabel.Nifti1Image(values, np.diag([1.0, 1, 4, 1])), path)
    return path


def masked(path: Path) -> np.ndarray:
    return np.asarray(nibabel.load(path).dataobj) > 0


@pytest.mark.parametrize(("channels", "expected"), [("flair=0", LEFT), ("flair=1", RIGHT), ("t1=0,flair=1", RIGHT)])
def test_a_4_d_file_is_cut_as_said_though_its_name_says_one_sequence(
    tmp_path: Path, predict: Predict, channels: str, expected: np.ndarray
) -> None:
    save(tmp_path / "in/a_flair.nii.gz", LEFT, RIGHT)
    for source in ("in", "in/a_flair.nii.gz"):
        assert predict("--channels", channels, "--overwrite", source=source) == 0
        np.testing.assert_array_equal(masked(tmp_path / "out/a_flair_mask.nii.gz"), expected == 1000)


def test_number_0_says_another_sequence_than_the_name(
    tmp_path: Path, predict: Predict, capsys: pytest.CaptureFixture[str]
) -> None:
    save(tmp_path / "in/a_t1.nii.gz", LEFT)
    assert predict() == 1
    assert "the model needs FLAIR" in capsys.readouterr().err
    assert predict("--channels", "flair=0") == 0
    np.testing.assert_array_equal(masked(tmp_path / "out/a_t1_mask.nii.gz"), LEFT == 1000)
    save(tmp_path / "flair/a_flair.nii.gz", LEFT)
    assert predict("--channels", "flair=0", source="flair/a_flair.nii.gz", output="other") == 0
    assert predict("--channels", "t1=0", source="flair", output="none") == 1
    assert "the model needs FLAIR" in capsys.readouterr().err


@pytest.mark.parametrize("source", ["in", "in/a_flair.nii.gz"])
@pytest.mark.parametrize("channels", ["flair=1", "t1=0,flair=1"])
def test_volumes_that_no_file_holds_are_refused(
    tmp_path: Path, predict: Predict, capsys: pytest.CaptureFixture[str], source: str, channels: str
) -> None:
    save(tmp_path / "in/a_flair.nii.gz", LEFT)
    assert predict("--channels", channels, source=source) == 2
    assert capsys.readouterr().err == IGNORED.format(channels)
    assert not (tmp_path / "out").exists()


def test_of_one_image_too(tmp_path: Path, make_run: Callable[..., object]) -> None:
    make_run(onnx=True)
    image = save(tmp_path / "a_flair.nii.gz", LEFT)
    named = {"image_path": str(image), "output": str(tmp_path / "out"), "runs_dir": str(tmp_path / "runs")}
    with pytest.raises(UserError, match="`channels` flair=1: every file here holds one volume"):
        predict_image(from_flat({**named, "channels": "flair=1"}))
    predict_image(from_flat({**named, "channels": "flair=0"}))
    assert (tmp_path / "out/a_flair_mask.nii.gz").is_file()


def test_beside_a_4_d_file_others_keep_to_their_names(tmp_path: Path, predict: Predict) -> None:
    save(tmp_path / "in/a_flair.nii.gz", LEFT)
    save(tmp_path / "in/four/b_flair.nii.gz", DARK, RIGHT)
    assert predict("--channels", "t1=0,flair=1") == 0
    np.testing.assert_array_equal(masked(tmp_path / "out/a_flair_mask.nii.gz"), LEFT == 1000)
    np.testing.assert_array_equal(masked(tmp_path / "out/four/b_flair_mask.nii.gz"), RIGHT == 1000)


def test_a_file_that_says_nothing_by_its_name_is_told_by_itself(
    tmp_path: Path, predict: Predict, capsys: pytest.CaptureFixture[str]
) -> None:
    save(tmp_path / "in/a_flair.nii.gz", LEFT)
    save(tmp_path / "in/scan.nii.gz", LEFT)
    assert predict("--channels", "flair=1") == 1
    assert "error: scan: holds one volume, number 0, but --channels asks for flair=1" in capsys.readouterr().err


def test_damage_is_told_before_channels(tmp_path: Path, predict: Predict, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a_flair.nii.gz").write_bytes(b"no volume")
    assert predict("--channels", "flair=1") == 1
    error = capsys.readouterr().err
    assert "error: a_flair: " in error and "--channels" not in error


def test_a_plane_is_refused_where_there_are_only_pictures(
    tmp_path: Path, predict: Predict, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "in").mkdir()
    cv2.imwrite(str(tmp_path / "in/a.png"), np.zeros((32, 32, 3), np.uint8))
    refused = "--plane sagittal: is for NIfTI volumes, and here are only pictures; leave it out"
    for source in ("in", "in/a.png"):
        assert predict("--plane", "sagittal", source=source) == 2
        assert capsys.readouterr().err == f"error: {refused}\n"
        assert not (tmp_path / "out").exists()
    with pytest.raises(UserError, match=r"^`plane` sagittal: is for NIfTI"):
        predict_image(from_flat({"image_path": str(tmp_path / "in/a.png"), "plane": "sagittal"}))
    save(tmp_path / "in/b.nii.gz", LEFT)
    assert predict("--plane", "sagittal") == 0


def test_a_pattern_is_refused_where_one_file_is_named(
    tmp_path: Path, predict: Predict, capsys: pytest.CaptureFixture[str]
) -> None:
    save(tmp_path / "in/a.nii.gz", LEFT)
    assert predict("--pattern", "*.png", source="in/a.nii.gz") == 2
    assert "error: --pattern *.png: chooses files of a folder, and " in capsys.readouterr().err
