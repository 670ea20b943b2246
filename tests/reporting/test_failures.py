"""The figure of failures: every case that no model segmented well, the worst first, with what each model scored."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from headtohead.cohort import Cohort
from headtohead.reporting import failures as module
from headtohead.reporting.case_names import short_names
from headtohead.reporting.failures import failures, write_failures
from headtohead.reporting.findings import Findings
from headtohead.reporting.masks import Masks
from headtohead.runs.reading import read_ledger


@pytest.fixture
def found(scored_findings: Findings) -> Findings:
    """The made comparison with other scores: cases 0, 2 and 3 fail, 1 fails in one model only, 4 has no Dice."""
    matrix = scored_findings.matrix.copy()
    matrix["unet none"], matrix["resnext none"], matrix["flair-threshold"] = 0.8, 0.7, 0.1
    matrix.iloc[:5] = np.nan
    matrix.loc[matrix.index[0], ["resnext none", "unet none", "flair-threshold"]] = (0.2, 0.4, 0.9)
    matrix.loc[matrix.index[1], ["resnext none", "unet none"]] = (0.2, 0.5)
    matrix.loc[matrix.index[2], "resnext none"] = 0.3
    matrix.loc[matrix.index[3], ["resnext none", "unet none"]] = (0.1, 0.05)
    return dataclasses.replace(scored_findings, matrix=matrix)


@pytest.fixture
def masks(scored: Path, scored_cohort: Cohort) -> Masks:
    return Masks(read_ledger(scored / "runs" / "made"), scored_cohort)


def test_cases_that_all_models_fail_the_worst_first_with_the_nearest(found: Findings) -> None:
    cases = found.matrix.index
    assert failures(found) == [(cases[3], "resnext none"), (cases[2], "resnext none"), (cases[0], "unet none")]


def test_the_baseline_alone_fails_nobody(found: Findings) -> None:
    assert failures(dataclasses.replace(found, matrix=found.matrix[["flair-threshold"]])) == []


def test_each_is_drawn_with_every_models_dice(
    found: Findings, masks: Masks, scored_cohort: Cohort, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[Any] = []
    monkeypatch.setattr(module, "write_plate", lambda *what: given.append(what))
    write_failures(found, tmp_path, scored_cohort, masks)
    [(scans, path, title)] = given
    assert path == tmp_path / "failures.png"
    cases, short = found.matrix.index, short_names(found.matrix.index)
    assert title == "made: 3 cases below 0.5 in every model, with the best outline"
    assert [scan.caption for scan in scans] == [
        f"{short[cases[3]]} (resnext, no schedule, seed 0)",
        f"{short[cases[2]]} (resnext, no schedule, seed 0)",
        f"{short[cases[0]]} (unet, no schedule, seed 0)",
    ]
    assert scans[0].notes == ("resnext, no schedule 0.100", "unet, no schedule 0.050")
    assert scans[1].notes == ("resnext, no schedule 0.300", "unet, no schedule –")
    index = scored_cohort.table["case"].tolist().index(cases[0])
    assert np.array_equal(scans[2].truth, scored_cohort.truth(index))
    mask = masks("unet none", cases[0])
    assert mask is not None and np.array_equal(scans[2].prediction, mask)


def test_many_go_on_further_pages_up_to_a_limit(
    found: Findings, masks: Masks, scored_cohort: Cohort, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[tuple[str, int, str]] = []
    monkeypatch.setattr(module, "write_plate", lambda scans, path, title: drawn.append((path.name, len(scans), title)))
    monkeypatch.setattr(module, "COLUMNS", 1)
    monkeypatch.setattr(module, "ROWS", 2)
    write_failures(found, tmp_path, scored_cohort, masks)
    assert [one[:2] for one in drawn] == [("failures.png", 2), ("failures-2.png", 1)]
    assert drawn[1][2].endswith("the best outline; 2 of 2")
    drawn.clear()
    monkeypatch.setattr(module, "PAGES", 1)
    write_failures(found, tmp_path, scored_cohort, masks)
    assert [one[0] for one in drawn] == ["failures.png"] and drawn[0][2].endswith("; 1 of 2, 1 drawn")


def test_without_failures_or_masks_there_is_no_figure(
    found: Findings, masks: Masks, scored_cohort: Cohort, tmp_path: Path
) -> None:
    write_failures(dataclasses.replace(found, matrix=found.matrix.iloc[5:]), tmp_path, scored_cohort, masks)
    masks.files.clear()
    write_failures(found, tmp_path, scored_cohort, masks)
    assert not list(tmp_path.iterdir())


def test_the_figure_is_written(found: Findings, masks: Masks, scored_cohort: Cohort, tmp_path: Path) -> None:
    write_failures(found, tmp_path, scored_cohort, masks)
    assert (tmp_path / "failures.png").read_bytes().startswith(b"\x89PNG")
