"""What is read from the NIfTI files of a case, and the cohort of such cases."""

import gzip
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest

from headtohead.cohort import open_cohort
from headtohead.errors import UserError
from headtohead.preparing.intensities import EIGHT, to_bytes, to_depth
from headtohead.readers.nifti import TASK, list_cases
from headtohead.readers.reader import CaseFiles
from headtohead.readers.volumes import read_volumes

FETAL = Path(__file__).resolve().parents[2].parent / "shared" / "nifti" / "fetal"


def only_case(folder: Path) -> CaseFiles:
    """The one case of a folder."""
    (case,) = list_cases(folder)
    return case


def test_a_code_of_units_that_the_standard_does_not_know_means_mm(
    volumes: Path, write_pair: Callable[..., Any]
) -> None:
    write_pair("x")
    (packed,) = [path for path in volumes.iterdir() if "mask" not in path.name]
    content = bytearray(gzip.decompress(packed.read_bytes()))
    content[123] = 7  # xyzt_units
    packed.write_bytes(gzip.compress(bytes(content)))
    assert read_volumes(only_case(volumes), TASK).grid.spacing == (1.0, 1.0, 3.0)


def in_slices(files: CaseFiles) -> tuple[np.ndarray, np.ndarray]:
    """Images uint8 [slices, H, W, C] and labels [slices, H, W] of a case, as a cohort has them."""
    case = read_volumes(files, TASK)
    cut = case.grid.slices()
    assert cut is not None and case.labels is not None
    return cut.to_slices(to_depth(case.images, EIGHT)), cut.to_slices(case.labels)


# --- a case ----------------------------------------------------------------------------------------------------------


def test_voxels_are_read_as_slices_of_the_acquired_plane(volumes: Path, write_pair: Callable[..., Any]) -> None:
    """Axes to the right, front and head, thick along the last: axial slices, front on top, the left on the right."""
    values, inside = write_pair("x")
    images, masks = in_slices(only_case(volumes))
    assert (images.shape, images.dtype, masks.dtype) == ((6, 24, 20, 1), np.uint8, np.uint8)
    expected = to_bytes(values.astype(np.float32)).transpose(2, 1, 0)[:, ::-1, ::-1]
    np.testing.assert_array_equal(images[..., 0], expected)
    np.testing.assert_array_equal(masks, inside.transpose(2, 1, 0)[:, ::-1, ::-1])
    assert read_volumes(only_case(volumes), TASK).missing == ()


def test_a_copy_that_is_stored_another_way_is_the_same_case(
    volumes: Path, write_pair: Callable[..., Any], write_volume: Callable[..., Path]
) -> None:
    values, inside = write_pair("x", affine=np.diag([1.0, 2.5, 1.2, 1]))
    first, truth = in_slices(only_case(volumes))
    for name, array in (("x.nii.gz", values), ("x_mask.nii.gz", inside)):
        image = nibabel.Nifti1Image(array, np.diag([1.0, 2.5, 1.2, 1]))
        moved = image.as_reoriented(np.array([[1, -1], [2, 1], [0, -1]]))
        write_volume(name, np.asarray(moved.dataobj), moved.affine)
    again, masks = in_slices(only_case(volumes))
    np.testing.assert_array_equal(again, first)
    np.testing.assert_array_equal(masks, truth)
    cut = read_volumes(only_case(volumes), TASK).grid.slices()
    assert cut is not None and cut.spacing[0] == 2.5


@pytest.mark.parametrize(("unit", "spacing"), [("mm", 3.0), ("meter", 3000.0), ("micron", 0.003), ("unknown", 3.0)])
def test_spacing_is_in_mm_whatever_the_file_counts_in(
    volumes: Path, write_volume: Callable[..., Path], unit: str, spacing: float
) -> None:
    write_volume("x.nii", np.ones((4, 5, 6), np.uint8), unit=unit)
    write_volume("x_mask.nii", np.ones((4, 5, 6), np.uint8), unit=unit)
    assert read_volumes(only_case(volumes), TASK).grid.spacing == pytest.approx((spacing / 3, spacing / 3, spacing))


@pytest.mark.parametrize("value", [1, 255, 0.5])
def test_a_mask_may_have_any_one_value(volumes: Path, write_volume: Callable[..., Path], value: float) -> None:
    write_volume("x.nii", np.ones((4, 5, 6), np.float32))
    mask = np.zeros((4, 5, 6, 1), np.float32)  # a fourth axis of one value is none
    mask[1, 2, 3] = value
    write_volume("x_mask.nii", mask)
    assert in_slices(only_case(volumes))[1].sum() == 1


