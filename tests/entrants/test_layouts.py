"""Truths and masks in the layouts of several programs."""

import json
from collections.abc import Callable
from pathlib import Path

import cv2
import nibabel
import numpy as np
import pandas as pd
import pytest

from headtohead import cli
from headtohead.cohort import Cohort
from tests.entrants.conftest import AFFINE, SHAPE, save, shifted, truth_of
from tests.readers.brats_cases import AFFINE as BRATS_AFFINE
from tests.readers.brats_cases import NEW, values_of


def score(truth: Path, masks: Path, tmp_path: Path, *words: str) -> pd.DataFrame:
    """Score one entrant `a`; give its cases.csv."""
    place = ["--runs_dir", str(tmp_path / "runs"), "--cache_dir", str(tmp_path / "packed")]
    assert cli.main(["--score", "--truth", str(truth), "--masks", f"a={masks}", *place, *words]) == 0
    return pd.read_csv(tmp_path / "runs" / "scored" / "a" / "cases.csv", dtype={"case": str})


@pytest.fixture
def brats(tmp_path: Path) -> Path:
    """Three cases of BraTS, and `predictions` beside them whose second case lacks the enhancing tumour."""
    for number in range(3):
        name = f"BraTS-GLI-0000{number}-000"
        for sequence, values in values_of(name).items():
            stored = np.where(values == 4, 3, values).astype(np.uint8) if sequence == "seg" else values
            save(stored, tmp_path / "brats" / name / f"{name}{NEW[sequence]}.nii.gz", BRATS_AFFINE)
            if sequence == "seg":
                stored = np.where(stored == 3, 1, stored).astype(np.uint8) if number == 1 else stored
                save(stored, tmp_path / "predictions" / f"{name}.nii.gz", BRATS_AFFINE)
    return tmp_path / "brats"


def test_several_targets(brats: Path, tmp_path: Path, no_report: None) -> None:
    found = score(brats, tmp_path / "predictions", tmp_path)
    dice = {str(target): rows["dice"].tolist() for target, rows in found.groupby("target")}
    assert dice == {"whole tumour": [1, 1, 1], "tumour core": [1, 1, 1], "enhancing tumour": [1, 0, 1]}


def test_labels_by_option_for_label_maps_alone(brats: Path, tmp_path: Path, no_report: None) -> None:
    for path in brats.rglob("*-seg.nii.gz"):
        save(np.asarray(nibabel.load(path).dataobj), tmp_path / "truth" / path.name, BRATS_AFFINE)
    found = score(tmp_path / "truth", tmp_path / "predictions", tmp_path, "--labels", "whole=1,2,3;enhancing=3")
    assert found.loc[found["target"] == "enhancing", "dice"].tolist() == [1, 0, 1]
    assert set(found["case"]) == {f"BraTS-GLI-0000{number}-000" for number in range(3)}


@pytest.mark.exhaustive
def test_labels_by_the_description_beside_the_masks(brats: Path, tmp_path: Path, no_report: None) -> None:
    for path in brats.rglob("*-seg.nii.gz"):
        save(np.asarray(nibabel.load(path).dataobj), tmp_path / "truth" / path.name, BRATS_AFFINE)
    labels = '{"background": 0, "whole": [1, 2, 3], "enhancing": [3]}'
    described = f'{{"channel_names": {{"0": "x"}}, "labels": {labels}, "file_ending": ".nii.gz"}}'
    (tmp_path / "predictions" / "dataset.json").write_text(described)
    found = score(tmp_path / "truth", tmp_path / "predictions", tmp_path)
    assert set(found["target"]) == {"whole", "enhancing"}


def test_a_data_set_of_nnunet_by_its_folder_of_labels(data_set: Path, tmp_path: Path, no_report: None) -> None:
    whole = tmp_path / "Dataset007_Balls"
    whole.mkdir()
    for name, other in (("imagesTr", "imagesTs"), ("labelsTr", "labelsTs"), ("dataset.json", "dataset.json")):
        (whole / name).symlink_to(data_set / other)
    found = score(whole / "labelsTr", data_set / "nnunet", tmp_path)
    assert len(found) == 9 and (found["dice"] < 1).all()
    record = json.loads((tmp_path / "runs" / "scored" / "a" / "run.json").read_text())
    assert record["data"]["kind"] == "nnunet"  # whose images are known


