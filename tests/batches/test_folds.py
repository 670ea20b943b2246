"""Cross-validation tests every patient exactly once, keeps patients apart and takes no half-right file of folds."""

import json
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from headtohead.batches.folds import Folds, make_folds, read_folds
from headtohead.batches.splits import PARTS
from headtohead.cohort import Cohort
from headtohead.comparing.provenance import split_facts
from headtohead.errors import UserError
from headtohead.readers.lgg import TASK as LGG_TASK

SITES = {"CS": 16, "DU": 45, "EZ": 1, "FG": 14, "HT": 34}


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Cohort:
    """The sites of the real data set; two slices of one pixel a case, and one patient with two cases."""
    folder = tmp_path_factory.mktemp("cohort")
    patients = [f"{site}_{number:03d}" for site, count in SITES.items() for number in range(count)]
    patients.append(patients[0])
    for name, channels in (("images", 3), ("labels", 1), ("inner", 1)):
        np.zeros(2 * len(patients) * channels, np.uint8).tofile(folder / f"{name}.u8")
    table = pd.DataFrame({"case": [f"{patient}_{place}" for place, patient in enumerate(patients)]})
    table["patient"] = patients
    table["site"] = [patient[:2] for patient in patients]
    table["first"] = 2 * np.arange(len(patients))
    table["lesion_voxels"] = np.random.default_rng(0).integers(100, 90_000, len(patients))
    return Cohort(folder, "key", table.assign(slices=2, height=1, width=1), folder, task=LGG_TASK)


def patients_of(cohort: Cohort, folds: Folds, fold: int, part: str) -> set[str]:
    return set(cohort.table["patient"].iloc[folds.split(cohort, fold).cases(cohort, part)])


@pytest.mark.parametrize("wanted", ["2", "5", "10"])
def test_every_patient_is_tested_exactly_once(cohort: Cohort, wanted: str) -> None:
    folds = make_folds(cohort, wanted, seed=0)
    assert len(folds) == int(wanted)
    tested = [patient for fold in range(len(folds)) for patient in patients_of(cohort, folds, fold, "test")]
    assert sorted(tested) == sorted(set(cohort.table["patient"]))


@pytest.mark.parametrize("fold", range(5))
def test_parts_of_a_fold_are_disjoint_by_patient_and_hold_every_slice(cohort: Cohort, fold: int) -> None:
    folds = make_folds(cohort, "5", seed=3)
    split = folds.split(cohort, fold)
    assert sorted(np.concatenate([getattr(split, part) for part in PARTS])) == list(range(cohort.n_slices))
    parts = [patients_of(cohort, folds, fold, part) for part in PARTS]
    assert sum(map(len, parts)) == len(set().union(*parts)) == 110
    assert [len(part) for part in parts] == [77, 11, 22]
    assert split.leaking_patients(cohort) == 0
    assert (split.fold, split.folds, split.plan) == (fold, 5, folds.key)
    assert f"fold {fold} of 5" in split.describe(cohort)


def test_folds_are_alike_in_site_and_lesion_volume(cohort: Cohort) -> None:
    folds = make_folds(cohort, "5", seed=0)
    table = cohort.table.merge(folds.table)
    patients = table.groupby("patient").first()
    by_site = pd.crosstab(patients["site"], patients["fold"])
    assert (by_site.max(axis=1) - by_site.min(axis=1) <= 2).all()
    means = table.groupby("fold")["lesion_voxels"].mean()
    assert means.max() / means.min() < 1.3


def test_one_fold_a_patient(cohort: Cohort) -> None:
    folds = make_folds(cohort, "patients", seed=0)
    assert len(folds) == 110
    assert all(len(patients_of(cohort, folds, fold, "test")) == 1 for fold in (0, 50, 109))


def test_the_seed_decides(cohort: Cohort) -> None:
    same, other = make_folds(cohort, "5", seed=0), make_folds(cohort, "5", seed=1)
    assert make_folds(cohort, "5", seed=0).key == same.key != other.key
    assert not make_folds(cohort, "5", 0).table.equals(other.table)
    assert (same.split(cohort, 0).val == make_folds(cohort, "5", 0).split(cohort, 0).val).all()


