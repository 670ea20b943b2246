import shutil
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from headtohead.errors import UserError
from headtohead.readers.lgg import list_cases, read_case, read_clinical

NAME = "TCGA_CS_4941_19960909"


def write_case(root: Path, name: str = NAME, slices: int = 12, side: int = 8) -> Path:
    """Write a case whose pixels say which slice and channel they are: slice k is (k, 100 + k, 200 + k)."""
    folder = root / name
    folder.mkdir(parents=True)
    for number in range(1, slices + 1):
        image = np.zeros((side, side, 3), np.uint8)
        image[:] = (200 + number, 100 + number, number)  # OpenCV writes blue first
        mask = np.zeros((side, side), np.uint8)
        mask[: number % 3] = 255
        cv2.imwrite(str(folder / f"{name}_{number}.tif"), image)
        cv2.imwrite(str(folder / f"{name}_{number}_mask.tif"), mask)
    return folder


def test_slices_are_in_numeric_order_and_channels_are_pre_flair_post(tmp_path: Path) -> None:
    write_case(tmp_path)
    (case,) = list_cases(tmp_path)
    found = read_case(case)
    images, masks = found.images, found.labels
    assert masks is not None and found.grid.affine is None
    assert images.shape == (12, 8, 8, 3)
    # Sorted as text, slice 10 would stand second; read as OpenCV does, blue (post-contrast) would stand first.
    np.testing.assert_array_equal(images[:, 0, 0], [(k, 100 + k, 200 + k) for k in range(1, 13)])
    assert set(np.unique(masks)) == {0, 1}
    np.testing.assert_array_equal(masks.sum(axis=(1, 2)), [8 * (k % 3) for k in range(1, 13)])


def test_a_case_knows_its_patient_and_site(tmp_path: Path) -> None:
    write_case(tmp_path)
    (case,) = list_cases(tmp_path)
    assert (case.name, case.patient, case.site) == (NAME, "TCGA_CS_4941", "CS")


def remove_mask(folder: Path) -> None:
    (folder / f"{NAME}_4_mask.tif").unlink()


def remove_image(folder: Path) -> None:
    (folder / f"{NAME}_4.tif").unlink()


def remove_slice(folder: Path) -> None:
    remove_mask(folder)
    remove_image(folder)


def resize_image(folder: Path) -> None:
    cv2.imwrite(str(folder / f"{NAME}_4.tif"), np.zeros((9, 8, 3), np.uint8))


def resize_mask(folder: Path) -> None:
    cv2.imwrite(str(folder / f"{NAME}_4_mask.tif"), np.zeros((8, 9), np.uint8))


def resize_all_masks(folder: Path) -> None:
    for path in folder.glob("*_mask.tif"):
        cv2.imwrite(str(path), np.zeros((4, 4), np.uint8))


def cut_image_short(folder: Path) -> None:
    path = folder / f"{NAME}_4.tif"
    path.write_bytes(path.read_bytes()[:60])


def grey_mask(folder: Path) -> None:
    cv2.imwrite(str(folder / f"{NAME}_4_mask.tif"), np.full((8, 8), 128, np.uint8))


def empty_folder(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.mkdir()


@pytest.mark.parametrize(
    ("damage", "named", "mend"),
    [
        (remove_mask, f"{NAME}_4.tif", "mask"),
        (remove_image, f"{NAME}_4_mask.tif", "restore the image"),
        (remove_slice, "slice 4 is missing", "restore"),
        (resize_image, f"{NAME}_4.tif: 8x9 pixels", "restore"),
        (resize_mask, f"{NAME}_4_mask.tif: 9x8 pixels", "restore"),
        (resize_all_masks, "4x4 pixels, but its image is 8x8", "restore"),
        (cut_image_short, f"{NAME}_4.tif", "cut short"),
        (grey_mask, f"{NAME}_4_mask.tif", "only 0 and 255, but this one also holds 128"),
        (empty_folder, NAME, "no slices"),
    ],
)
def test_damage_is_named_in_one_line(damage: Callable[[Path], None], named: str, mend: str, tmp_path: Path) -> None:
    damage(write_case(tmp_path))
    with pytest.raises(UserError) as refused:
        read_case(list_cases(tmp_path)[0])
    line = str(refused.value)
    assert named in line
    assert mend in line
    assert "\n" not in line


def test_wrong_folders_are_told_from_the_right_one(tmp_path: Path) -> None:
    root = tmp_path / "download" / "kaggle_3m"
    folder = write_case(root)
    with pytest.raises(UserError, match="no such folder"):
        list_cases(tmp_path / "nowhere")
    with pytest.raises(UserError, match=f"did you mean `root_dir` {root}"):
        list_cases(tmp_path)
    with pytest.raises(UserError, match=f"one case; did you mean `root_dir` {root}"):
        list_cases(folder)
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="no case folders"):
        list_cases(tmp_path / "empty")


def test_the_clinical_table_may_be_absent_but_not_broken(tmp_path: Path) -> None:
    assert read_clinical(tmp_path).empty
    (tmp_path / "data.csv").write_text("Patient,gender\nTCGA_CS_4941,2\n")
    assert read_clinical(tmp_path).to_dict("records") == [{"patient": "TCGA_CS_4941", "gender": 2}]
    (tmp_path / "data.csv").write_text("who,gender\nTCGA_CS_4941,2\n")
    with pytest.raises(UserError, match="no column Patient"):
        read_clinical(tmp_path)
    (tmp_path / "data.csv").write_text("")
    with pytest.raises(UserError, match="not a readable CSV"):
        read_clinical(tmp_path)


def test_a_clinical_table_that_would_misalign_the_cases_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text("Patient,gender\nTCGA_CS_4941,2\nTCGA_CS_4941,1\n")
    with pytest.raises(UserError, match="patient TCGA_CS_4941 has more than one row"):
        read_clinical(tmp_path)
    (tmp_path / "data.csv").write_text("Patient,site\nTCGA_CS_4941,2\n")
    with pytest.raises(UserError, match="the name of column site is reserved"):
        read_clinical(tmp_path)
