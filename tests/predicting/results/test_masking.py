"""The image times its mask: the original's values and type, whatever the file's scale factor."""

import tracemalloc
from pathlib import Path

import cv2
import nibabel
import numpy as np
import pytest

from headtohead.errors import UserError
from headtohead.predicting.results.masking import dim, write_masked

SHAPE = (5, 6, 4)
MASK = np.zeros(SHAPE, bool)
MASK[1:3, 2:5, 1:3] = True
AFFINE = np.diag([-1.0, 2.0, 3.5, 1.0])


def volume(path: Path, stored: np.ndarray, slope: float = 1.0, inter: float = 0.0) -> Path:
    """Write a NIfTI file whose stored values and scale factor are known."""
    image = nibabel.Nifti1Image(stored, AFFINE, dtype=stored.dtype)
    image.header.set_xyzt_units("mm", "sec")
    image.header.set_slope_inter(slope, inter)
    nibabel.save(image, path)
    return path


def values(path: Path) -> np.ndarray:
    return np.asarray(nibabel.load(path).get_fdata())


@pytest.mark.parametrize("multiplier", [0.0, 0.2, 1.0])
@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16", "int32", "int64", "float32", "float64", ">i2"])
@pytest.mark.parametrize("ending", [".nii", ".nii.gz"])
def test_type_and_values_are_the_originals(tmp_path: Path, dtype: str, multiplier: float, ending: str) -> None:
    stored = np.random.default_rng(0).integers(0, 120, SHAPE).astype(dtype)
    source = volume(tmp_path / f"a{ending}", stored)
    write_masked(source, MASK, multiplier, tmp_path / f"out{ending}")
    before, after = nibabel.load(source), nibabel.load(tmp_path / f"out{ending}")
    assert after.get_data_dtype() == before.get_data_dtype()
    assert after.header.get_xyzt_units() == ("mm", "sec")
    np.testing.assert_array_equal(after.affine, before.affine)
    expected = stored * np.where(MASK, 1.0, multiplier)
    if stored.dtype.kind in "iu":
        expected = np.rint(expected)
    np.testing.assert_allclose(values(tmp_path / f"out{ending}"), expected, rtol=1e-6)
    np.testing.assert_array_equal(np.asarray(after.dataobj)[MASK], np.asarray(before.dataobj)[MASK])


@pytest.mark.parametrize(("slope", "inter"), [(0.5, 0.0), (2.0, -1024.0), (0.01, 3.0)])
@pytest.mark.parametrize("multiplier", [0.0, 0.2, 1.0])
def test_scale_factor(tmp_path: Path, slope: float, inter: float, multiplier: float) -> None:
    stored = np.random.default_rng(1).integers(-3000, 3000, SHAPE).astype(np.int16)
    source = volume(tmp_path / "a.nii", stored, slope, inter)
    write_masked(source, MASK, multiplier, tmp_path / "out.nii")
    before, after = values(source), values(tmp_path / "out.nii")
    np.testing.assert_array_equal(after[MASK], before[MASK])
    np.testing.assert_allclose(after[~MASK], before[~MASK] * multiplier, atol=slope / 2 + 1e-9)
    assert nibabel.load(tmp_path / "out.nii").get_data_dtype() == np.int16


def test_a_zero_that_the_type_cannot_store_widens_it(tmp_path: Path) -> None:
    # Stored 0 means 100, so that 0 is stored as -100: no unsigned byte.
    source = volume(tmp_path / "a.nii", np.full(SHAPE, 7, np.uint8), 1.0, 100.0)
    write_masked(source, MASK, 0.0, tmp_path / "out.nii")
    after = values(tmp_path / "out.nii")
    assert (after[~MASK] == 0).all() and (after[MASK] == 107).all()
    assert nibabel.load(tmp_path / "out.nii").get_data_dtype() == np.int32


