"""Whose outline is shown: that of the lowest seed that counts, and it is said."""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from headtohead.cohort import Cohort
from headtohead.reporting.findings import findings_of, shown_seed
from headtohead.reporting.masks import Masks, name_with_seed, segmented_case
from headtohead.reporting.report import report
from headtohead.runs.ledger import Ledger
from headtohead.runs.reading import read_ledger


def renumbered(place: Path) -> Ledger:
    """The comparison with seeds 2 and 10 in place of 0 and 1: by their names 10 comes first."""
    folder = place / "runs" / "made"
    for path in sorted(folder.glob("*-none-*")):
        record = json.loads((path / "run.json").read_text())
        record["experiment"]["seed"] = {0: 2, 1: 10}[record["experiment"]["seed"]]
        (path / "run.json").write_text(json.dumps(record))
        path.rename(folder / f"{path.name.split('-s')[0]}-s{record['experiment']['seed']}-f{path.name[-1]}")
    return read_ledger(folder)


def test_the_lowest_seed_is_shown_with_its_own_dice(copied: Path, scored_cohort: Cohort) -> None:
    ledger = renumbered(copied)
    found = findings_of(ledger)
    assert found is not None
    masks, case = Masks(ledger, scored_cohort), str(found.matrix.index[0])
    shown = shown_seed(found.cases, "unet none", case)
    assert shown is not None and shown[0] == 2
    scan = segmented_case(scored_cohort, masks, "unet none", case, "x")
    assert scan is not None and np.isclose(scan.dice, shown[1])
    assert not np.isclose(shown[1], found.matrix.loc[case, "unet none"])
    assert name_with_seed(found, "unet none", case) == "unet, no schedule, seed 2"


def test_a_single_seed_needs_no_word(scored: Path) -> None:
    found = findings_of(read_ledger(scored / "runs" / "made"))
    assert found is not None
    case = str(found.matrix.index[0])
    assert name_with_seed(found, "flair-threshold", case) == "flair-threshold"
    assert shown_seed(found.cases, "flair-threshold", case) is None


def test_a_seed_that_lacks_a_fold_is_not_shown(copied: Path, scored_cohort: Cohort) -> None:
    path = copied / "runs" / "made" / "unet-none-s0-f1" / "run.json"
    path.write_text(path.read_text().replace('"finished"', '"failed"'))
    ledger = read_ledger(path.parents[1])
    found = findings_of(ledger)
    assert found is not None
    masks = Masks(ledger, scored_cohort)
    assert {file.parent.name[:12] for (entrant, _), file in masks.files.items() if entrant == "unet none"} == {
        "unet-none-s1"
    }
    case = str(found.matrix.index[0])
    assert shown_seed(found.cases, "unet none", case) is None
    scan = segmented_case(scored_cohort, masks, "unet none", case, "x")
    assert scan is not None and np.isclose(scan.dice, found.matrix.loc[case, "unet none"])


def damaged(copied: Path, how: str) -> Path:
    """Damage the masks of one run."""
    path = copied / "runs" / "made" / "unet-none-s0-f0" / "masks.npz"
    other = (path.parents[1] / "unet-none-s0-f1" / "masks.npz").read_bytes()
    whole = path.read_bytes()
    path.unlink()
    if how == "a pipe":
        os.mkfifo(path)
    else:
        path.write_bytes(whole[:-40] if how == "cut short" else other)
    return path


@pytest.mark.parametrize("how", ["cut short", "other cases", "a pipe"])
def test_a_run_whose_masks_cannot_be_read_is_in_no_picture(how: str, copied: Path, scored_cohort: Cohort) -> None:
    """Its scores count; only its outlines are missing, and another seed's do not stand in for them."""
    path = damaged(copied, how)
    masks = Masks(read_ledger(copied / "runs" / "made"), scored_cohort)
    assert [note.split(": ")[:2] for note in masks.notes] == [["unet-none-s0-f0 is in no picture", "masks.npz"]]
    tested = set(pd.read_csv(path.with_name("cases.csv"))["case"])
    shown = {case for entrant, case in masks.files if entrant == "unet none"}
    assert shown and not shown & tested
    assert path not in masks.files.values()


def test_a_run_whose_masks_cannot_be_read_is_named_and_the_report_is_written(
    copied: Path, report_options: Any, no_pictures: None, capsys: pytest.CaptureFixture[str]
) -> None:
    path = damaged(copied, "cut short")
    folder = report(report_options(copied))
    said = " ".join(capsys.readouterr().out.split())
    assert said.count("unet-none-s0-f0 is in no picture: masks.npz: ") == 1 and str(path) not in said
    assert "unet-none-s0-f0 is in no picture" in (folder / "report.html").read_text()