def test_an_empty_mask_is_a_mask(volumes: Path, write_volume: Callable[..., Path]) -> None:
    write_volume("x.nii", np.ones((4, 5, 6), np.float32))
    write_volume("x_mask.nii", np.zeros((4, 5, 6), np.uint8))
    assert not in_slices(only_case(volumes))[1].any()


def test_a_single_slice_is_a_case(volumes: Path, write_volume: Callable[..., Path]) -> None:
    for name in ("x.nii", "x_mask.nii"):
        write_volume(name, np.eye(5, 4, dtype=np.uint8))
    assert in_slices(only_case(volumes))[0].shape == (1, 4, 5, 1)


ONES = np.ones((4, 5, 6), np.uint8)
THREE = np.arange(120).reshape(4, 5, 6).clip(0, 2).astype(np.uint8)
RGB = np.zeros((4, 5, 6), [("R", "u1"), ("G", "u1"), ("B", "u1")])


@pytest.mark.parametrize(
    ("image", "mask", "affine", "words"),
    [
        (ONES, THREE, None, "0 and one other value, but this one holds 0, 1, 2; make it binary"),
        (
            ONES,
            np.arange(120, dtype=np.float32).reshape(4, 5, 6),
            None,
            "holds 0, 1, 2, 3, ...; make it binary",
        ),
        (ONES, np.full((4, 5, 6), np.nan, np.float32), None, "x_mask.nii: holds values that are no numbers"),
        (ONES, ONES[:3], None, "3x5x6 voxels, but x.nii has 4x5x6; resample it"),
        (
            ONES,
            ONES,
            np.diag([1.0, 1.0, 3.5, 1.0]),
            r"up to 2.5 mm off the grid of x.nii \(its affine differs",
        ),
        (np.zeros((4, 5, 6), np.int16), ONES, None, "x.nii: no voxel is above 0"),
        (np.full((4, 5, 6), np.nan, np.float32), ONES, None, "x.nii: no voxel is above 0"),
        (np.ones((4, 5, 6, 2), np.uint8), ONES, None, "x.nii: 4x5x6x2 voxels, not one 3-D volume"),
        (np.ones((4, 0, 6), np.uint8), ONES, None, "which is not an image"),
        (np.ones((4, 5, 6), np.complex64), ONES, None, "x.nii: complex numbers"),
        (RGB, ONES, None, "x.nii: colour"),
        (ONES, RGB, None, "x_mask.nii: colour"),
    ],
)
def test_what_cannot_be_learnt_from_is_refused(
    volumes: Path, write_volume: Callable[..., Path], image: np.ndarray, mask: np.ndarray, affine: Any, words: str
) -> None:
    write_volume("x.nii", image)
    write_volume("x_mask.nii", mask, affine)
    with pytest.raises(UserError, match=words) as refused:
        read_volumes(only_case(volumes), TASK)
    assert len(str(refused.value).splitlines()) == 1


def test_a_grid_that_differs_by_rounding_is_the_same(volumes: Path, write_volume: Callable[..., Path]) -> None:
    write_volume("x.nii", ONES)
    write_volume("x_mask.nii", ONES, np.diag([1.00001, 1.0, 3.0001, 1.0]))
    assert in_slices(only_case(volumes))[1].all()


def test_an_affine_without_an_inverse_is_refused(volumes: Path) -> None:
    for name in ("x.nii", "x_mask.nii"):
        image = nibabel.Nifti1Image(ONES, None)
        image.header["sform_code"] = 2
        for row in ("srow_x", "srow_y", "srow_z"):
            image.header[row] = 0
        (volumes / name).write_bytes(image.header.binaryblock + b"\0\0\0\0" + ONES.tobytes(order="F"))
    damaged = bytearray((volumes / "x.nii").read_bytes())
    damaged[108:112] = np.float32(352).tobytes()  # where the voxels begin
    damaged[344:348] = b"n+1\0"
    for name in ("x.nii", "x_mask.nii"):
        (volumes / name).write_bytes(damaged)
    with pytest.raises(UserError, match=r"no inverse.*correct its header"):
        read_volumes(only_case(volumes), TASK)