def test_extraction_leaves_no_nan_and_no_minus_zero(tmp_path: Path) -> None:
    stored = np.full(SHAPE, -1, np.float32)
    stored[0], stored[4] = np.nan, np.inf
    result = dim(stored, MASK, 0.0)
    assert (result[~MASK] == 0).all()
    assert not np.signbit(result[~MASK]).any()
    assert np.isnan(stored[0]).all()  # the original is left alone


def test_a_fourth_axis_is_masked_throughout(tmp_path: Path) -> None:
    stored = np.random.default_rng(2).integers(1, 99, (*SHAPE, 3)).astype(np.int16)
    source = volume(tmp_path / "a.nii", stored)
    write_masked(source, MASK, 0.0, tmp_path / "out.nii")
    np.testing.assert_array_equal(values(tmp_path / "out.nii"), stored * MASK[..., None])


def test_a_plane_as_nifti(tmp_path: Path) -> None:
    stored = np.arange(30, dtype=np.int16).reshape(5, 6)
    source = volume(tmp_path / "a.nii", stored)
    write_masked(source, MASK[:, :, 1:2], 0.0, tmp_path / "out.nii")
    np.testing.assert_array_equal(values(tmp_path / "out.nii"), stored * MASK[:, :, 1])


@pytest.mark.parametrize("channels", [0, 1, 2, 3, 4])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_pictures(tmp_path: Path, channels: int, dtype: type) -> None:
    if channels == 2:
        pytest.skip("OpenCV writes no grey with transparency")
    shape = (5, 6, channels) if channels else (5, 6)
    pixels = np.random.default_rng(3).integers(2, 250, shape).astype(dtype)
    assert cv2.imwrite(str(tmp_path / "a.png"), pixels)
    write_masked(tmp_path / "a.png", MASK[None, :, :, 1], 0.2, tmp_path / "out.png")
    before = cv2.imread(str(tmp_path / "a.png"), cv2.IMREAD_UNCHANGED)
    after = cv2.imread(str(tmp_path / "out.png"), cv2.IMREAD_UNCHANGED)
    factor = np.where(MASK[:, :, 1], 1.0, 0.2)
    expected = np.rint(before * (factor if before.ndim == 2 else factor[:, :, None]))
    if channels == 4:
        expected[:, :, 3] = before[:, :, 3]
    assert after.dtype == dtype
    np.testing.assert_array_equal(after, expected)


def test_float_pixels_stay_in_tiff(tmp_path: Path) -> None:
    pixels = np.random.default_rng(4).random((5, 6), np.float32)
    cv2.imwrite(str(tmp_path / "a.tif"), pixels)
    write_masked(tmp_path / "a.tif", MASK[None, :, :, 1], 0.0, tmp_path / "out.tif")
    after = cv2.imread(str(tmp_path / "out.tif"), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(after, pixels * MASK[:, :, 1])
    with pytest.raises(UserError, match=r"PNG cannot hold pixels of type float32"):
        write_masked(tmp_path / "a.tif", MASK[None, :, :, 1], 0.0, tmp_path / "out.png")


def test_disk_that_takes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), np.zeros((5, 6), np.uint8))
    monkeypatch.setattr(cv2, "imencode", lambda *_: (False, None))
    with pytest.raises(UserError, match=r"out\.png: cannot be written"):
        write_masked(tmp_path / "a.png", MASK[None, :, :, 1], 0.0, tmp_path / "out.png")


@pytest.mark.parametrize("multiplier", [0.0, 0.2])
def test_a_volume_takes_no_more_than_one_of_its_own_type_besides(multiplier: float) -> None:
    stored = np.ones((100, 90, 80), np.int16)
    inside = np.zeros(stored.shape, bool)
    inside[5:9] = True
    tracemalloc.start()
    try:
        found = dim(stored, inside, multiplier)
        assert tracemalloc.get_traced_memory()[1] < 1.5 * found.nbytes
    finally:
        tracemalloc.stop()
