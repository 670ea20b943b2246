"""What lies under the scores: from slices.csv and parts.csv alone, everything else can be worked out again."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from headtohead.batches.folds import read_folds
from headtohead.cohort import Cohort
from headtohead.errors import UserError
from headtohead.reporting.evidence import parts_of, slices_of
from headtohead.runs.ledger import FOLD_FILE
from headtohead.runs.reading import read_ledger
from headtohead.scoring.counts import dice


def test_slices_add_up_to_the_cases_of_every_run(scored: Path) -> None:
    ledger = read_ledger(scored / "runs" / "made")
    slices = slices_of(ledger)
    keys = ["model", "seed", "fold", "case"]
    summed = slices.fillna({"seed": -1}).groupby(keys)[["tp", "fp", "fn"]].sum()  # the baseline has no seed
    cases = ledger.comparable.fillna({"seed": -1}).set_index(keys).loc[summed.index]
    assert len(summed) == len(ledger.comparable) > 0
    assert (summed.to_numpy() == cases[["tp", "fp", "fn"]].to_numpy()).all()
    assert dice(*summed.to_numpy().T) == pytest.approx(cases["dice"].to_numpy(), nan_ok=True)


def test_parts_name_the_patients_of_each_fold_and_each_is_tested_once(copied: Path, scored_cohort: Cohort) -> None:
    home = copied / "runs" / "made"
    folds = read_folds(home / FOLD_FILE, scored_cohort, 0)
    ledger = read_ledger(home)
    for run in ledger.finished:
        folds.split(scored_cohort, run.experiment["fold"]).write(scored_cohort, run.folder / "split.csv")
    parts = parts_of(ledger)
    tested = parts[parts["part"] == "test"]
    assert sorted(tested["case"]) == sorted(scored_cohort.table["case"])
    for fold, own in parts.groupby("fold"):
        split = folds.split(scored_cohort, int(fold))
        names = set(scored_cohort.table["case"].iloc[split.cases(scored_cohort, "val")])
        assert set(own.loc[own["part"] == "val", "case"]) == names and names
        assert own["slices"].sum() == scored_cohort.n_slices


def test_a_damaged_table_is_named(copied: Path) -> None:
    run = copied / "runs" / "made" / "unet-none-s0-f0"
    ledger = read_ledger(copied / "runs" / "made")
    (run / "slices.csv").write_bytes(b"")  # after the ledger was read, which would leave the run out
    with pytest.raises(UserError, match=r"slices\.csv: damaged .* run `test` again"):
        slices_of(ledger)


def test_without_any_kept_the_tables_are_empty(comparison: Path, write_run: Any) -> None:
    write_run()
    ledger = read_ledger(comparison)
    assert isinstance(slices_of(ledger), pd.DataFrame) and slices_of(ledger).empty
    assert list(parts_of(ledger)) == ["fold", "case", "part", "slices"]
