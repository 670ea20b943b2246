"""Masks that look odd and can be scored all the same."""

import json
from pathlib import Path

import cv2
import nibabel
import numpy as np
import pandas as pd
import pytest

from tests.entrants.conftest import AFFINE, FIRST, SECOND, SHAPE, Scored, save, truth_of, write_masks


def test_a_rounded_affine_and_turned_axes_are_fine(masks: Path, score_in: Scored, tmp_path: Path) -> None:
    rounded = AFFINE + np.eye(4) * [1e-4, 1e-4, 1e-4, 0]
    save(truth_of(0), masks / FIRST, rounded)
    turned = nibabel.Nifti1Image(truth_of(1), AFFINE).as_reoriented(np.array([[1, -1], [0, 1], [2, -1]]))
    nibabel.save(turned, masks / SECOND)
    assert score_in(f"a={masks}")[0] == 0
    dice = [line.split(",") for line in (tmp_path / "runs" / "c" / "a" / "cases.csv").read_text().splitlines()]
    assert [row[dice[0].index("dice")] for row in dice[1:3]] == ["1.0", "1.0"]


def test_an_empty_mask_scores_nothing_and_is_said(masks: Path, score_in: Scored, tmp_path: Path) -> None:
    save(np.zeros(SHAPE, np.uint8), masks / FIRST)
    status, printed, _ = score_in(f"a={masks}")
    assert status == 0 and "a: empty masks: 1 test case, such as case_000" in printed
    assert (tmp_path / "runs" / "c" / "a" / "cases.csv").read_text().splitlines()[1].split(",")[8] == "0"


def test_further_files_are_named(masks: Path, score_in: Scored) -> None:
    save(truth_of(0), masks / "phantom.nii.gz")
    status, printed, _ = score_in(f"a={masks}")
    assert status == 0 and "not read: 1 file named after no case, such as phantom.nii.gz" in printed


def test_masks_of_one_unnamed_value(masks: Path, tmp_path: Path, score_in: Scored) -> None:
    truth = write_masks(tmp_path / "truth")
    write_masks(masks, lambda mask: 7 * mask)
    assert score_in(f"a={masks}", truth=truth)[0] == 0
    assert (pd.read_csv(tmp_path / "runs" / "c" / "a" / "cases.csv")["dice"] == 1).all()
    save(3 * truth_of(4), masks / "case_004.nii.gz")
    status, _, said = score_in(f"b={masks}", truth=truth)
    assert status == 2 and "its mask is 3, but that of " in said and "is 7; say with --labels" in said


def test_white_pictures_of_a_named_label(tmp_path: Path, score_in: Scored) -> None:
    mask = np.zeros((20, 20), np.uint8)
    mask[5:9, 6:12] = 1
    for folder, value in (("truth", 1), ("white", 255), ("other", 2)):
        (tmp_path / folder).mkdir()
        cv2.imwrite(str(tmp_path / folder / "case.png"), value * mask)
    words = ("--labels", "tumour=1")
    assert score_in(f"a={tmp_path / 'white'}", *words, truth=tmp_path / "truth")[0] == 0
    status, _, said = score_in(f"b={tmp_path / 'other'}", *words, truth=tmp_path / "truth")
    assert status == 2 and "holds 2, which is no label of the truth (0, 1)" in said


def test_images_whose_last_channel_is_shown(data_set: Path, tmp_path: Path, score_in: Scored) -> None:
    root = tmp_path / "Dataset008_Channels"
    write_masks(root / "labelsTs")
    for channel in range(4):
        write_masks(root / "imagesTs", lambda mask, grey=channel: 50 * mask + grey, f"case_{{:03}}_{channel:04}.nii.gz")
    names = {str(number): name for number, name in enumerate(("T1", "T1ce", "T2", "FLAIR"))}
    (root / "dataset.json").write_text(json.dumps({"channel_names": names, "labels": {"background": 0, "ball": 1}}))
    words = ("--images", str(root / "imagesTs"))
    status, _, said = score_in(f"a={data_set / 'nnunet'}", *words, truth=root / "labelsTs")
    assert status == 0, said


def test_pixels_that_are_not_square_are_scored_as_they_are(tmp_path: Path, score_in: Scored) -> None:
    affine = np.diag([1.0, 1.6, 3.0, 1.0])
    due = []
    for number in range(3):
        truth, mask = truth_of(number), np.roll(truth_of(number), 1, axis=1)
        save(truth, tmp_path / "truth" / f"case_{number}.nii.gz", affine)
        save(mask, tmp_path / "moved" / f"case_{number}.nii.gz", affine)
        due.append(2 * (truth & mask).sum() / (truth.sum() + mask.sum()))
    assert score_in(f"a={tmp_path / 'moved'}", truth=tmp_path / "truth")[0] == 0
    table = pd.read_csv(tmp_path / "runs" / "c" / "a" / "cases.csv")
    assert table["dice"].tolist() == pytest.approx(due, abs=1e-12)
    volumes = [float(truth_of(number).sum()) * 4.8 / 1000 for number in range(3)]
    assert table["lesion_ml"].tolist() == pytest.approx(volumes, rel=1e-4)


def test_an_empty_mask_of_a_case_without_a_lesion_is_not_said(masks: Path, tmp_path: Path, score_in: Scored) -> None:
    truth = write_masks(tmp_path / "truth")
    for folder in (truth, masks):
        save(np.zeros(SHAPE, np.uint8), folder / FIRST)
    status, printed, _ = score_in(f"a={masks}", truth=truth)
    assert status == 0 and "empty masks" not in printed