def cut(content: bytes) -> bytes:
    """The first half."""
    return content[: len(content) // 2]


@pytest.mark.parametrize("end", [".nii", ".nii.gz"])
@pytest.mark.parametrize("which", ["x", "x_mask"])
@pytest.mark.parametrize("damage", [cut, lambda _: b"", lambda content: b"no volume" + content, lambda _: b"\x1f\x8b"])
def test_a_damaged_file_is_named_in_a_line(
    volumes: Path, write_pair: Callable[..., Any], which: str, end: str, damage: Callable[[bytes], bytes]
) -> None:
    write_pair("x", end=end)
    path = volumes / f"{which}{end}"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(UserError, match=r"restore|\.gz (to|from) its name") as refused:
        read_volumes(only_case(volumes), TASK)
    assert str(refused.value).startswith(f"{path}: ")
    assert len(str(refused.value).splitlines()) == 1


def test_a_file_of_another_format_is_refused(volumes: Path, write_pair: Callable[..., Any]) -> None:
    write_pair("x", end=".nii")
    nibabel.save(nibabel.MGHImage(ONES, np.eye(4)), volumes / "x.mgh")
    (volumes / "x.mgh").rename(volumes / "x.nii")
    with pytest.raises(UserError, match="not a"):
        read_volumes(only_case(volumes), TASK)


@pytest.mark.skipif(os.geteuid() == 0, reason="the administrator may read everything")
def test_a_file_that_may_not_be_read_is_named(volumes: Path, write_pair: Callable[..., Any]) -> None:
    write_pair("x")
    (volumes / "x.nii.gz").chmod(0)
    with pytest.raises(UserError, match="no permission to read it"):
        read_volumes(only_case(volumes), TASK)


# --- the cohort ------------------------------------------------------------------------------------------------------


def test_a_cohort_of_volumes(volumes: Path, tmp_path: Path, write_pair: Callable[..., Any]) -> None:
    written = {f"00{number}": write_pair(f"00{number}", seed=number) for number in (1, 2)}
    cohort = open_cohort(volumes, tmp_path / "packed", "nifti")
    assert cohort.table["case"].tolist() == ["001", "002"]
    assert cohort.table["patient"].tolist() == ["001", "002"]
    assert cohort.table["missing"].tolist() == cohort.table["site"].tolist() == ["", ""]
    assert cohort.task.unnamed
    assert cohort.spacing(1) == (3.0, 1.0, 1.0)
    for case, (_, inside) in enumerate(written.values()):
        images, masks = in_slices(list_cases(volumes)[case])
        np.testing.assert_array_equal(cohort.images(case), images)
        np.testing.assert_array_equal(cohort.labels(case), masks)
        assert cohort.table["lesion_voxels"][case] == inside.sum()
    assert open_cohort(volumes, tmp_path / "packed", "nifti").key == cohort.key


def test_an_edited_header_is_other_data(
    volumes: Path, tmp_path: Path, write_pair: Callable[..., Any], write_volume: Callable[..., Path]
) -> None:
    values, inside = write_pair("x")
    before = open_cohort(volumes, tmp_path / "packed", "nifti")
    for name, array in (("x.nii.gz", values), ("x_mask.nii.gz", inside)):
        write_volume(name, array, np.diag([1.0, 1, 4, 1]))
    after = open_cohort(volumes, tmp_path / "packed", "nifti")
    assert after.key != before.key
    assert (before.spacing(0), after.spacing(0)) == ((3.0, 1.0, 1.0), (4.0, 1.0, 1.0))


@pytest.mark.skipif(not FETAL.is_dir(), reason="the real volumes are not beside this checkout")
def test_real_fetal_stacks(tmp_path: Path) -> None:
    """Three stacks of one fetus: thick slices, each along another axis of the world, all turned against it."""
    cohort = open_cohort(FETAL, tmp_path / "packed", "nifti")
    table = cohort.table
    assert table["patient"].unique().tolist() == ["sub-01"]
    assert table[["slices", "height", "width"]].to_numpy().tolist() == [[22, 320, 320]] * 3
    for case, files in enumerate(list_cases(FETAL)):
        assert cohort.spacing(case) == pytest.approx((3.3, 1.125, 1.125), abs=1e-4)
        mask = nibabel.load(files.masks[0]).get_fdata() != 0
        assert table["lesion_voxels"][case] == mask.sum()
        np.testing.assert_array_equal(cohort.masks(case).sum(axis=(1, 2)) > 0, _along_slices(files, mask))


def _along_slices(files: CaseFiles, mask: np.ndarray) -> np.ndarray:
    """Which slices hold brain, in the order of our slices; the slice axis of these files is the last."""
    affine = nibabel.load(files.images[0]).affine
    step = affine[:3, 2]
    world = int(np.abs(step).argmax())
    toward = {0: -1, 1: 1, 2: 1}[world]  # sagittal slices run to the left, coronal to the front, axial to the head
    occupied = mask.any(axis=(0, 1))
    return occupied if np.sign(step[world]) == toward else occupied[::-1]