def test_moving_one_patient_changes_the_key(cohort: Cohort) -> None:
    folds = make_folds(cohort, "5", seed=0)
    moved = folds.table.copy()
    moved.loc[7, "fold"] = (moved.loc[7, "fold"] + 1) % 5
    assert Folds(moved, 0).key != folds.key
    assert Folds(folds.table, 1).key != folds.key, "another seed draws other validation patients"


def test_a_written_table_is_read_back_whatever_its_order(cohort: Cohort, tmp_path: Path) -> None:
    folds = make_folds(cohort, "5", seed=0)
    folds.write(tmp_path / "folds.csv")
    assert read_folds(tmp_path / "folds.csv", cohort, 0).key == folds.key
    pd.read_csv(tmp_path / "folds.csv").iloc[::-1].assign(note="x").to_csv(tmp_path / "mine.csv", index=False)
    assert read_folds(tmp_path / "mine.csv", cohort, 0).key == folds.key


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda table: table.iloc[1:], "has no fold"),
        (lambda table: pd.concat([table, table.iloc[:2]]), r"is listed twice \(and 1 more\)"),
        (lambda table: table.replace({"case": {"CS_005_5": "CS_nobody"}}), "CS_nobody is not in the data set"),
        (lambda table: table.assign(fold=table["fold"] + 1), "counted from 0"),
        (lambda table: table.assign(fold=0), "at least two folds"),
        (lambda table: table.assign(fold=table["fold"] + 0.5), "not a table of folds"),
        (lambda table: table.assign(fold="first"), "not a table of folds"),
        (lambda table: table.assign(fold="9" * 20), "fold"),
        (lambda table: table.assign(fold=["9" * 400, *table["fold"][1:]]), "fold"),
        (lambda table: table.rename(columns={"fold": "group"}), "not a table of folds"),
        (lambda table: table.assign(fold=table["fold"].where(table["case"] != "CS_000_110", 4)), "would leak"),
    ],
)
def test_a_wrong_table_is_refused_in_a_line(cohort: Cohort, tmp_path: Path, change: object, said: str) -> None:
    table = make_folds(cohort, "5", seed=0).table.copy()
    table.loc[table["case"].isin(["CS_000_0", "CS_000_110"]), "fold"] = 1
    change(table).to_csv(tmp_path / "folds.csv", index=False)  # type: ignore[operator]
    with pytest.raises(UserError, match=said) as caught:
        read_folds(tmp_path / "folds.csv", cohort, 0)
    assert "\n" not in str(caught.value) and "`fold_file`" in str(caught.value)


def test_runs_record_that_their_folds_are_of_nnunet(cohort: Cohort, tmp_path: Path) -> None:
    dealt = make_folds(cohort, "2", seed=0)
    cases = [dealt.table["case"][dealt.table["fold"] == fold].tolist() for fold in range(2)]
    path = tmp_path / "splits_final.json"
    path.write_text(json.dumps([{"train": [], "val": own} for own in cases]))
    folds = read_folds(path, cohort, 0)
    assert folds.key == dealt.key
    assert split_facts(cohort, folds.split(cohort, 1))["source"] == "splits_final.json"
    assert "source" not in split_facts(cohort, dealt.split(cohort, 1))


def test_no_file_and_no_text(cohort: Cohort, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such file"):
        read_folds(tmp_path / "folds.csv", cohort, 0)
    (tmp_path / "folds.csv").write_bytes(bytes(range(256)))
    with pytest.raises(UserError, match="not a table of folds"):
        read_folds(tmp_path / "folds.csv", cohort, 0)


def test_impossible_folds(cohort: Cohort) -> None:
    with pytest.raises(UserError, match="`folds` 111: not possible with 110 patients"):
        make_folds(cohort, "111", seed=0)
    with pytest.raises(UserError, match="`fold` 5: give a number from 0 to 4"):
        make_folds(cohort, "5", seed=0).split(cohort, 5)


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"case,fold\na,1,2,3\n", b'case,fold\n"a', b"\0" * 50, None])
def test_a_damaged_or_odd_file_of_folds_is_one_line(cohort: Cohort, tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "folds.csv"
    if content is None:
        os.mkfifo(path)
    else:
        path.write_bytes(content)
    with pytest.raises(UserError, match="not a table of folds") as caught:
        read_folds(path, cohort, 0)
    assert "\n" not in str(caught.value)
