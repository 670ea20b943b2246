"""What a test leaves: every file or none, and only what was really scored."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from headtohead.batches.folds import make_folds
from headtohead.batches.splits import Split, make_split
from headtohead.cohort import Cohort
from headtohead.comparing import outcome as module
from headtohead.comparing.outcome import Outcome, outcome, scores_in_words
from headtohead.predicting.cleaning.postprocessing import parse_clean_up
from headtohead.readers.lgg import GRADES
from headtohead.readers.lgg import TASK as LGG_TASK
from headtohead.runs.folder import RunFolder
from headtohead.runs.tables import TEXTS
from headtohead.scoring.case import score_case
from headtohead.scoring.prediction_files import read_mask
from headtohead.statistics.targets import recorded_scores

FILES = {"cases.csv", "slices.csv", "masks.npz", "probabilities.npz"}


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    return RunFolder(tmp_path / "run")


@pytest.fixture
def split(phantom_cohort: Cohort) -> Split:
    """One that tests four whole cases."""
    return make_folds(phantom_cohort, "3", seed=0).split(phantom_cohort, 1)


def predicted(cohort: Cohort, found: Outcome, case: int) -> tuple[np.ndarray, np.ndarray]:
    """A prediction that is the truth of the slices, moved by a pixel; and its probability."""
    moved = np.roll(cohort.masks(case)[found.tested(case)].astype(bool), 1, axis=2)[None]
    return moved, np.where(moved, 0.75, 0.25)


def score_all(folder: RunFolder, cohort: Cohort, split: Split) -> Outcome:
    with outcome(folder, cohort, split) as found:
        for case in split.cases(cohort, "test"):
            found.add(int(case), *predicted(cohort, found, int(case)))
    return found


def test_files_hold_every_case_in_order(folder: RunFolder, phantom_cohort: Cohort, split: Split) -> None:
    found = score_all(folder, phantom_cohort, split)
    assert {path.name for path in folder.path.iterdir()} == FILES
    own = split.cases(phantom_cohort, "test")
    names = phantom_cohort.table["case"].iloc[own].tolist()
    cases = pd.read_csv(folder.cases, keep_default_na=False, na_values={"hd95_px": [""]})
    nothing = np.zeros((1, 1, 1), bool)
    assert list(cases.columns) == [*(name for name in TEXTS if name != "target"), *score_case(nothing, nothing)]
    assert cases["case"].tolist() == names == np.load(folder.masks).files == np.load(folder.probabilities).files
    about = phantom_cohort.table.iloc[own]
    for column in ("patient", "site", "slices", "lesion_voxels"):
        assert cases[column].tolist() == about[column].tolist()
    assert cases["missing"].tolist() == about["missing"].tolist()
    assert cases[["hd95_px", "lesions"]].notna().all(axis=None), "whole cases have surfaces and lesions"
    slices = pd.read_csv(folder.slices)
    assert len(slices) == len(split.test)
    sums = slices.groupby("case", sort=False)[["tp", "fp", "fn"]].sum()
    assert sums.to_numpy().tolist() == cases[["tp", "fp", "fn"]].to_numpy().tolist()
    total = np.zeros((2, 256), int)
    for index, name in zip(own, names, strict=True):
        shape = (1, *phantom_cohort.masks(index).shape)
        assert np.array_equal(read_mask(folder.masks, name, shape), predicted(phantom_cohort, found, index)[0])
        total += np.load(folder.probabilities)[name]
    assert np.array_equal(found.histograms, [total]) and total.sum() == slices.shape[0] * 64 * 64
    assert total[1, 192] == cases["tp"].sum() and total[0, 192] == cases["fp"].sum()


def test_under_a_split_by_slice_only_test_slices_are_scored(folder: RunFolder, phantom_cohort: Cohort) -> None:
    split = make_split(phantom_cohort, "slice", 0)
    score_all(folder, phantom_cohort, split)
    cases, slices = pd.read_csv(folder.cases).set_index("case"), pd.read_csv(folder.slices)
    whole = phantom_cohort.table.set_index("case").loc[cases.index, "slices"]
    assert cases["slices"].sum() == len(split.test)
    partial = cases["slices"] < whole
    assert partial.any()
    unknown = ["hd95_px", "surface_dice_px", "lesions", "lesions_found", "lesions_missed", "lesions_false"]
    assert cases.loc[partial, unknown].isna().all(axis=None), "neighbours in the mask are none in the patient"
    assert cases["dice"].notna().any() and cases["volume_error"].notna().all()
    for case, part in slices.groupby("case"):
        index = phantom_cohort.table["case"].tolist().index(case)
        numbers = np.intersect1d(phantom_cohort.slices_of(index), split.test) - phantom_cohort.slices_of(index)[0]
        assert part["slice"].tolist() == (numbers + 1).tolist(), "slices are named by their place in the case, from 1"
        truth = phantom_cohort.masks(index)[numbers].astype(bool)
        assert part["truth"].tolist() == truth.sum(axis=(1, 2)).tolist()
        assert part["largest_tp"].isna().all() == (len(numbers) < len(phantom_cohort.slices_of(index)))


def test_a_whole_case_within_a_split_by_slice_is_scored_whole(folder: RunFolder, phantom_cohort: Cohort) -> None:
    first, second = phantom_cohort.slices_of(0), phantom_cohort.slices_of(1)
    split = Split("slice", 0, second[2:], second[1:2], np.concatenate([first, second[:1]]))
    score_all(folder, phantom_cohort, split)
    assert pd.read_csv(folder.cases)["lesions"].isna().tolist() == [False, True]


def test_the_truth_of_a_case_is_read_once(
    folder: RunFolder, phantom_cohort: Cohort, split: Split, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is several hundred megabytes in a large volume."""
    case = int(split.cases(phantom_cohort, "test")[0])
    read, labels = [], Cohort.labels
    with outcome(folder, phantom_cohort, split) as found:
        prediction = predicted(phantom_cohort, found, case)
        monkeypatch.setattr(Cohort, "labels", lambda cohort, case: read.append(case) or labels(cohort, case))
        found.add(case, *prediction)
    assert read == [case]