def test_slices_of_lgg(phantom_root: Path, phantom_cohort: Cohort, tmp_path: Path, no_report: None) -> None:
    for path in phantom_root.glob("TCGA*/*_mask.tif"):
        number = path.stem.split("_")[-2]
        pixels = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        (tmp_path / "masks" / path.parent.name).mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(tmp_path / "masks" / path.parent.name / f"{number}.png"), np.roll(pixels, 1, axis=0) // 255)
    found = score(phantom_root, tmp_path / "masks", tmp_path).set_index("case")
    for place, case in enumerate(phantom_cohort.table["case"]):
        truth = phantom_cohort.masks(place).astype(bool)
        both = np.roll(truth, 1, axis=1) & truth
        assert found.loc[case, "tp"] == both.sum() and found.loc[case, "tp"] + found.loc[case, "fn"] == truth.sum()


@pytest.mark.exhaustive
def test_label_maps_of_lgg_alone_are_its_cases(phantom_root: Path, tmp_path: Path, no_report: None) -> None:
    for path in phantom_root.glob("TCGA*/*_mask.tif"):
        (tmp_path / "truth" / path.parent.name).mkdir(parents=True, exist_ok=True)
        (tmp_path / "truth" / path.parent.name / path.name).write_bytes(path.read_bytes())
    found = score(tmp_path / "truth", tmp_path / "truth", tmp_path)
    assert set(found["case"]) == {path.name for path in phantom_root.glob("TCGA*")}
    assert (found["dice"].dropna() == 1).all()


def test_pixels_that_are_not_square(tmp_path: Path, no_report: None) -> None:
    """Truth and masks are resampled alike, so that an equal mask scores 1."""
    affine = np.diag([1.0, 1.6, 3.0, 1.0])
    for number in range(2):
        save(truth_of(number), tmp_path / "truth" / f"{number}_seg.nii.gz", affine)
        save(truth_of(number), tmp_path / "masks" / f"{number}.nii.gz", affine)
    assert score(tmp_path / "truth", tmp_path / "masks", tmp_path)["dice"].tolist() == [1, 1]


@pytest.mark.parametrize("name", ["{}_mask.nii", "{}_pred.nii.gz", "{}/mask.nii.gz", "deep/{}_0000.nii.gz"])
def test_names_of_masks(name: str, tmp_path: Path, no_report: None) -> None:
    for case in ("P1", "P12"):
        save(truth_of(1), tmp_path / "truth" / f"{case}_seg.nii.gz")
        save(truth_of(1) if case == "P1" else shifted(truth_of(1)), tmp_path / "masks" / name.format(case))
    dice = score(tmp_path / "truth", tmp_path / "masks", tmp_path).set_index("case")["dice"]
    assert dice["P1"] == 1 > dice["P12"]


def test_a_mask_named_after_its_image(tmp_path: Path, no_report: None) -> None:
    for case in ("a", "b"):
        save(np.full(SHAPE, 7, np.int16), tmp_path / "data" / f"{case}_flair.nii.gz", AFFINE)
        save(truth_of(2), tmp_path / "data" / f"{case}_seg.nii.gz")
        save(truth_of(2), tmp_path / "masks" / f"{case}_flair_mask.nii")
    assert score(tmp_path / "data", tmp_path / "masks", tmp_path)["dice"].tolist() == [1, 1]


@pytest.mark.parametrize(
    ("drawn", "fault"),
    [
        (lambda truth: cv2.blur(truth, (9, 9)), "grey levels: a probability map or an image, not a mask"),
        (
            lambda truth: np.dstack([np.full_like(truth, 255)] * 3 + [truth]),
            "drawn by transparency alone; save the mask",
        ),
    ],
)
def test_pictures_that_are_no_masks(
    drawn: Callable[[np.ndarray], np.ndarray], fault: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    truth = np.zeros((30, 30), np.uint8)
    truth[5:20, 5:20] = 255
    for folder, pixels in (("truth", truth), ("masks", drawn(truth))):
        (tmp_path / folder).mkdir()
        cv2.imwrite(str(tmp_path / folder / "a.png"), pixels)
    words = ["--truth", str(tmp_path / "truth"), "--masks", f"x={tmp_path / 'masks'}", "--runs_dir", str(tmp_path)]
    assert cli.main(["--score", *words, "--cache_dir", str(tmp_path / "packed")]) == 2
    assert fault in capsys.readouterr().err


def test_a_folder_of_lgg_with_images_as_masks(phantom_root: Path, tmp_path: Path, no_report: None) -> None:
    found = score(phantom_root, phantom_root, tmp_path)
    assert set(found["case"]) == {path.name for path in phantom_root.glob("TCGA*")}
    assert (found["dice"].dropna() == 1).all() and found["dice"].notna().any()
