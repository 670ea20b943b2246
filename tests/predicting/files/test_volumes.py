from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from headtohead.errors import UserError
from headtohead.predicting.files.finding import find_jobs
from headtohead.predicting.files.scans import read_scan
from headtohead.predicting.scan import Scan
from headtohead.preparing.intensities import to_bytes
from headtohead.readers.nifti import TASK as NIFTI_TASK
from headtohead.trained.facts import ModelFacts

RAS = np.eye(4)


def read(source: Path, facts: ModelFacts, channels: str = "", plane: str = "auto") -> Scan:
    [job] = find_jobs(source, "", facts.task, ())
    return read_scan(job, facts, channels, plane)


def slices(values: np.ndarray) -> np.ndarray:
    """An axial view of [x, y, z] that runs right, front, head: slices up, rows to the back, columns to the left."""
    return values.transpose(2, 1, 0)[:, ::-1, ::-1]


def test_a_lone_volume_is_flair(save: Callable, lgg: ModelFacts, texture: np.ndarray) -> None:
    path = save("a.nii", texture, RAS)
    scan = read(path, lgg)
    assert scan.volume.dtype == np.uint8 and scan.volume.shape == (8, 7, 6, 3)
    for channel in range(3):
        np.testing.assert_array_equal(scan.volume[..., channel], slices(to_bytes(texture)))
    assert scan.missing == ("pre", "post")
    assert (scan.name, scan.spacing, scan.grid.spacing) == ("a", (1, 1, 1), (1, 1, 1))
    assert scan.truth is None and scan.view.slice_axis == 2


def test_a_model_that_scales_itself_gets_what_is_in_the_file(
    save: Callable, lone: ModelFacts, texture: np.ndarray
) -> None:
    scan = read(save("a.nii", texture - 100, RAS), lone)
    assert scan.volume.dtype == np.float32 and scan.missing == ()
    np.testing.assert_array_equal(scan.volume[..., 0], slices(texture - 100))


def test_bytes_are_left_alone_for_lgg_only(save: Callable, lgg: ModelFacts) -> None:
    dark = np.random.default_rng(0).integers(0, 100, (4, 5, 6), np.uint8)
    path = save("a.nii", dark)
    np.testing.assert_array_equal(read(path, lgg).volume[..., 1], slices(dark))
    masker = ModelFacts("m", "unet", 0, 5, lgg.recipe, task=NIFTI_TASK)
    np.testing.assert_array_equal(read(path, masker).volume[..., 0], slices(to_bytes(dark)))


def test_a_label_map_is_no_scan(save: Callable, lgg: ModelFacts, lone: ModelFacts) -> None:
    labels = np.zeros((20, 24, 10), np.uint8)
    labels[4:16, 4:18, 2:8], labels[6:12, 6:14, 3:7], labels[8:10, 8:11, 4:6] = 2, 1, 4
    path = save("scan.nii.gz", labels)
    for facts in (lgg, lone):
        with pytest.raises(UserError, match=r"scan\.nii\.gz: its values \(0, 1, 2, 4\) are those of a mask"):
            read(path, facts)


@pytest.mark.parametrize("value", [0.0, 7.0, -3.0, np.nan, np.inf, 1e-42, 3e38])
@pytest.mark.parametrize("facts", ["lgg", "lone"])
def test_volumes_of_one_value(
    save: Callable, facts: str, value: float, request: pytest.FixtureRequest, recwarn: pytest.WarningsRecorder
) -> None:
    scan = read(save("a.nii", np.full((4, 5, 6), value, np.float32)), request.getfixturevalue(facts))
    kept = value if np.isfinite(value) else 0
    expected = (255 * (kept > 0)) if facts == "lgg" else np.float32(kept)
    assert (scan.volume == expected).all()
    assert not recwarn.list


def test_files_of_a_case(save: Callable, tmp_path: Path, lgg: ModelFacts, texture: np.ndarray) -> None:
    save("p_flair.nii.gz", texture, RAS)
    save("p_t1.nii.gz", texture[::-1], RAS)
    scan = read(tmp_path, lgg)
    assert scan.missing == ("post",)
    np.testing.assert_array_equal(scan.volume[..., 0], slices(to_bytes(texture)[::-1]))
    np.testing.assert_array_equal(scan.volume[..., 1], slices(to_bytes(texture)))
    np.testing.assert_array_equal(scan.volume[..., 2], scan.volume[..., 1])
    save("p_t1ce.nii.gz", texture[:, ::-1], RAS)
    scan = read(tmp_path, lgg)
    assert scan.missing == () and scan.source is not None and scan.source.path.name == "p_flair.nii.gz"
    np.testing.assert_array_equal(scan.volume[..., 2], slices(to_bytes(texture)[:, ::-1]))


def test_each_sequence_has_its_own_white(save: Callable, tmp_path: Path, lgg: ModelFacts, texture: np.ndarray) -> None:
    save("p_flair.nii", texture)
    save("p_t1.nii", texture.astype(np.float32) * 1000)
    scan = read(tmp_path, lgg)
    assert np.abs(scan.volume[..., 0].astype(int) - scan.volume[..., 1]).max() <= 1


