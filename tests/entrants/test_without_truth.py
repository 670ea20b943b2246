"""Masks over images without a truth: agreement and a sheet, and nothing that a report could take for scores."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from headtohead import cli
from headtohead.entrants.agreeing import compare_pairs_of_masks
from headtohead.entrants.overlays import around, slice_that_differs
from headtohead.statistics.targets import MEAN
from tests.entrants.conftest import CASES, SHAPE, eroded, save, shifted, truth_of, write_masks

FILES = {"agreement.csv", "agreement_cases.csv", "agreement.md", "overlays.png", "agreement.json"}
FIRST = "case_000.nii.gz"
Compare = Callable[..., tuple[int, str, str]]


def dice_of(one: np.ndarray, other: np.ndarray) -> float:
    return 2 * float((one & other).sum()) / float(one.sum() + other.sum())


@pytest.fixture
def masks(data_set: Path, tmp_path: Path) -> Path:
    """Masks that a test changes."""
    return Path(shutil.copytree(data_set / "equal", tmp_path / "masks"))


@pytest.fixture
def compare(data_set: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Compare:
    """Give `compare(masks, *words)`: the exit status and what was printed; a refusal leaves nothing behind."""

    def run(given: str, *words: str, images: Path | None = None) -> tuple[int, str, str]:
        place = ["--images", str(images or data_set / "imagesTs"), "--runs_dir", str(tmp_path / "runs")]
        status = cli.main(["--score", "--masks", given, "--comparison", "x", *place, *words])
        printed = capsys.readouterr()
        return status, printed.out, printed.err

    return run


def written(tmp_path: Path) -> set[str]:
    folder = tmp_path / "runs" / "x"
    return {path.name for path in folder.iterdir()} if folder.is_dir() else set()


def test_agreement_is_that_of_the_arrays(data_set: Path, masks: Path, compare: Compare, tmp_path: Path) -> None:
    save(np.zeros(SHAPE, np.uint8), masks / FIRST)
    status, printed, _ = compare(f"a={masks},b={data_set / 'eroded'},c={data_set / 'nnunet'}")
    assert status == 0 and written(tmp_path) == FILES
    folder = tmp_path / "runs" / "x"
    cases = pd.read_csv(folder / "agreement_cases.csv").set_index(["a", "b", "case"]).sort_index()
    own = {"a": lambda mask: mask, "b": eroded, "c": shifted}
    for a, b in (("a", "b"), ("a", "c"), ("b", "c")):
        pairs = [(own[a](truth_of(n)), own[b](truth_of(n))) for n in range(CASES)]
        if a == "a":
            pairs[0] = np.zeros_like(pairs[0][0]), pairs[0][1]
        due = [dice_of(*pair) for pair in pairs]
        found = cases.loc[(a, b)]
        assert found["dice"].tolist() == pytest.approx(due)
        assert found["voxels_a"].tolist() == [one.sum() for one, _ in pairs]
        assert found["ml_b"].tolist() == pytest.approx([other.sum() * 3 / 1000 for _, other in pairs])  # 1 x 1 x 3 mm
        row = pd.read_csv(folder / "agreement.csv").set_index(["a", "b"]).loc[(a, b)]
        assert row["mean"] == pytest.approx(np.mean(due)) and row["median"] == pytest.approx(np.median(due))
        assert row["low"] < row["mean"] < row["high"] and row["n"] == row["cases"] == CASES
        assert (row["one_empty"], row["both_empty"]) == ((1, 0) if a == "a" else (0, 0))
    for said in (
        printed,
        (folder / "agreement.md").read_text(),
        json.loads((folder / "agreement.json").read_text())["about"],
    ):
        assert "No truth is known here" in said and "no scores, no ranking and no verdict" in said


def test_no_report_takes_it_for_scores(data_set: Path, compare: Compare, tmp_path: Path, no_report: None) -> None:
    given = f"a={data_set / 'equal'},b={data_set / 'eroded'}"
    assert compare(given)[0] == 0
    place = ["--comparison", "x", "--runs_dir", str(tmp_path / "runs"), "--cache_dir", str(tmp_path / "packed")]
    assert cli.main(["--report", *place]) == 2
    assert cli.main(["--score", "--truth", str(data_set / "labelsTs"), "--masks", given, *place]) == 2
    assert written(tmp_path) == FILES


def test_the_same_again_and_other_masks(data_set: Path, compare: Compare, tmp_path: Path) -> None:
    given = f"a={data_set / 'equal'},b={data_set / 'eroded'}"
    assert compare(given)[0] == 0
    folder = tmp_path / "runs" / "x"
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert compare(given)[0] == 0
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    other = f"a={data_set / 'equal'},b={data_set / 'nnunet'}"
    status, _, said = compare(other)
    assert status == 2 and "holds the agreement of other masks" in said
    assert (folder / "agreement.csv").read_bytes() == before["agreement.csv"]
    assert compare(other, "--overwrite")[0] == 0
    assert (folder / "agreement.csv").read_bytes() != before["agreement.csv"]


def test_refusals(data_set: Path, masks: Path, compare: Compare, tmp_path: Path) -> None:
    b = f"b={data_set / 'equal'}"

    def refused(given: str, *words: str, images: Path | None = None) -> str:
        status, _, said = compare(given, *words, images=images)
        assert status == 2 and said.count("\n") == 1 and not written(tmp_path), said
        return said

    assert "two entrants or more are compared" in refused(b)
    assert "--images" in refused(f"a={masks},{b}", images=tmp_path / "none")
    (tmp_path / "empty").mkdir()
    assert "no images (" in refused(f"a={masks},{b}", images=tmp_path / "empty")
    assert "--margin: has no effect on the agreement" in refused(f"a={masks},{b}", "--margin", "0.1")
    (masks / FIRST).unlink()
    assert f"no mask of case_000 in {masks}, but b has one" in refused(f"a={masks},{b}")
    assert "no mask of case_000" in refused(f"{b},a={masks}")
    save(truth_of(0)[:-1], masks / FIRST)
    assert "--masks a: " in (said := refused(f"a={masks},{b}")) and "21x24x6 voxels" in said
    save(truth_of(0) * 3 + eroded(truth_of(0)), masks / FIRST)
    assert "holds 3, 4, which is no label here (0, 1)" in refused(f"a={masks},{b}")
    (tmp_path / "others").mkdir()
    shutil.copy(data_set / "equal" / FIRST, tmp_path / "others" / "phantom.nii.gz")
    others = tmp_path / "others"
    assert "is named after an image" in refused(f"a={others},c={others}")


def test_a_comparison_with_runs_keeps_its_truth(
    data_set: Path, masks: Path, compare: Compare, tmp_path: Path, cache_dir: Path, no_report: None
) -> None:
    place = ["--comparison", "x", "--runs_dir", str(tmp_path / "runs"), "--cache_dir", str(cache_dir)]
    assert cli.main(["--score", "--truth", str(data_set / "labelsTs"), "--masks", f"a={masks}", *place]) == 0
    status, _, said = compare(f"c={masks},b={data_set / 'eroded'}")
    assert status == 2 and "holds finished runs, whose data have a truth" in said and written(tmp_path) == {"a"}


def test_images_that_nobody_outlined_are_left_out(
    data_set: Path, masks: Path, compare: Compare, tmp_path: Path
) -> None:
    (masks / FIRST).unlink()
    (masks / "case_001.nii.gz").unlink()
    other = write_masks(tmp_path / "other", eroded)
    (other / FIRST).unlink()
    (other / "case_001.nii.gz").unlink()
    status, printed, _ = compare(f"a={masks},b={other}")
    assert status == 0 and "not compared: 2 images that nobody outlined, such as case_000" in printed


def test_folders_of_lgg_with_images_and_masks(phantom_root: Path, compare: Compare, tmp_path: Path) -> None:
    """Of such a folder the images are taken as images and the masks as masks, slice by slice."""
    for path in phantom_root.glob("TCGA*/*.tif"):
        copy = tmp_path / "other" / path.parent.name / path.name
        copy.parent.mkdir(parents=True, exist_ok=True)
        if path.stem.endswith("_mask"):
            cv2.imwrite(str(copy), np.roll(cv2.imread(str(path), cv2.IMREAD_GRAYSCALE), 2, axis=0))
        else:
            shutil.copy(path, copy)
    status, _, said = compare(f"a={phantom_root},b={tmp_path / 'other'}", images=phantom_root)
    assert status == 0, said
    cases = pd.read_csv(tmp_path / "runs" / "x" / "agreement_cases.csv").set_index("case")
    assert set(cases.index) == {path.name for path in phantom_root.glob("TCGA*")}
    for folder in phantom_root.glob("TCGA*"):
        masks = [cv2.imread(str(path), cv2.IMREAD_GRAYSCALE) > 0 for path in sorted(folder.glob("*_mask.tif"))]
        one, other = np.stack(masks), np.stack([np.roll(mask, 2, axis=0) for mask in masks])
        if one.any():
            assert cases.loc[folder.name, "dice"] == pytest.approx(dice_of(one, other))
    assert cases["ml_a"].isna().all()  # no spacing is known
    picture = cv2.imread(str(tmp_path / "runs" / "x" / "overlays.png"))
    assert [(picture == colour).all(axis=2).any() for colour in ((233, 180, 86), (0, 159, 230))] == [True, True]


def test_the_mean_over_targets_counts_those_that_either_marks() -> None:
    rows = [
        ("1", "core", 0.5, 2, 2),
        ("1", "rim", float("nan"), 0, 0),
        ("2", "core", 0.0, 0, 3),
        ("2", "rim", 1.0, 1, 1),
    ]
    table = pd.DataFrame(rows, columns=["case", "target", "dice", "voxels_a", "voxels_b"]).assign(a="a", b="b")
    found = compare_pairs_of_masks(table).set_index("target")
    assert found["mean"].to_dict() == pytest.approx({MEAN: 0.5, "core": 0.25, "rim": 1.0})
    assert found["n"].to_dict() == {MEAN: 2, "core": 2, "rim": 1}
    assert found["one_empty"].to_dict() == {MEAN: 0, "core": 1, "rim": 0}
    assert found["both_empty"].to_dict() == {MEAN: 0, "core": 0, "rim": 1}


def test_several_targets_have_rows_of_their_own(data_set: Path, compare: Compare, tmp_path: Path) -> None:
    for name, core in (("one", eroded), ("two", lambda mask: shifted(eroded(mask)))):
        write_masks(tmp_path / name, lambda mask, core=core: (mask + core(mask)).astype(np.uint8))
    words = ["--labels", "whole=1,2;core=2"]
    assert compare(f"a={tmp_path / 'one'},b={tmp_path / 'two'}", *words)[0] == 0
    found = pd.read_csv(tmp_path / "runs" / "x" / "agreement.csv").set_index("target")["mean"]
    due = [dice_of(eroded(truth_of(n)), shifted(eroded(truth_of(n)))) for n in range(CASES)]
    assert list(found.index) == [MEAN, "whole", "core"] and found["core"] == pytest.approx(np.mean(due))


def test_the_slice_and_the_detail_that_are_drawn() -> None:
    one = np.zeros((4, 100, 90), bool)
    one[1, 10:30, 10:30] = one[2, 40:50, 50:70] = True
    other = one.copy()
    other[2, 45:60, 50:70] = True
    assert slice_that_differs({"a": one, "b": other}) == 2
    assert slice_that_differs({"a": one, "b": one}) == 1  # where they agree on most
    assert slice_that_differs({"a": one & False, "b": one & False}) == 2
    detail = around(other[2], 320)
    assert other[2][detail].sum() == other[2].sum() and other[2][detail].shape == (53, 53)
    whole = around(np.zeros((5, 7), bool), 320)
    assert np.zeros((5, 7))[whole].shape == (5, 7)


def test_each_entrant_marks_with_a_value_of_its_own(
    data_set: Path, masks: Path, compare: Compare, tmp_path: Path
) -> None:
    one, other = f"a={write_masks(tmp_path / 'seven', lambda mask: 7 * mask)}", f"b={data_set / 'equal'}"
    assert compare(f"{one},{other}")[0] == 0
    assert (pd.read_csv(tmp_path / "runs" / "x" / "agreement_cases.csv")["dice"] == 1).all()
    status, _, said = compare(f"{one},{other}", "--labels", "ball=1", "--overwrite")
    assert status == 2 and "--masks a: " in said and "holds 7" in said
    save(3 * truth_of(4), tmp_path / "seven" / "case_004.nii.gz")
    status, _, said = compare(f"{one},{other}", "--overwrite")
    assert status == 2 and "--masks a: " in said and "say with --labels" in said


def test_a_dataset_json_that_says_other_labels(data_set: Path, compare: Compare, tmp_path: Path) -> None:
    other = write_masks(tmp_path / "other", lambda mask: 2 * mask)
    described = json.loads((data_set / "dataset.json").read_text())
    (other / "dataset.json").write_text(json.dumps(described | {"labels": {"background": 0, "ball": 2}}))
    status, _, said = compare(f"a={data_set / 'nnunet'},b={other}")
    assert status == 2 and "--masks b: its dataset.json says ball=2, but another says ball=1" in said


def test_the_data_set_of_the_images_names_the_labels(data_set: Path, compare: Compare, tmp_path: Path) -> None:
    """A dataset.json above `imagesTs` is asked where none lies beside the masks."""
    raw = tmp_path / "Dataset008_Shells"
    raw.mkdir()
    (raw / "imagesTs").symlink_to(data_set / "imagesTs")
    described = json.loads((data_set / "dataset.json").read_text())
    (raw / "dataset.json").write_text(json.dumps(described | {"labels": {"background": 0, "rim": 1, "core": 2}}))
    for name, core in (("one", eroded), ("two", lambda mask: shifted(eroded(mask)))):
        write_masks(tmp_path / name, lambda mask, core=core: (mask + core(mask)).astype(np.uint8))
    status, _, said = compare(f"a={tmp_path / 'one'},b={tmp_path / 'two'}", images=raw / "imagesTs")
    assert status == 0, said
    assert list(pd.read_csv(tmp_path / "runs" / "x" / "agreement.csv")["target"]) == [MEAN, "rim", "core"]


def test_pixels_that_are_not_square_are_counted_as_they_are(tmp_path: Path, compare: Compare) -> None:
    affine = np.diag([1.0, 1.6, 3.0, 1.0])
    save(np.full(SHAPE, 9, np.int16), tmp_path / "images" / "P_flair.nii.gz", affine)
    save(truth_of(1), tmp_path / "one" / "P.nii.gz", affine)
    save(shifted(truth_of(1)), tmp_path / "two" / "P_pred.nii.gz", affine)
    assert compare(f"a={tmp_path / 'one'},b={tmp_path / 'two'}", images=tmp_path / "images")[0] == 0
    [row] = pd.read_csv(tmp_path / "runs" / "x" / "agreement_cases.csv").to_dict("records")
    assert row["case"] == "P" and row["dice"] == pytest.approx(dice_of(truth_of(1), shifted(truth_of(1))))
    assert row["ml_a"] == pytest.approx(truth_of(1).sum() * 4.8 / 1000)
