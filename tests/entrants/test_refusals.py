"""What cannot be scored is refused in one line before anything is written."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import nibabel
import numpy as np
import pandas as pd
import pytest

from headtohead import cli
from headtohead.entrants import score
from tests.entrants.conftest import AFFINE, SHAPE, eroded, save, truth_of, write_masks

Refused = Callable[..., str]


@pytest.fixture
def masks(data_set: Path, tmp_path: Path) -> Path:
    """Masks that a test spoils."""
    return Path(shutil.copytree(data_set / "equal", tmp_path / "masks"))


@pytest.fixture
def score_in(
    data_set: Path, tmp_path: Path, cache_dir: Path, no_report: None, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """Give `score_in(masks, *words)`: the exit status and what was printed."""

    def run(given: str, *words: str, truth: Path | None = None) -> tuple[int, str, str]:
        place = ["--runs_dir", str(tmp_path / "runs"), "--cache_dir", str(cache_dir), "--comparison", "c"]
        status = cli.main(["--score", "--truth", str(truth or data_set / "labelsTs"), "--masks", given, *place, *words])
        printed = capsys.readouterr()
        return status, printed.out, printed.err

    return run


@pytest.fixture
def refused(score_in: Callable[..., tuple[int, str, str]], tmp_path: Path) -> Refused:
    """Give `refused(masks, *words)`: the line of a refusal, which leaves nothing behind."""

    def line(given: str, *words: str, truth: Path | None = None) -> str:
        status, _, said = score_in(given, *words, truth=truth)
        assert status == 2 and said.count("\n") == 1, said
        runs = tmp_path / "runs"
        assert not runs.exists() or not [path for path in runs.rglob("*") if path.suffix != ".lock"]
        return said

    return line


FIRST, SECOND = "case_000.nii.gz", "case_001.nii.gz"


def test_a_missing_case(masks: Path, refused: Refused) -> None:
    (masks / SECOND).unlink()
    said = refused(f"a={masks}")
    assert "--masks a: no mask of case_001" in said and "1 of 9 test cases without" in said


def test_two_files_of_one_case(masks: Path, refused: Refused) -> None:
    shutil.copy(masks / FIRST, masks / "case_000_seg.nii.gz")
    said = refused(f"a={masks}")
    assert "case_000.nii.gz" in said and "case_000_seg.nii.gz: both are named after case_000; move one" in said


def test_another_shape(masks: Path, refused: Refused) -> None:
    save(truth_of(0)[:-1], masks / FIRST)
    assert "21x24x6 voxels, but case_000.nii.gz has 22x24x6; resample it" in refused(f"a={masks}")


def test_another_affine(masks: Path, refused: Refused) -> None:
    moved = AFFINE.copy()
    moved[0, 3] = 2
    save(truth_of(0), masks / FIRST, moved)
    assert "up to 2 mm off the grid" in refused(f"a={masks}")


def test_a_rounded_affine_and_turned_axes_are_fine(
    masks: Path, score_in: Callable[..., tuple[int, str, str]], tmp_path: Path
) -> None:
    rounded = AFFINE + np.eye(4) * [1e-4, 1e-4, 1e-4, 0]
    save(truth_of(0), masks / FIRST, rounded)
    turned = nibabel.Nifti1Image(truth_of(1), AFFINE).as_reoriented(np.array([[1, -1], [0, 1], [2, -1]]))
    nibabel.save(turned, masks / SECOND)
    assert score_in(f"a={masks}")[0] == 0
    dice = [line.split(",") for line in (tmp_path / "runs" / "c" / "a" / "cases.csv").read_text().splitlines()]
    assert [row[dice[0].index("dice")] for row in dice[1:3]] == ["1.0", "1.0"]


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


def test_other_masks_under_one_name(
    data_set: Path, masks: Path, score_in: Callable[..., tuple[int, str, str]], tmp_path: Path
) -> None:
    assert score_in(f"a={masks}")[0] == 0
    before = (tmp_path / "runs" / "c" / "a" / "cases.csv").read_bytes()
    status, _, said = score_in(f"a={data_set / 'eroded'}")
    assert status == 2 and "other masks of this name were scored before" in said and "--overwrite" in said
    assert (tmp_path / "runs" / "c" / "a" / "cases.csv").read_bytes() == before
    assert score_in(f"a={data_set / 'eroded'}", "--overwrite")[0] == 0
    assert (tmp_path / "runs" / "c" / "a" / "cases.csv").read_bytes() != before


def test_another_truth(
    data_set: Path, masks: Path, score_in: Callable[..., tuple[int, str, str]], tmp_path: Path
) -> None:
    assert score_in(f"a={masks}")[0] == 0
    other = write_masks(tmp_path / "other", eroded)
    status, _, said = score_in(f"b={masks}", truth=other)
    assert status == 2 and "was tested on another truth" in said
    status, _, said = score_in(f"b={masks}", "--overwrite", truth=other)  # the first one stays
    assert status == 2 and "was tested on another truth" in said
    assert score_in(f"a={masks}", "--overwrite", truth=other)[0] == 0
    assert json.loads((tmp_path / "runs" / "c" / "a" / "run.json").read_text())["data"]["root"] == str(other)


def test_an_empty_mask_scores_nothing_and_is_said(
    masks: Path, score_in: Callable[..., tuple[int, str, str]], tmp_path: Path
) -> None:
    save(np.zeros(SHAPE, np.uint8), masks / FIRST)
    status, printed, _ = score_in(f"a={masks}")
    assert status == 0 and "a: empty masks: 1 test case, such as case_000" in printed
    assert (tmp_path / "runs" / "c" / "a" / "cases.csv").read_text().splitlines()[1].split(",")[8] == "0"


def test_further_files_are_named(masks: Path, score_in: Callable[..., tuple[int, str, str]]) -> None:
    save(truth_of(0), masks / "phantom.nii.gz")
    status, printed, _ = score_in(f"a={masks}")
    assert status == 0 and "not read: 1 file named after no case, such as phantom.nii.gz" in printed


def test_an_entrant_is_added_with_less_said(
    data_set: Path, score_in: Callable[..., tuple[int, str, str]], tmp_path: Path
) -> None:
    """What the first command said of the truth, and the description beside its masks, holds for the second."""
    truth = Path(shutil.copytree(data_set / "labelsTs", tmp_path / "truth"))
    assert score_in(f"nnunet={data_set / 'nnunet'}", "--images", str(data_set / "imagesTs"), truth=truth)[0] == 0
    assert score_in(f"human={data_set / 'eroded'}", truth=truth)[0] == 0
    said = [json.loads(path.read_text())["data"] for path in (tmp_path / "runs" / "c").glob("*/run.json")]
    assert len(said) == 2 and said[0] == said[1] and said[0]["labels"] == "ball=1"


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


def test_masks_of_one_unnamed_value(masks: Path, tmp_path: Path, score_in: Callable[..., tuple[int, str, str]]) -> None:
    truth = write_masks(tmp_path / "truth")
    write_masks(masks, lambda mask: 7 * mask)
    assert score_in(f"a={masks}", truth=truth)[0] == 0
    assert (pd.read_csv(tmp_path / "runs" / "c" / "a" / "cases.csv")["dice"] == 1).all()
    save(3 * truth_of(4), masks / "case_004.nii.gz")
    status, _, said = score_in(f"b={masks}", truth=truth)
    assert status == 2 and "its mask is 3, but that of " in said and "is 7; say with --labels" in said


def test_white_pictures_of_a_named_label(tmp_path: Path, score_in: Callable[..., tuple[int, str, str]]) -> None:
    mask = np.zeros((20, 20), np.uint8)
    mask[5:9, 6:12] = 1
    for folder, value in (("truth", 1), ("white", 255), ("other", 2)):
        (tmp_path / folder).mkdir()
        cv2.imwrite(str(tmp_path / folder / "case.png"), value * mask)
    words = ("--labels", "tumour=1")
    assert score_in(f"a={tmp_path / 'white'}", *words, truth=tmp_path / "truth")[0] == 0
    status, _, said = score_in(f"b={tmp_path / 'other'}", *words, truth=tmp_path / "truth")
    assert status == 2 and "holds 2, which is no label of the truth (0, 1)" in said


def test_a_folder_that_appears_while_masks_are_scored_is_kept(
    masks: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    score_in: Callable[..., tuple[int, str, str]],
) -> None:
    other = tmp_path / "runs" / "c" / "a" / "run.json"
    write = score.write_entrant

    def meanwhile(*about: Any) -> None:
        write(*about)
        other.parent.mkdir(parents=True)
        other.write_text('{"experiment": {"model": "unet", "schedule": "poly"}}')

    monkeypatch.setattr(score, "write_entrant", meanwhile)
    status, _, said = score_in(f"a={masks}")
    assert status == 2 and "is no folder of masks" in said
    assert [path.name for path in other.parent.iterdir()] == ["run.json"]


def test_another_description_beside_the_masks(data_set: Path, masks: Path, refused: Refused) -> None:
    (masks / "dataset.json").write_text(json.dumps({"labels": {"background": 0, "ball": 2}}))
    said = refused(f"good={data_set / 'nnunet'},a={masks}")
    assert "--masks a: its dataset.json says ball=2, but the truth has ball=1; convert" in said


def test_images_whose_last_channel_is_shown(
    data_set: Path, tmp_path: Path, score_in: Callable[..., tuple[int, str, str]]
) -> None:
    root = tmp_path / "Dataset008_Channels"
    write_masks(root / "labelsTs")
    for channel in range(4):
        write_masks(root / "imagesTs", lambda mask, grey=channel: 50 * mask + grey, f"case_{{:03}}_{channel:04}.nii.gz")
    names = {str(number): name for number, name in enumerate(("T1", "T1ce", "T2", "FLAIR"))}
    (root / "dataset.json").write_text(json.dumps({"channel_names": names, "labels": {"background": 0, "ball": 1}}))
    words = ("--images", str(root / "imagesTs"))
    status, _, said = score_in(f"a={data_set / 'nnunet'}", *words, truth=root / "labelsTs")
    assert status == 0, said


def test_pixels_that_are_not_square_are_scored_as_they_are(
    tmp_path: Path, score_in: Callable[..., tuple[int, str, str]]
) -> None:
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


def test_names_that_differ_in_capitals_alone(masks: Path, refused: Refused) -> None:
    assert "A is given twice" in refused(f"a={masks},A={masks.parent}")
    assert "a name that comparisons use" in refused(f"Figures={masks}")


def test_a_corrected_truth_is_scored_again_with_overwrite(
    masks: Path,
    tmp_path: Path,
    cache_dir: Path,
    score_in: Callable[..., tuple[int, str, str]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    truth = write_masks(tmp_path / "truth")
    assert score_in(f"a={masks}", truth=truth)[0] == 0
    write_masks(truth, eroded)
    place = ["--runs_dir", str(tmp_path / "runs"), "--cache_dir", str(cache_dir), "--comparison", "c"]
    assert cli.main(["--report", *place]) == 2
    assert "score again with --score --overwrite" in capsys.readouterr().err
    assert cli.main(["--score", "--masks", f"a={masks}", *place]) == 2
    assert cli.main(["--score", "--masks", f"a={masks}", "--overwrite", *place]) == 0, capsys.readouterr().err
    assert (pd.read_csv(tmp_path / "runs" / "c" / "a" / "cases.csv")["dice"] < 1).all()


def test_an_empty_mask_of_a_case_without_a_lesion_is_not_said(
    masks: Path, tmp_path: Path, score_in: Callable[..., tuple[int, str, str]]
) -> None:
    truth = write_masks(tmp_path / "truth")
    for folder in (truth, masks):
        save(np.zeros(SHAPE, np.uint8), folder / FIRST)
    status, printed, _ = score_in(f"a={masks}", truth=truth)
    assert status == 0 and "empty masks" not in printed


def test_masks_as_jpeg(tmp_path: Path, refused: Refused) -> None:
    disc = 255 * (np.hypot(*np.mgrid[-20:20, -20:20]) < 11).astype(np.uint8)
    for folder, end in (("truth", "png"), ("masks", "jpg")):
        (tmp_path / folder).mkdir()
        cv2.imwrite(str(tmp_path / folder / f"case.{end}"), disc)
    said = refused(f"a={tmp_path / 'masks'}", truth=tmp_path / "truth")
    assert "since JPEG is lossy; save masks as PNG or TIFF" in said