def test_files_of_a_case_that_do_not_fit(save: Callable, tmp_path: Path, lgg: ModelFacts, texture: np.ndarray) -> None:
    save("p_flair.nii", texture)
    save("p_t1.nii", texture)
    save("p_t1.nii.gz", texture)
    with pytest.raises(UserError, match=r"p_t1\.nii and p_t1\.nii\.gz are both T1|p_t1\.nii\.gz and .* both T1"):
        read(tmp_path, lgg)
    (tmp_path / "p_t1.nii.gz").unlink()
    save("p_flair.nii.gz", texture)
    with pytest.raises(UserError, match=r"p_flair\.nii and p_flair\.nii\.gz are both FLAIR of one case; move one"):
        read(tmp_path, lgg)
    (tmp_path / "p_flair.nii.gz").unlink()
    save("p_t1.nii", np.stack([texture] * 2, -1))
    with pytest.raises(UserError, match=r"p_t1\.nii: holds 2 volumes, but a file of one sequence holds one"):
        read(tmp_path, lgg)


def test_flair_is_needed(save: Callable, lgg: ModelFacts, texture: np.ndarray) -> None:
    path = save("p_t1.nii", texture)
    with pytest.raises(
        UserError, match=r"p_t1\.nii: named as T1, but the model needs FLAIR.*X_flair\.nii.*`channels` flair=0"
    ):
        read(path, lgg)
    assert read(path, lgg, "flair=0").missing == ("pre", "post")


def test_volumes_of_a_4_d_file(save: Callable, lgg: ModelFacts, lone: ModelFacts, texture: np.ndarray) -> None:
    path = save("a.nii.gz", np.stack([texture, texture[::-1], texture[:, ::-1]], -1), RAS)
    scan = read(path, lgg, "t1=2,flair=1")
    assert scan.missing == ("post",)
    np.testing.assert_array_equal(scan.volume[..., 0], slices(to_bytes(texture)[:, ::-1]))
    np.testing.assert_array_equal(scan.volume[..., 1], slices(to_bytes(texture)[::-1]))
    assert scan.restore(scan.volume[..., 0].astype(np.float32)).shape == texture.shape
    np.testing.assert_array_equal(read(path, lone, "t1=1").volume[..., 0], slices(texture[::-1]))


@pytest.mark.parametrize(
    ("channels", "message"),
    [
        ("", "a 4-D file of 3 volumes; say which sequence each is, for example `channels` pre=0,flair=1,post=2"),
        ("flair=3", "holds volumes 0 to 2, but `channels` asks for flair=3"),
        ("t1=0", "no FLAIR"),
        ("t9=0", "`channels` t9: not a sequence of this model"),
    ],
)
def test_4_d_without_a_word_which_is_which(
    save: Callable, lgg: ModelFacts, texture: np.ndarray, channels: str, message: str
) -> None:
    path = save("a.nii", np.stack([texture] * 3, -1))
    with pytest.raises(UserError, match=message):
        read(path, lgg, channels)


def test_channels_and_3_d_files(save: Callable, lgg: ModelFacts, texture: np.ndarray) -> None:
    """--channels is meant for the 4-D files of a folder; others in it keep to their names."""
    assert read(save("p_flair.nii", texture), lgg, "t1=0,flair=1").missing == ("pre", "post")
    with pytest.raises(UserError, match="holds one volume, number 0, but `channels` asks for flair=1"):
        read(save("q.nii", texture), lgg, "t1=0,flair=1")
    assert read(save("r.nii", texture[..., None]), lgg, "t1=0,flair=0").missing == ("post",)


@pytest.mark.parametrize(
    ("plane", "axis"), [("auto", 2), ("axial", 2), ("coronal", 1), ("sagittal", 0), ("acquired", 0)]
)
def test_planes(save: Callable, lgg: ModelFacts, texture: np.ndarray, plane: str, axis: int) -> None:
    scan = read(save("a.nii", texture, np.diag([3.0, 1, 1, 1])), lgg, plane=plane)
    assert scan.view.slice_axis == axis
    assert scan.spacing is not None and len(scan.volume) == texture.shape[axis]
    assert scan.spacing[1] == pytest.approx(scan.spacing[2])
    assert scan.grid.spacing == (3, 1, 1)


def test_a_single_slice_is_taken_as_it_is(save: Callable, lgg: ModelFacts, texture: np.ndarray) -> None:
    assert read(save("a.nii", texture[:, :1]), lgg).volume.shape == (1, 8, 6, 3)
    assert read(save("a.nii", texture[0]), lgg).volume.shape == (1, 8, 7, 3)
    assert read(save("a.nii", texture[:, :1]), lgg, plane="axial").volume.shape == (8, 1, 6, 3)


def test_square_pixels_and_the_way_back(save: Callable, lgg: ModelFacts) -> None:
    bar = np.zeros((30, 20, 4), np.float32)
    bar[10:20, 5:15] = 1
    path = save("a.nii", 100 + 900 * bar, np.diag([1.0, 2, 5, 1]))
    save("a_mask.nii", bar, np.diag([1.0, 2, 5, 1]))
    scan = read(path, lgg)
    assert scan.volume.shape == (4, 40, 30, 3) and scan.spacing == (5, 1, 1)
    np.testing.assert_array_equal(scan.truth, bar)
    bright = scan.volume[..., 1] > 127
    assert bright.sum() == 2 * bar.sum()
    np.testing.assert_array_equal(scan.restore(bright.astype(np.float32)) > 0.5, bar == 1)


def test_a_mask_on_the_grid_of_the_file(save: Callable, lgg: ModelFacts, texture: np.ndarray) -> None:
    path = save("a.nii", texture, RAS)
    save("a_mask.nii", (texture > 99).astype(np.uint8), RAS)
    scan = read(path, lgg)
    np.testing.assert_array_equal(scan.truth, texture > 99)


def test_many_slices_are_turned_in_blocks(save: Callable, lone: ModelFacts) -> None:
    deep = np.random.default_rng(0).random((5, 6, 40), np.float32)
    np.testing.assert_array_equal(read(save("a.nii", deep, RAS), lone, plane="axial").volume[..., 0], slices(deep))
