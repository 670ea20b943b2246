"""NIfTI files as they are written by many programs: what can be read is read."""

import os
from collections.abc import Callable
from pathlib import Path

import nibabel
import numpy as np
import pytest

from headtohead.readers.nifti_file import open_volume
from tests.readers.headers import PIXDIM, SLOPE, UNITS, VALUES, patch


def test_a_plain_file(save: Callable) -> None:
    affine = np.diag([2.0, 3.0, 4.0, 1.0])
    found = open_volume(save("a.nii.gz", VALUES, affine))
    assert (found.shape, found.volumes, found.spacing) == ((3, 4, 5), 1, (2.0, 3.0, 4.0))
    values = found.read()
    assert values.dtype == np.float32
    np.testing.assert_array_equal(values, VALUES)


@pytest.mark.parametrize("dtype", ["u1", "i1", "<i2", ">i2", "u2", ">i4", "u4", "i8", ">u8", "f4", ">f4", "f8"])
@pytest.mark.parametrize("version", [1, 2])
def test_every_type_of_number(tmp_path: Path, dtype: str, version: int) -> None:
    header, image = (
        (nibabel.Nifti1Header, nibabel.Nifti1Image) if version == 1 else (nibabel.Nifti2Header, nibabel.Nifti2Image)
    )
    order = header(endianness=">" if ">" in dtype else "<")
    nibabel.save(image(VALUES.astype(dtype), np.eye(4), order, dtype=np.dtype(dtype)), tmp_path / "a.nii")
    values = open_volume(tmp_path / "a.nii").read()
    assert values.dtype == (np.uint8 if dtype == "u1" else np.float32)
    np.testing.assert_array_equal(values, VALUES)


@pytest.mark.parametrize("dtype", [np.uint8, np.int16])
@pytest.mark.parametrize("end", [".nii", ".nii.gz"])
def test_the_scale_factor_applies(save: Callable, dtype: type, end: str) -> None:
    path = patch(save(f"a{end}", VALUES.astype(dtype)), SLOPE, "ff", 0.5, -3)
    np.testing.assert_array_equal(open_volume(path).read(), VALUES * 0.5 - 3)


def test_sums_that_no_integer_of_the_file_holds(save: Callable) -> None:
    path = patch(save("a.nii", np.full((2, 2, 2), 30000, np.int16)), SLOPE, "ff", 1000, 32000)
    np.testing.assert_allclose(open_volume(path).read(), 30032000)


@pytest.mark.parametrize("slope", [0.0, float("nan")])
def test_a_scale_factor_that_is_none(save: Callable, slope: float) -> None:
    np.testing.assert_array_equal(open_volume(patch(save("a.nii", VALUES), SLOPE, "f", slope)).read(), VALUES)


def test_what_is_no_number_is_zero(save: Callable, recwarn: pytest.WarningsRecorder) -> None:
    strange = np.array([np.nan, np.inf, -np.inf, 1e300, -2.5, 7], np.float64).reshape(1, 2, 3)
    assert open_volume(save("a.nii", strange)).read().ravel().tolist() == [0, 0, 0, 0, -2.5, 7]
    four = np.stack([strange, strange], axis=-1)
    assert open_volume(save("b.nii", four)).read(1).ravel().tolist() == [0, 0, 0, 0, -2.5, 7]
    assert not recwarn.list


@pytest.mark.parametrize("end", [".nii", ".nii.gz"])
def test_one_volume_of_a_4_d_file(save: Callable, end: str) -> None:
    found = open_volume(save(f"a{end}", np.stack([VALUES, VALUES * 2, VALUES * 3], axis=-1)))
    assert (found.shape, found.volumes) == ((3, 4, 5), 3)
    np.testing.assert_array_equal(found.read(2), VALUES * 3)


@pytest.mark.parametrize(
    ("stored", "shape"),
    [((3, 20), (3, 20, 1)), ((3, 4, 5, 1), (3, 4, 5)), ((60, 1, 1), (60, 1, 1)), ((3, 4, 5, 1, 1), (3, 4, 5))],
)
def test_axes_of_length_one(save: Callable, stored: tuple[int, ...], shape: tuple[int, ...]) -> None:
    found = open_volume(save("a.nii", VALUES.reshape(stored)))
    assert (found.shape, found.volumes) == (shape, 1)
    np.testing.assert_array_equal(found.read(), VALUES.reshape(shape))


@pytest.mark.parametrize(("code", "factor"), [(0, 1), (1, 1000), (2, 1), (3, 0.001), (7, 1)])
def test_spacing_is_in_millimetres(save: Callable, code: int, factor: float) -> None:
    path = patch(save("a.nii", VALUES, np.diag([2.0, 3.0, 4.0, 1.0])), UNITS, "B", code)
    np.testing.assert_allclose(open_volume(path).spacing, (2 * factor, 3 * factor, 4 * factor))


def test_a_header_that_nibabel_mends_is_mended_in_silence(save: Callable, capfd: pytest.CaptureFixture[str]) -> None:
    path = patch(patch(save("a.nii", VALUES), PIXDIM + 4, "3f", -1, -1, -1), 0, "i", 7)
    np.testing.assert_array_equal(open_volume(path).read(), VALUES)
    assert capfd.readouterr() == ("", "")


def test_names_of_any_kind(save: Callable) -> None:
    for name in ("ünï cödé 脳.nii.gz", "A.NII.GZ", "a b.Nii", os.fsdecode(b"latin\xe9.nii"), "two\nlines.nii"):
        path = save("plain.nii.gz" if name.lower().endswith("gz") else "plain.nii", VALUES)
        found = open_volume(path.rename(path.with_name(name)))
        np.testing.assert_array_equal(found.read(), VALUES)
        np.testing.assert_array_equal(np.asarray(found.image.dataobj), VALUES)
