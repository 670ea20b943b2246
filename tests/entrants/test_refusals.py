"""What cannot be scored is refused in one line before anything is written."""

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from headtohead import cli
from tests.entrants.conftest import AFFINE, FIRST, SECOND, SHAPE, Refused, eroded, save, truth_of, write_masks


def test_a_missing_case(masks: Path, refused: Refused) -> None:
    (masks / SECOND).unlink()
    said = refused(f"a={masks}")
    assert "--masks a: no mask of case_001" in said and "1 of 9 test cases without" in said


def test_two_files_of_one_case(masks: Path, refused: Refused) -> None:
    shutil.copy(masks / FIRST, masks / "case_000_seg.nii.gz")
    said = refused(f"a={masks}")
    assert "case_000.nii.gz" in said and "case_000_seg.nii.gz: both are named after case_000; move one" in said
    (masks / "postprocessed").mkdir()  # as nnU-Net lays them out
    (masks / "case_000_seg.nii.gz").rename(masks / "postprocessed" / FIRST)
    assert f"name the folder of one alone, such as {masks / 'postprocessed'}, or move one" in refused(f"a={masks}")


def test_another_shape(masks: Path, refused: Refused) -> None:
    save(truth_of(0)[:-1], masks / FIRST)
    assert "21x24x6 voxels, but case_000.nii.gz has 22x24x6; resample it" in refused(f"a={masks}")


def test_an_image_that_does_not_fit_is_named_and_not_the_truth(
    data_set: Path, masks: Path, refused: Refused, tmp_path: Path
) -> None:
    images = Path(shutil.copytree(data_set / "imagesTs", tmp_path / "images"))
    spoilt = save(np.ones((*SHAPE[:2], 5), np.int16), images / "case_004_0000.nii.gz")
    said = refused(f"a={masks}", "--images", str(images))
    assert said.startswith(f"error: --images {spoilt}: ") and "has 22x24x5); restore or resample it, or leave" in said
    save(7 * truth_of(4) + 2 * eroded(truth_of(4)), masks / "case_004.nii.gz")  # as the truth: its own fault goes first
    assert "--images" not in refused(f"a={data_set / 'equal'}", "--images", str(images), truth=masks)


def test_another_affine(masks: Path, refused: Refused) -> None:
    moved = AFFINE.copy()
    moved[0, 3] = 2
    save(truth_of(0), masks / FIRST, moved)
    assert "up to 2 mm off the grid" in refused(f"a={masks}")


def test_a_probability_map(masks: Path, refused: Refused) -> None:
    save(truth_of(0).astype(np.float32) * 0.7, masks / FIRST)
    assert "case_000.nii.gz: a probability map, not a mask" in refused(f"a={masks}")


def test_values_of_no_label(masks: Path, refused: Refused) -> None:
    save(truth_of(0) + 2 * eroded(truth_of(0)), masks / FIRST)
    assert "holds 3, which is no label of the truth (0, 1)" in refused(f"a={masks}")


def test_a_damaged_file(masks: Path, refused: Refused) -> None:
    (masks / FIRST).write_bytes((masks / FIRST).read_bytes()[:100])
    assert "--masks a: " in refused(f"a={masks}")


def test_a_folder_without_masks(data_set: Path, tmp_path: Path, refused: Refused) -> None:
    (tmp_path / "none").mkdir()
    assert "holds no volumes; name another folder" in refused(f"a={tmp_path / 'none'}")
    assert "no such folder; did you mean equal?" in refused(f"a={data_set / 'equl'}")


def test_nothing_appears_where_the_second_entrant_fails(data_set: Path, masks: Path, refused: Refused) -> None:
    save(truth_of(0).astype(np.float32) * 0.7, masks / FIRST)
    refused(f"good={data_set / 'eroded'},bad={masks}")


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("unet", "unet is a model of this program"),
        ("Figures", "a name that comparisons use"),
        ("cases.csv", "a name that comparisons use"),
        ("report.HTML", "a name that comparisons use"),
        ("truth", "a name that comparisons use"),
        ("t1-threshold", "a name that comparisons use"),
        ("a b", "cannot be an entrant's name"),
        ("..", "cannot be an entrant's name"),
    ],
)
def test_names(name: str, fault: str, masks: Path, refused: Refused) -> None:
    assert fault in refused(f"{name}={masks}")


def test_a_name_twice_and_no_name(masks: Path, refused: Refused) -> None:
    assert "a is given twice" in refused(f"a={masks},a={masks.parent}")
    assert "must have the form NAME=DIR" in refused(str(masks))


def test_no_truth(masks: Path, refused: Refused, tmp_path: Path) -> None:
    assert "--truth" in refused(f"a={masks}", "--truth", str(tmp_path / "none"))
    empty = tmp_path / "empty"
    empty.mkdir()
    assert "no label maps" in refused(f"a={masks}", truth=empty)


def test_how_a_truth_is_read_needs_one(data_set: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--score", "--masks", f"a={data_set}", "--data", "nifti"]) == 2
    assert "--data: says how --truth is read, and none is given" in capsys.readouterr().err


@pytest.mark.parametrize("value", [2, -1, 1e20])
def test_another_label_than_the_named_one(value: float, masks: Path, tmp_path: Path, refused: Refused) -> None:
    for number in range(9):
        save(truth_of(number) * np.float32(value), masks / f"case_{number:03}.nii.gz")
    assert "case_000.nii.gz: " in refused(f"a={masks}")  # dataset.json says ball: 1
    assert "case_000.nii.gz: " in refused(f"a={masks}", "--labels", "tumour=1", truth=write_masks(tmp_path / "truth"))


@pytest.mark.parametrize("words", [(), ("--labels", "tumour=1"), ("--labels", "lesion=1")])
def test_a_truth_of_several_values(words: tuple[str, ...], masks: Path, tmp_path: Path, refused: Refused) -> None:
    truth = write_masks(tmp_path / "truth")
    save(2 * truth_of(2), truth / "case_002.nii.gz")
    assert "case_002.nii.gz: " in refused(f"a={masks}", *words, truth=truth)


def test_another_description_beside_the_masks(data_set: Path, masks: Path, refused: Refused) -> None:
    (masks / "dataset.json").write_text(json.dumps({"labels": {"background": 0, "ball": 2}}))
    said = refused(f"good={data_set / 'nnunet'},a={masks}")
    assert "--masks a: its dataset.json says ball=2, but the truth has ball=1; convert" in said


def test_names_that_differ_in_capitals_alone(masks: Path, refused: Refused) -> None:
    assert "A is given twice" in refused(f"a={masks},A={masks.parent}")
    assert "a name that comparisons use" in refused(f"Figures={masks}")


def test_masks_as_jpeg(tmp_path: Path, refused: Refused) -> None:
    disc = 255 * (np.hypot(*np.mgrid[-20:20, -20:20]) < 11).astype(np.uint8)
    for folder, end in (("truth", "png"), ("masks", "jpg")):
        (tmp_path / folder).mkdir()
        cv2.imwrite(str(tmp_path / folder / f"case.{end}"), disc)
    said = refused(f"a={tmp_path / 'masks'}", truth=tmp_path / "truth")
    assert "since JPEG is lossy; save masks as PNG or TIFF" in said
