"""Volumes of FreeSurfer, and volumes written in one format on the grid of the other."""

from collections.abc import Callable
from pathlib import Path

import nibabel
import numpy as np
import pytest

from headtohead.errors import UserError
from headtohead.readers.nifti_file import open_volume
from headtohead.readers.nifti_writing import write_volume
from headtohead.task import Grid

VALUES = np.arange(60).reshape(3, 4, 5)
AFFINE = np.array([[0, -2, 0.3, 5], [1.5, 0, 0, -6], [0, 0.3, 3, 7], [0, 0, 0, 1]])


@pytest.mark.parametrize("end", [".mgh", ".mgz"])
@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.int32, np.float32])
def test_what_nibabel_writes_is_read(save: Callable, end: str, dtype: type) -> None:
    file = open_volume(save(f"a{end}", VALUES.astype(dtype), AFFINE))
    np.testing.assert_array_equal(file.read(), VALUES)
    assert file.read().dtype == (np.uint8 if dtype is np.uint8 else np.float32)
    np.testing.assert_allclose(file.affine, AFFINE, atol=1e-5)
    assert file.oriented


@pytest.mark.parametrize("source", [".mgz", ".nii.gz", ".nii"])
@pytest.mark.parametrize("end", [".mgh", ".mgz", ".nii", ".nii.gz"])
@pytest.mark.parametrize("values", [VALUES > 30, VALUES.astype(np.uint16) * 9, (VALUES / 7).astype(np.float32)])
def test_what_is_written_lies_where_its_source_does(
    save: Callable, tmp_path: Path, source: str, end: str, values: np.ndarray
) -> None:
    file = open_volume(save(f"a{source}", VALUES.astype(np.int16), AFFINE))
    for like in (file, file.grid):
        write_volume(tmp_path / f"b{end}", values, like)
        found = nibabel.load(tmp_path / f"b{end}")
        np.testing.assert_array_equal(np.asanyarray(found.dataobj), values)
        np.testing.assert_allclose(found.affine, AFFINE, atol=1e-5)
        again = open_volume(tmp_path / f"b{end}")
        assert file.grid.is_that_of(again.grid)
        np.testing.assert_array_equal(again.read(), values)


def test_equal_values_give_equal_bytes(tmp_path: Path) -> None:
    for name in ("a.mgz", "b.mgz"):
        write_volume(tmp_path / name, VALUES > 30, Grid((3, 4, 5), AFFINE))
    assert (tmp_path / "a.mgz").read_bytes() == (tmp_path / "b.mgz").read_bytes()


def test_damage_is_named_in_a_line(save: Callable, tmp_path: Path) -> None:
    whole = save("a.mgh", VALUES.astype(np.int16)).read_bytes()
    for content, words in (
        (whole[:200], "not a readable MGH file"),
        (whole[:300], "more than the file can hold"),
        (b"\0\0\0\7" + whole[4:], "not a readable MGH file"),
        (whole[:4] + b"\x7f" + whole[5:], "(more than the file can hold|not a readable|not an image)"),
    ):
        (tmp_path / "a.mgh").write_bytes(content)
        with pytest.raises(UserError, match=words) as refused:
            open_volume(tmp_path / "a.mgh").read()
        assert str(refused.value).startswith(str(tmp_path / "a.mgh")) and "\n" not in str(refused.value)
    save("b.mgh", VALUES.astype(np.int16)).rename(tmp_path / "b.mgz")
    with pytest.raises(UserError, match=r"not compressed with gzip; remove \.gz|not compressed with gzip"):
        open_volume(tmp_path / "b.mgz")
