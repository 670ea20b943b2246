"""Whom a model has seen: by name, by patient, by pixels, as far as its run or its bundle says it."""

import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from headtohead.cohort import Cohort, open_cohort
from headtohead.cohort.known_slices import same_pixels
from headtohead.comparing.experiment import Experiment
from headtohead.comparing.seen_cases import Known, known_cases, refuse_seen
from headtohead.errors import UserError


def test_seen_patients_are_known_by_name_by_another_scan_and_by_their_pixels(
    finished: Experiment, tmp_path: Path, cache_dir: Path
) -> None:
    cohort = finished.cohort
    case, val = (str(cohort.table["case"].iloc[finished.split.cases(cohort, part)[0]]) for part in ("train", "val"))
    patient = case.rsplit("_", 1)[0]
    names = {case: f"{patient}_20200101", val: "TCGA_XX_0001_20200101"}
    for old, new in names.items():
        for path in (cohort.root / old).iterdir():
            (tmp_path / "data" / new).mkdir(parents=True, exist_ok=True)
            shutil.copy(path, tmp_path / "data" / new / path.name.replace(old, new))
    shutil.copy(cohort.root / "data.csv", tmp_path / "data")
    other = open_cohort(tmp_path / "data", tmp_path / "packed")
    parts = {case: "train", val: "val"}
    assert Known(parts, cohort=cohort).seen(other) == {names[case]: "train", names[val]: "val"}
    assert same_pixels(other, cohort) == {new: old for old, new in names.items()}
    assert Known(parts).seen(other) == {}, "names of cases alone say nothing here"
    assert Known(parts).seen(cohort) == parts and Known().seen(cohort) == {}


def test_a_model_that_lists_no_cases_has_seen_all_of_its_data(phantom_cohort: Cohort) -> None:
    cases = phantom_cohort.table["case"].tolist()
    assert Known(cohort=phantom_cohort).seen(phantom_cohort) == dict.fromkeys(cases, "data")
    listed = Known({cases[0]: "val"}, cohort=phantom_cohort).seen(phantom_cohort)
    assert listed == {cases[0]: "val"} | dict.fromkeys(cases[1:], "test")
    with pytest.raises(UserError, match=r"\(of the data that it was made from\)") as refusal:
        refuse_seen(Known(cohort=phantom_cohort), phantom_cohort, "a bundle")
    assert "tested on" not in str(refusal.value)


@pytest.mark.parametrize(
    ("facts", "names", "patient"),
    [
        ({"kind": "lgg"}, ("TCGA_CS_4941_19960909", "TCGA_CS_4941_20000101"), "TCGA_CS_4941"),
        ({"kind": "nifti", "patient_pattern": r"(p\d+)"}, ("p07a", "p07b"), "p07"),
        ({"kind": "brats"}, ("BraTS-GLI-00007-000", "BraTS-GLI-00007-001"), "BraTS-GLI-00007"),
    ],
)
def test_without_pixels_patients_are_known_by_what_their_reader_says_of_names(
    tmp_path: Path, facts: dict[str, str], names: tuple[str, str], patient: str
) -> None:
    (tmp_path / "split.csv").write_text(f"case,slice,part\n{names[0]},1,train\nother,1,test\n")
    (tmp_path / "cases.csv").write_text("case,patient\nother,somebody\n")
    known = known_cases({"key": "gone"} | facts, {}, tmp_path / "split.csv", tmp_path / "packed")
    people = {"new": "nobody", names[1]: patient, "another exam": "somebody", "other": "other"}
    cohort: Any = SimpleNamespace(table=pd.DataFrame({"case": people.keys(), "patient": people.values()}))
    assert known.seen(cohort) == {names[1]: "train", "another exam": "test", "other": "test"}
    assert known.certainty == "names of cases and patients"
    assert known_cases({"key": "gone"}, {}, None, tmp_path).certainty.startswith("not known")