def test_a_prediction_without_probability(folder: RunFolder, phantom_cohort: Cohort, split: Split) -> None:
    """That of the baseline."""
    with outcome(folder, phantom_cohort, split) as found:
        for case in split.cases(phantom_cohort, "test"):
            found.add(int(case), predicted(phantom_cohort, found, int(case))[0])
    assert np.load(folder.probabilities).files == [] and not found.histograms.any()
    assert len(np.load(folder.masks).files) == len(pd.read_csv(folder.cases))


@pytest.mark.parametrize("before", [False, True])
def test_nothing_new_is_left_if_scoring_fails(
    folder: RunFolder, phantom_cohort: Cohort, split: Split, monkeypatch: pytest.MonkeyPatch, before: bool
) -> None:
    if before:
        score_all(folder, phantom_cohort, split)
    kept = {path.name: path.read_bytes() for path in folder.path.iterdir()} if before else {}
    score, calls = module.score_tested, []

    def fail(*given: Any, **named: Any) -> Any:
        calls.append(1)
        if len(calls) == 2:
            raise MemoryError("no memory")
        return score(*given, **named)

    monkeypatch.setattr(module, "score_tested", fail)
    with pytest.raises(MemoryError):
        score_all(folder, phantom_cohort, split)
    assert {path.name: path.read_bytes() for path in folder.path.iterdir()} == kept


def test_a_code_is_a_who_grade_and_stays_a_code_where_it_is_not_known(
    folder: RunFolder, phantom_cohort: Cohort
) -> None:
    """A clinical table with gaps is read as 2.0 and NaN."""
    grades = [2.0, np.nan, 1.0, 7.0] * 3
    cohort = Cohort(
        root=phantom_cohort.root,
        key="k",
        table=phantom_cohort.table.assign(**dict.fromkeys(GRADES, grades)),
        packed=phantom_cohort.packed,
        task=LGG_TASK,
    )
    numbers = np.concatenate([cohort.slices_of(case) for case in range(4)])
    score_all(folder, cohort, Split("patient", 0, numbers[:0], numbers[:0], numbers))
    assert pd.read_csv(folder.cases, dtype=str, keep_default_na=False)["grade"].tolist() == ["III", "", "II", "code 7"]


def test_data_without_a_clinical_table(folder: RunFolder, phantom_cohort: Cohort, split: Split) -> None:
    table = phantom_cohort.table.drop(columns=list(GRADES), errors="ignore")
    cohort = Cohort(root=phantom_cohort.root, key="k", table=table, packed=phantom_cohort.packed, task=LGG_TASK)
    score_all(folder, cohort, split)
    assert pd.read_csv(folder.cases)["grade"].isna().all()


def test_the_mean_counts_the_cases_it_is_over() -> None:
    """It is over cases with a lesion, so the number beside it is theirs; the others are left alone or not."""
    nan = float("nan")
    cases = pd.DataFrame({"tp": [8, 0, 0, 0], "fp": [0, 0, 5, 0], "fn": [2, 10, 0, 0], "dice": [0.8, 0.0, nan, nan]})
    words = "mean Dice per case 0.400 on 2 test cases with a lesion; 1 of 2 test cases without a lesion left alone"
    assert scores_in_words(cases) == words
    assert scores_in_words(cases[:2]) == "mean Dice per case 0.400 on 2 test cases"
    assert scores_in_words(cases[2:3]) == "0 of 1 test case without a lesion left alone"


def test_of_several_targets_the_mean_is_over_those_that_a_case_holds() -> None:
    nan = float("nan")
    counts = {"tp": [8, 4, 5, 0, 0, 0], "fp": [2, 6, 5, 9, 0, 0], "fn": [2, 6, 5, 0, 0, 0]}
    dice = {"dice": [0.8, 0.4, 0.5, nan, nan, nan]}
    cases = pd.DataFrame({"case": list("aabbcc"), "target": ["whole", "core"] * 3} | counts | dice)
    expected = "mean Dice per case 0.550 on 2 test cases (whole 0.650, core 0.400)"
    assert scores_in_words(cases) == expected
    assert recorded_scores(cases) == {
        "test_dice": pytest.approx(0.55),
        "test_dice_of_targets": {"whole": 0.65, "core": 0.4},
    }
    called_na = cases.assign(case=[nan, nan, "b", "b", "c", "c"])  # as pandas reads it
    assert scores_in_words(called_na) == expected
    assert scores_in_words(cases[4:]) == "no target in 1 test case, so no Dice"
    assert recorded_scores(cases[4:]) == {"test_dice": None, "test_dice_of_targets": {"whole": None, "core": None}}


def test_the_largest_component_of_an_empty_prediction_is_a_dice_of_0(
    folder: RunFolder, split: Split, phantom_cohort: Cohort
) -> None:
    """The original took the largest component of nothing and ended in an exception."""
    clean_up = parse_clean_up("largest", LGG_TASK.targets)
    with outcome(folder, phantom_cohort, split, clean_up) as found:
        for case in map(int, split.cases(phantom_cohort, "test")):
            empty = np.zeros((1, *phantom_cohort.masks(case)[found.tested(case)].shape), bool)
            found.add(case, empty, np.zeros(empty.shape, np.float32))
    rows = pd.read_csv(folder.cases)
    assert rows["dice"].tolist() == [0.0] * len(rows) and not rows[["tp", "fp"]].to_numpy().any()
