"""What must be known before any number: made-up patients, leaks, few cases."""

import re
from pathlib import Path
from typing import Any

import pytest

from headtohead.reporting.notes.warnings import warnings_of
from headtohead.runs.reading import read_ledger
from tests.reporting.markdown import markdown


@pytest.mark.parametrize(
    ("made_up", "cases"), [(True, ["a", "b"]), (None, ["TCGA_CS_9001_19000101", "TCGA_DU_9002_19000102"])]
)
def test_made_up_patients_are_the_first_warning(
    comparison: Path, write_run: Any, made_up: bool | None, cases: list[str]
) -> None:
    data = {"key": "d"} | ({} if made_up is None else {"made_up": made_up})
    write_run(counts=[(9, 1, 1)] * 2, cases=cases, data=data)
    assert warnings_of(read_ledger(comparison))[0].startswith("MADE-UP PATIENTS: ")


def test_real_patients_are_not_called_made_up(comparison: Path, write_run: Any) -> None:
    write_run(counts=[(9, 1, 1)] * 2, cases=["TCGA_CS_4941_19960909", "TCGA_CS_4942_19970222"])
    assert "MADE-UP" not in markdown(comparison)


@pytest.mark.parametrize(
    "split", [{"kind": "slice", "leaking_patients": 9}, {"kind": "patient", "leaking_patients": 9}]
)
def test_a_leak_is_warned_of(comparison: Path, write_run: Any, split: dict[str, Any]) -> None:
    write_run(split={"seed": 0, "key": "s1", **split})
    text = markdown(comparison)
    assert "LEAK" in text
    assert "9 patients" in text


def test_no_leak_is_said_as_well(comparison: Path, write_run: Any) -> None:
    write_run()
    text = markdown(comparison)
    assert "LEAK" not in text
    assert "no patient is in both training and test" in text


@pytest.mark.parametrize(("cases", "warned"), [(11, True), (30, False)])
def test_few_cases_are_warned_about(comparison: Path, write_run: Any, cases: int, warned: bool) -> None:
    write_run(counts=[(9, 1, 1)] * (cases - 1) + [(1, 5, 5)])
    text = markdown(comparison)
    assert bool(re.search(rf"Only {cases} test cases: .* ±0\.\d\d", text)) == warned


@pytest.mark.parametrize("chosen", [False, True])
def test_a_test_that_chose_the_epochs_is_warned_of(comparison: Path, write_run: Any, chosen: bool) -> None:
    split = {"kind": "buda", "seed": 42, "key": "s1", "leaking_patients": 0}
    write_run(split=split | ({"chosen_on_test": True} if chosen else {}))
    assert ("VALIDATION IS TEST" in markdown(comparison)) == chosen
