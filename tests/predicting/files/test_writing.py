import gzip
from collections.abc import Callable
from pathlib import Path

import cv2
import nibabel
import numpy as np
import pytest

from headtohead.errors import UserError
from headtohead.predicting.files.finding import Job
from headtohead.predicting.files.writing import write_like

VALUES = np.arange(60, dtype=np.int16).reshape(3, 4, 5)
OBLIQUE = np.array([[0, -2, 0.3, 5], [1.5, 0, 0, -6], [0, 0.3, 3, 7], [0, 0, 0, 1]])


def job_of(path: Path) -> Job:
    return Job("a", (path,), "nifti", (), Path(path.name))


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("end", [".nii", ".nii.gz"])
def test_the_header_is_that_of_the_input(tmp_path: Path, save: Callable, version: int, end: str) -> None:
    path = save("a.nii.gz", VALUES, OBLIQUE, version)
    source = nibabel.load(path)
    source.header.set_xyzt_units("micron", "sec")
    source.set_qform(np.diag([1.0, 2, 3, 1]), 3)
    source.set_sform(OBLIQUE, 2)
    source.header.set_slope_inter(2, 1)
    source.header["cal_max"], source.header["intent_code"] = 99, 3
    source.header.extensions.append(nibabel.nifti1.Nifti1Extension(6, b"who and when"))
    nibabel.save(source, path)
    written = tmp_path / "new" / f"a_mask{end}"
    write_like(job_of(path), VALUES > 30, [written])
    assert (written.read_bytes()[:2] == b"\x1f\x8b") == (end == ".nii.gz")
    found, source = nibabel.load(written), nibabel.load(path)
    assert type(found) is type(source)
    assert found.get_data_dtype() == np.uint8 and found.header.get_slope_inter() in ((None, None), (1, 0))
    np.testing.assert_array_equal(found.dataobj.get_unscaled(), VALUES > 30)
    np.testing.assert_array_equal(found.affine, source.affine)
    assert found.header.get_zooms() == source.header.get_zooms()
    assert found.header.get_xyzt_units() == ("micron", "sec")
    for form in ("qform", "sform"):
        expected, code = getattr(source, f"get_{form}")(coded=True)
        actual, own = getattr(found, f"get_{form}")(coded=True)
        assert own == code
        np.testing.assert_array_equal(actual, expected)
    assert float(found.header["cal_max"]) == 0 and not found.header.extensions
    assert int(found.header["intent_code"]) == 0


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float32, np.float64, np.uint16])
def test_other_values_stay_what_they_are(tmp_path: Path, save: Callable, dtype: type) -> None:
    path = save("a.nii", np.zeros((3, 4, 5), np.uint8))
    write_like(job_of(path), (VALUES / 4).astype(dtype), [tmp_path / "b.nii"])
    found = nibabel.load(tmp_path / "b.nii")
    assert found.get_data_dtype() == dtype
    np.testing.assert_array_equal(np.asanyarray(found.dataobj), (VALUES / 4).astype(dtype))


def test_byte_order_is_kept(tmp_path: Path) -> None:
    header = nibabel.Nifti1Header(endianness=">")
    nibabel.save(nibabel.Nifti1Image(VALUES, OBLIQUE, header), tmp_path / "a.nii")
    write_like(job_of(tmp_path / "a.nii"), (VALUES / 3).astype(np.float32), [tmp_path / "b.nii"])
    found = nibabel.load(tmp_path / "b.nii")
    assert found.header.endianness == ">"
    np.testing.assert_array_equal(np.asarray(found.dataobj), (VALUES / 3).astype(np.float32))


@pytest.mark.parametrize(
    ("stored", "written"),
    [((12, 5), (12, 5)), ((3, 4, 5, 1), (3, 4, 5, 1)), ((3, 4, 5, 2), (3, 4, 5)), ((60, 1, 1), (60, 1, 1))],
)
def test_axes_beyond_the_grid(tmp_path: Path, save: Callable, stored: tuple, written: tuple) -> None:
    path = save("a.nii", np.resize(VALUES, stored), OBLIQUE)
    grid = (*stored, 1)[:3] if len(stored) < 4 else stored[:3]
    write_like(job_of(path), VALUES.reshape(grid) > 7, [tmp_path / "b.nii"])
    found, source = nibabel.load(tmp_path / "b.nii"), nibabel.load(path)
    assert found.shape == written
    np.testing.assert_array_equal(np.asarray(found.dataobj).ravel(), VALUES.ravel() > 7)
    np.testing.assert_array_equal(found.affine, source.affine)
    assert found.header.get_zooms() == source.header.get_zooms()[: len(written)]


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("flip", [1, -1])
def test_a_slice_placed_by_its_qform_alone(tmp_path: Path, save: Callable, version: int, flip: int) -> None:
    # The third step, and which way it goes, stand beyond the last axis of the header.
    affine = np.diag([2.0, 2, 4 * flip, 1])
    path = save("a.nii", VALUES[..., 0], affine, version)
    source = nibabel.load(path)
    source.set_sform(None, 0)
    source.set_qform(affine, 1)
    nibabel.save(source, path)
    np.testing.assert_array_equal(nibabel.load(path).affine, affine)
    for number, values in enumerate((VALUES[..., :1] > 7, VALUES[..., :1].astype(np.float32))):
        write_like(job_of(path), values, [tmp_path / f"{number}.nii"])
        np.testing.assert_array_equal(nibabel.load(tmp_path / f"{number}.nii").affine, affine)


