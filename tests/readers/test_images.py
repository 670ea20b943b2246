"""Pictures with masks."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from headtohead.cohort import open_cohort
from headtohead.errors import UserError
from headtohead.readers.images import list_cases
from headtohead.readers.reader import AS_NAMED, Reading, files_of

GREY = np.random.default_rng(0).integers(0, 250, (20, 30)).astype(np.uint8)
INSIDE = np.zeros((20, 30), np.uint8)
INSIDE[5:9, 6:20] = 255


def write(root: Path, files: dict[str, np.ndarray]) -> Path:
    for name, pixels in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        assert cv2.imwrite(str(root / name), pixels)
    return root


def listed(root: Path, reading: Reading = AS_NAMED) -> list[tuple[str, list[str], list[str]]]:
    return [
        (case.name, [path.name for path in case.images], [path.name for path in case.masks])
        for case in list_cases(root, reading)
    ]


@pytest.mark.parametrize("end", [".png", ".tif", ".TIFF"])
@pytest.mark.parametrize(
    ("image", "mask"),
    [("x", "x_mask"), ("x", "x_seg"), ("images/x", "masks/x"), ("x", "labels/x"), ("a/img/x", "a/gt/x_gt")],
)
def test_a_picture_is_found_with_its_mask(tmp_path: Path, image: str, mask: str, end: str) -> None:
    write(tmp_path / "d", {f"{image}{end}": GREY, f"{mask}{end}": INSIDE})
    cohort = open_cohort(tmp_path / "d", tmp_path / "packed", "images")
    assert cohort.table["case"].tolist() == ["a_x" if "a/" in image else "x"]
    np.testing.assert_array_equal(cohort.images(0)[0, ..., 0], GREY)
    np.testing.assert_array_equal(cohort.labels(0)[0], INSIDE // 255)
    assert cohort.spacing(0) is None and cohort.task.unnamed


def test_a_jpeg_is_read_with_a_mask_of_png(tmp_path: Path) -> None:
    write(tmp_path / "d", {"x.jpg": GREY, "x_mask.png": INSIDE})
    assert open_cohort(tmp_path / "d", tmp_path / "packed", "images").labels(0).sum() == 4 * 14


def test_slices_of_a_patient_are_one_case_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    root = tmp_path / "d"
    for patient in ("P1", "P2"):
        for number in (10, 9, 1):
            pixels = np.full((8, 8), number, np.uint8)
            write(root, {f"{patient}_{number}.png": pixels, f"{patient}_{number}_mask.png": pixels // 10 * 255})
    cohort = open_cohort(root, tmp_path / "packed", "images", Reading("^(P[0-9]+)_"))
    assert cohort.table[["case", "patient", "slices"]].to_numpy().tolist() == [["P1", "P1", 3], ["P2", "P2", 3]]
    assert cohort.images(1)[:, 0, 0, 0].tolist() == [1, 9, 10]
    assert cohort.labels(1)[:, 0, 0].tolist() == [0, 0, 1]
    assert open_cohort(root, tmp_path / "packed", "images").table["slices"].tolist() == [1] * 6


def test_the_pattern_of_the_handbook_fits_both_layouts(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "data/README.md").read_text()
    pattern = page.split("### Pictures")[1].split("`--patient_pattern '")[1].split("'")[0]
    write(tmp_path / "a", dict.fromkeys(("P1_01.png", "P1_01_mask.png", "P1_02.png", "P1_02_mask.png"), INSIDE))
    write(tmp_path / "b", {f"{folder}/P1_0{n}.png": INSIDE for folder in ("images", "masks") for n in (1, 2)})
    for root in (tmp_path / "a", tmp_path / "b"):
        assert [(name, images) for name, images, _ in listed(root, Reading(pattern))] == [
            ("P1", ["P1_01.png", "P1_02.png"])
        ]


def test_they_are_called_pictures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = ("P1_1", "P1_2", "P2_1")
    root = write(tmp_path / "d", {f"{name}{end}.png": INSIDE for name in names for end in ("", "_mask")})
    cohort = open_cohort(root, tmp_path / "packed", "images", Reading("^(P[0-9]+)_"))
    assert f"{root}: 3 pictures of 2 patients\n" in capsys.readouterr().out
    assert files_of(cohort.data) == "pictures" and files_of("nifti") == files_of("unheard of") == "volumes"


def test_sixteen_bits_are_scaled_and_grey_in_three_channels_is_grey(tmp_path: Path) -> None:
    write(tmp_path / "a", {"x.png": GREY.astype(np.uint16) * 16, "x_mask.png": INSIDE})
    assert open_cohort(tmp_path / "a", tmp_path / "packed", "images").images(0).max() == 255
    write(tmp_path / "b", {"x.png": np.repeat(GREY[..., None], 3, axis=-1), "x_mask.png": INSIDE})
    cohort = open_cohort(tmp_path / "b", tmp_path / "packed", "images")
    np.testing.assert_array_equal(cohort.images(0)[0, ..., 0], GREY)


def test_slices_of_a_patient_have_one_depth(tmp_path: Path) -> None:
    root = write(tmp_path / "d", {"P_1.png": GREY, "P_2.png": GREY.astype(np.uint16) * 200})
    write(root, {"P_1_mask.png": INSIDE, "P_2_mask.png": INSIDE})
    words = rf"{root}/P_2\.png: 16 bits, but P_1\.png has 8; the pictures of a case have one depth: save both alike"
    with pytest.raises(UserError, match=words):
        open_cohort(root, tmp_path / "packed", "images", Reading("^(P)"))
    assert open_cohort(root, tmp_path / "packed", "images").table["slices"].tolist() == [1, 1]


def test_labels_by_name(tmp_path: Path) -> None:
    labels = INSIDE // 255
    labels[6, 7:9] = 3
    write(tmp_path / "d", {"x.png": GREY, "x_mask.png": labels})
    cohort = open_cohort(tmp_path / "d", tmp_path / "packed", "images", Reading(labels="whole=1,3;core=3"))
    assert cohort.truth(0).sum(axis=(1, 2, 3)).tolist() == [56, 2]
    with pytest.raises(UserError, match=r"x_mask.png: label 3 belongs to no target; the labels of this task are 1, 9"):
        open_cohort(tmp_path / "d", tmp_path / "packed", "images", Reading(labels="whole=1;other=9"))


def test_pictures_without_a_mask_are_left_out_and_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = write(tmp_path / "d", {"P_1.png": GREY, "P_2.png": GREY, "P_3.png": GREY, "P_1_mask.png": INSIDE})
    assert listed(root, Reading("^(P)")) == [("P", ["P_1.png"], ["P_1_mask.png"])]
    said = f"{root}: pictures left out because they have no mask: 2 of 3, such as {root / 'P_2.png'}\n"
    assert capsys.readouterr().out == said


COLOUR = np.dstack([GREY, GREY, 249 - GREY])


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"x.png": GREY}, "no picture in it has a mask"),
        ({"x_mask.png": GREY}, "a mask without its picture x; restore"),
        ({"x.png": GREY, "x.tif": GREY, "x_mask.png": INSIDE}, "two pictures of one name, x.png and x.tif"),
        ({"x.png": GREY, "x_seg.png": INSIDE, "x_mask.png": INSIDE}, "has two masks, x_mask.png and x_seg.png"),
        ({"images/x.png": GREY, "masks/x.png": INSIDE, "x.png": GREY, "x_mask.png": INSIDE}, "two cases of one name"),
        ({"x.png": COLOUR, "x_mask.png": INSIDE}, "x.png: in colour, but a slice is grey; convert it"),
        ({"x.png": GREY, "x_mask.png": INSIDE[:-1]}, r"x_mask.png: 30x19 pixels, but x.png is 30x20 pixels"),
        (
            {"x.png": GREY, "x_mask.png": GREY},
            "0 and one other value, but this one holds 0, 1, 2, 3, ...; make it binary",
        ),
        (
            {"x.tif": GREY.astype(np.float32), "x_mask.png": INSIDE},
            "x.tif: holds float32 values; save it in 8 or 16 bits",
        ),
    ],
)
def test_what_cannot_be_learnt_from_is_refused(tmp_path: Path, files: dict[str, Any], words: str) -> None:
    write(tmp_path / "d", files)
    (tmp_path / "d").mkdir(exist_ok=True)
    with pytest.raises(UserError, match=words) as refused:
        open_cohort(tmp_path / "d", tmp_path / "packed", "images")
    assert len(str(refused.value).splitlines()) == 1


def test_a_damaged_picture_is_named(tmp_path: Path) -> None:
    root = write(tmp_path / "d", {"x.png": GREY, "x_mask.png": INSIDE})
    (root / "x.png").write_bytes((root / "x.png").read_bytes()[:40])
    with pytest.raises(UserError, match=r"x\.png: not a readable image"):
        open_cohort(root, tmp_path / "packed", "images")


def test_a_pattern_that_does_not_fit_is_named(tmp_path: Path) -> None:
    write(tmp_path / "d", {"x.png": GREY, "x_mask.png": INSIDE})
    with pytest.raises(UserError, match=r"`patient_pattern` \(P\): does not match x \(below"):
        listed(tmp_path / "d", Reading("(P)"))
