from collections.abc import Callable
from pathlib import Path

import nibabel
import numpy as np
import pytest

from headtohead.errors import UserError
from headtohead.readers.images import list_cases as list_pictures
from headtohead.readers.nifti import TASK as NIFTI_TASK
from headtohead.readers.nifti_file import open_volume
from headtohead.readers.reader import AS_NAMED
from headtohead.readers.truth_beside import read_truth_volume, truth_beside
from headtohead.task import Target, Targets

LESION = NIFTI_TASK.targets
INSIDE = np.zeros((3, 4, 5), np.uint8)
INSIDE[1, 2:, 3:] = 1
AFFINE = np.diag([-1.0, 2.0, 3.0, 1.0])


@pytest.mark.parametrize(
    ("image", "mask"),
    [
        ("a.nii", "a_mask.nii.gz"),
        ("a.nii.gz", "a_mask.nii"),
        ("sub-01_run-1_T2w.nii.gz", "sub-01_run-1_T2w_desc-brain_mask.nii.gz"),
        ("sub-01_T2w.nii.gz", "sub-01_desc-brain_mask.nii.gz"),
        ("BraTS20_001_flair.nii", "BraTS20_001_seg.nii"),
        ("sub-01_FLAIR.nii.gz", "sub-01_dseg.nii.gz"),
        ("sub-01_acq-3D_FLAIR.nii.gz", "sub-01_label-lesion_mask.nii.gz"),
        ("BraTS-GLI-00000-000-t2f.nii.gz", "BraTS-GLI-00000-000-seg.nii.gz"),
        ("x_flair_bet.nii", "x_flair_seg.nii"),
        ("x_haste.nii", "x_lesion.nii"),
        ("sub-01.nii", "sub-01_T2w_mask.nii"),
        ("flair.nii", "seg.nii"),
        ("case_0000.nii", "case_label.nii"),
    ],
)
def test_a_mask_is_found_by_its_name(save: Callable, image: str, mask: str) -> None:
    path = save(image, INSIDE, AFFINE)
    assert truth_beside(path) is None
    assert read_truth_volume(open_volume(path), LESION) is None
    save("other_mask.nii", INSIDE, AFFINE)
    expected = save(mask, INSIDE, AFFINE)
    assert truth_beside(path) == expected
    found = read_truth_volume(open_volume(path), LESION)
    assert found is not None and found.dtype == np.uint8
    np.testing.assert_array_equal(found, INSIDE == 1)


def test_a_mask_that_fits_two_cases_is_refused(save: Callable) -> None:
    image = save("x_haste.nii", INSIDE, AFFINE)
    save("x_mask.nii", INSIDE, AFFINE)
    assert truth_beside(image)
    save("x_trufi.nii", INSIDE, AFFINE)
    with pytest.raises(UserError, match=r"x_mask\.nii: fits both x_haste and x_trufi; rename the mask"):
        truth_beside(image)
    mask = save("x_haste_seg.nii", INSIDE, AFFINE)
    assert truth_beside(image) == mask


def test_of_several_masks_the_usual_name_counts(save: Callable, tmp_path: Path) -> None:
    image = save("x.nii", INSIDE, AFFINE)
    for name in ("x_lesion.nii", "x_seg.nii", "x_desc-csf_mask.nii", "x_mask.nii.gz"):
        save(name, INSIDE, AFFINE)
    assert truth_beside(image) == tmp_path / "x_mask.nii.gz"
    (tmp_path / "x_mask.nii.gz").unlink()
    assert truth_beside(image) == tmp_path / "x_seg.nii"


def test_labels_are_all_inside(save: Callable) -> None:
    image = open_volume(save("a.nii", INSIDE, AFFINE))
    save("a_seg.nii", (INSIDE * np.array([1, 2, 4, 1, 4])).astype(np.float32), AFFINE)
    np.testing.assert_array_equal(read_truth_volume(image, LESION), INSIDE == 1)


def test_a_mask_with_other_axes_is_turned(save: Callable) -> None:
    image = open_volume(save("a.nii", INSIDE, AFFINE))
    turned = nibabel.Nifti1Image(INSIDE, AFFINE).as_reoriented([[2, -1], [0, 1], [1, -1]])
    assert turned.shape != INSIDE.shape
    save("a_mask.nii", np.asarray(turned.dataobj), turned.affine)
    np.testing.assert_array_equal(read_truth_volume(image, LESION), INSIDE == 1)