def test_a_whole_4_d_file(tmp_path: Path, save: Callable) -> None:
    path = save("a.nii", np.stack([VALUES, VALUES], -1))
    write_like(job_of(path), np.stack([VALUES, VALUES * 2], -1), [tmp_path / "b.nii"])
    np.testing.assert_array_equal(nibabel.load(tmp_path / "b.nii").dataobj, np.stack([VALUES, VALUES * 2], -1))


def test_equal_masks_are_equal_bytes(tmp_path: Path, save: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    path = save("a.nii", VALUES)
    write_like(job_of(path), VALUES > 7, [tmp_path / "b.nii.gz"])
    monkeypatch.setattr(gzip.time, "time", lambda: 1e9)
    write_like(job_of(path), VALUES > 7, [tmp_path / "c.nii.gz"])
    assert (tmp_path / "b.nii.gz").read_bytes() == (tmp_path / "c.nii.gz").read_bytes()


def picture(tmp_path: Path, *names: str) -> Job:
    kind = "folder" if len(names) > 1 else "picture"
    return Job("a", tuple(tmp_path / name for name in names), kind, (), Path(names[0]))  # type: ignore[arg-type]


@pytest.mark.parametrize("end", [".png", ".tif", ".TIFF"])
def test_a_mask_of_a_picture_is_seen(tmp_path: Path, end: str) -> None:
    mask = VALUES[:1] % 3 == 0
    write_like(picture(tmp_path, "a.jpg"), mask, [tmp_path / "new" / f"a_mask{end}"])
    found = cv2.imread(str(tmp_path / "new" / f"a_mask{end}"), cv2.IMREAD_UNCHANGED)
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, mask[0] * np.uint8(255))


@pytest.mark.parametrize("end", [".png", ".tif"])
@pytest.mark.parametrize("labels", [2, 3])
def test_a_label_map_keeps_its_labels_whichever_occur(tmp_path: Path, end: str, labels: int) -> None:
    values = (VALUES[:1] % labels).astype(np.uint8)
    write_like(picture(tmp_path, "a.jpg"), values, [tmp_path / f"a_labels{end}"])
    np.testing.assert_array_equal(cv2.imread(str(tmp_path / f"a_labels{end}"), cv2.IMREAD_UNCHANGED), values[0])


def test_a_probability_as_a_picture(tmp_path: Path) -> None:
    job, values = picture(tmp_path, "a.png"), np.array([[[0, 0.5, 1, 1.5, np.nan]]], np.float32)
    write_like(job, values, [tmp_path / "p.png"])
    found = cv2.imread(str(tmp_path / "p.png"), cv2.IMREAD_UNCHANGED)
    assert found.dtype == np.uint16 and found.ravel().tolist() == [0, 32768, 65535, 65535, 0]
    write_like(job, values, [tmp_path / "p.tif"])
    np.testing.assert_array_equal(cv2.imread(str(tmp_path / "p.tif"), cv2.IMREAD_UNCHANGED), values[0])


def test_colours_are_rgb(tmp_path: Path) -> None:
    colours = np.array([[[[1, 2, 3], [4, 5, 6]]]], np.uint8)
    write_like(picture(tmp_path, "a.png"), colours, [tmp_path / "b.png"])
    np.testing.assert_array_equal(cv2.imread(str(tmp_path / "b.png"))[..., ::-1], colours[0])


def test_a_folder_has_a_file_a_slice(tmp_path: Path) -> None:
    job = picture(tmp_path, "T_1.tif", "T_2.tif", "T_10.tif")
    expected = [tmp_path / "new" / f"T_{number}_mask.png" for number in (1, 2, 10)]
    write_like(job, np.arange(3)[:, None, None] * np.ones((3, 4, 5), int) == 1, expected)
    assert [int(cv2.imread(str(one), 0).max()) for one in expected] == [0, 255, 0]


def test_what_cannot_be_written(tmp_path: Path, save: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    job, mask = picture(tmp_path, "a.jpg"), np.ones((1, 4, 5), bool)
    with pytest.raises(UserError, match=r"a_mask\.jpg: masks of images are written as \.png or \.tif"):
        write_like(job, mask, [tmp_path / "a_mask.jpg"])
    with pytest.raises(UserError, match=r"a_x\.png: its values are int64, .*; write \.tif"):
        write_like(job, np.ones((1, 4, 5), np.int64) * 1000, [tmp_path / "a_x.png"])
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match=r"cannot be written \(.*\); choose another `output`"):
        write_like(job, mask, [tmp_path / "file" / "a_mask.png"])
    with pytest.raises(UserError, match="cannot be written"):
        write_like(job_of(save("a.nii", VALUES)), VALUES > 1, [tmp_path / "file" / "a_mask.nii"])
    monkeypatch.setattr(cv2, "imencode", lambda *_: (False, None))
    with pytest.raises(UserError, match="cannot be written"):
        write_like(job, mask, [tmp_path / "a_mask.png"])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.nii", "file"]  # nothing half-written
