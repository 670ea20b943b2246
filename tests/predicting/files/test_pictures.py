from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from headtohead.errors import UserError
from headtohead.predicting.files.finding import find_jobs
from headtohead.predicting.files.scans import read_scan
from headtohead.predicting.scan import Scan
from headtohead.readers.lgg import TASK as LGG_TASK
from headtohead.task import Task
from headtohead.trained.facts import ModelFacts

RGB = np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8)


def put(path: Path, pixels: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), pixels[..., ::-1] if pixels.ndim == 3 else pixels)
    return path


def read(source: Path, facts: ModelFacts) -> Scan:
    [job] = find_jobs(source, "", facts.task, ())
    return read_scan(job, facts, "", "auto")


def test_a_picture_alone(tmp_path: Path, lgg: ModelFacts) -> None:
    path = put(tmp_path / "a b.tif", RGB)
    put(tmp_path / "a b_mask.tif", (RGB[..., 0] > 99).astype(np.uint8) * 255)
    scan = read(path, lgg)
    np.testing.assert_array_equal(scan.volume, RGB[None])
    assert (scan.name, scan.spacing, scan.missing) == ("a b", None, ())
    assert (scan.grid.shape, scan.grid.affine) == ((1, 20, 30), None)
    np.testing.assert_array_equal(scan.truth, RGB[None, ..., 0] > 99)
    probability = RGB[None, ..., 0].astype(np.float32)
    np.testing.assert_array_equal(scan.restore(probability), probability)


def test_a_folder_of_slices(tmp_path: Path, lgg: ModelFacts) -> None:
    for number in (10, 2):
        put(tmp_path / f"T/T_{number}.tif", np.full((4, 5, 3), (1, number, 3), np.uint8))
        put(tmp_path / f"T/T_{number}_mask.tif", np.full((4, 5), 255 * (number == 10), np.uint8))
    scan = read(tmp_path, lgg)
    assert scan.volume[:, 0, 0].tolist() == [[1, 2, 3], [1, 10, 3]]
    assert scan.truth is not None and scan.truth.mean(axis=(1, 2)).tolist() == [0, 1]
    (tmp_path / "T/T_2_mask.tif").unlink()
    assert read(tmp_path, lgg).truth is None


def test_channels_that_repeat_flair_were_missing(tmp_path: Path, lgg: ModelFacts) -> None:
    assert read(put(tmp_path / "grey.png", RGB[..., 0]), lgg).missing == ("pre", "post")
    no_post = np.dstack([RGB[..., 0], RGB[..., 1], RGB[..., 1]])
    assert read(put(tmp_path / "no_post.png", no_post), lgg).missing == ("post",)


def test_a_model_of_one_sequence_sees_flair(tmp_path: Path, lone: ModelFacts) -> None:
    scan = read(put(tmp_path / "a.png", RGB), lone)
    np.testing.assert_array_equal(scan.volume, RGB[None, ..., 1:2])
    assert scan.missing == ()


def test_deep_pixels(tmp_path: Path, lgg: ModelFacts, lone: ModelFacts) -> None:
    deep = RGB.astype(np.uint16) * 16
    path = put(tmp_path / "a.tif", deep)
    assert np.abs(read(path, lgg).volume.astype(int) - RGB).max() <= 1
    kept = read(path, lone).volume
    assert kept.dtype == np.float32
    np.testing.assert_array_equal(kept[0, ..., 0], deep[..., 1])
    strange = np.array([[np.nan, np.inf], [-5, 2]], np.float32)
    assert read(put(tmp_path / "b.tif", strange), lone).volume.ravel().tolist() == [0, 0, -5, 2]


def test_slices_that_differ_are_refused(tmp_path: Path, lgg: ModelFacts) -> None:
    put(tmp_path / "T/T_1.tif", RGB)
    put(tmp_path / "T/T_2.tif", RGB[:, :9])
    with pytest.raises(UserError, match=r"T_2\.tif: 9x20 pixels of uint8, but T_1\.tif .* 30x20 pixels of uint8"):
        read(tmp_path, lgg)
    put(tmp_path / "T/T_2.tif", RGB.astype(np.uint16))
    with pytest.raises(UserError, match=r"T_2\.tif: 30x20 pixels of uint16"):
        read(tmp_path, lgg)


def test_pictures_that_cannot_be_read(tmp_path: Path, lgg: ModelFacts, lone: ModelFacts) -> None:
    path = tmp_path / "a.png"
    path.touch()
    with pytest.raises(UserError, match=r"a\.png: an empty file"):
        read(path, lgg)
    path.write_text("words")
    with pytest.raises(UserError, match=r"a\.png: not a readable image"):
        read(path, lgg)
    put(path, RGB)
    put(tmp_path / "a_mask.png", RGB[:9, :, 0])
    with pytest.raises(UserError, match=r"a_mask\.png: 30x9 pixels"):
        read(path, lgg)


def test_pictures_that_hold_too_few_sequences(tmp_path: Path, lgg: ModelFacts) -> None:
    colour, grey = put(tmp_path / "a.png", RGB), put(tmp_path / "b.png", RGB[..., 0])
    two = ModelFacts("m", "unet", 0, 2, lgg.recipe, Task("two", ("flair", "t2"), "flair", LGG_TASK.targets))
    mend = "give it NIfTI volumes of them, or choose another model"
    with pytest.raises(UserError) as refused:
        read(colour, two)
    said = f"its colours hold three sequences, but model m takes 2 (FLAIR, T2); {mend}"
    assert str(refused.value) == f"{colour}: {said}"
    for sequences, shown in (
        (("flair", "t2"), "2 (FLAIR, T2)"),
        (("pre", "post", "flair"), "3 (T1, T1+contrast, FLAIR)"),
        (("pre", "post", "t2", "flair"), "4 (T1, T1+contrast, T2, FLAIR)"),
    ):
        task = Task("many", sequences, "flair", LGG_TASK.targets)
        with pytest.raises(UserError) as refused:
            read(grey, replace(two, task=task))
        said = f"grey, so it holds one sequence, but model m takes {shown}; {mend}"
        assert str(refused.value) == f"{grey}: {said}"
    three = replace(two, task=Task("three", ("pre", "post", "flair"), "flair", LGG_TASK.targets))
    assert read(colour, three).missing == () and read(grey, lgg).missing == ("pre", "post")