@pytest.mark.parametrize(
    ("mask", "affine", "message"),
    [
        (INSIDE[:2], AFFINE, "a_mask.nii: 2x4x5 voxels, but a.nii has 3x4x5"),
        (np.stack([INSIDE] * 2, -1), AFFINE, "a_mask.nii: 2 volumes"),
        (INSIDE, np.diag([-1.0, 2.0, 4.0, 1.0]), "a_mask.nii: is up to 4 mm off the grid of a.nii"),
    ],
)
def test_a_mask_on_another_grid_is_refused(save: Callable, mask: np.ndarray, affine: np.ndarray, message: str) -> None:
    image = open_volume(save("a.nii", INSIDE, AFFINE))
    save("a_mask.nii", mask, affine)
    with pytest.raises(UserError, match=message):
        read_truth_volume(image, LESION)


def test_a_header_rounded_otherwise_is_the_same_grid(save: Callable) -> None:
    image = open_volume(save("a.nii", INSIDE, AFFINE))
    nudged = AFFINE.copy()
    nudged[:3, 3] += 0.05
    save("a_mask.nii", INSIDE, nudged)
    assert read_truth_volume(image, LESION) is not None


def test_a_damaged_mask_is_named(save: Callable, tmp_path: Path) -> None:
    image = open_volume(save("a.nii", INSIDE, AFFINE))
    (tmp_path / "a_mask.nii.gz").write_bytes(b"\x1f\x8bxx")
    with pytest.raises(UserError, match=r"a_mask\.nii\.gz: not a readable"):
        read_truth_volume(image, LESION)


@pytest.mark.parametrize("targets", [
    Targets((Target("core", (1, 4)), Target("edema", (2,))), "classes"),
    Targets((Target("enhancing", (4,)),), others=(1, 2)),
])  # fmt: skip
def test_of_several_targets_the_values_are_their_labels(save: Callable, targets: Targets) -> None:
    image = open_volume(save("a.nii", INSIDE, AFFINE))
    labels = INSIDE * np.uint8(4)
    labels[0] = 2
    save("a_mask.nii", labels.astype(np.float32), AFFINE)
    np.testing.assert_array_equal(read_truth_volume(image, targets), labels)
    for stray, shown in ((7, "label 7 belongs to no target"), (2.5, r"it holds 0, 2, 2\.5, 4, but labels are whole")):
        save("a_mask.nii", np.where(np.arange(60).reshape(labels.shape) == 59, stray, labels), AFFINE)
        with pytest.raises(UserError, match=rf"a_mask\.nii: {shown}"):
            read_truth_volume(image, targets)


@pytest.mark.parametrize(
    ("image", "mask"),
    [
        ("images/P1_01.png", "masks/P1_01.png"),
        ("images/P1_01.png", "masks/P1_01_seg.tif"),
        ("Imgs/P1_01.jpg", "labels/P1_01.png"),
        ("P1_01.png", "masks/P1_01.png"),
        ("P1_01.png", "P1_01_lesion_mask.PNG"),
    ],
)
def test_the_mask_of_a_picture_is_that_of_training(tmp_path: Path, image: str, mask: str) -> None:
    for name in (image, str(Path(image).with_name("P1_010.png")), mask):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert truth_beside(tmp_path / image) == tmp_path / mask
    assert truth_beside((tmp_path / image).with_name("P1_010.png")) is None
    [case] = list_pictures(tmp_path, AS_NAMED)
    assert (case.images, case.masks) == ((tmp_path / image,), (tmp_path / mask,))


def test_a_mask_is_of_the_picture_of_its_longest_name(tmp_path: Path) -> None:
    for name in ("x.png", "x_brain.png", "x_brain_mask.png"):
        (tmp_path / name).touch()
    assert truth_beside(tmp_path / "x.png") is None
    assert truth_beside(tmp_path / "x_brain.png") == tmp_path / "x_brain_mask.png"


def test_truth_in_the_folder_of_labels_of_nnunet(save: Callable, tmp_path: Path) -> None:
    for folder in ("imagesTr", "imagesTs", "labelsTr"):
        (tmp_path / folder).mkdir()
    image, other = save("imagesTr/c_0001.nii", INSIDE, AFFINE), save("imagesTs/c_0001.nii", INSIDE, AFFINE)
    save("imagesTr/c_mask.nii", INSIDE, AFFINE)
    assert truth_beside(image) == tmp_path / "imagesTr" / "c_mask.nii"
    mask = save("labelsTr/c.nii.gz", INSIDE, AFFINE)
    assert truth_beside(image) == mask
    assert truth_beside(other) is None
