"""What lies under the scores of a comparison: counts of every test slice, and who was in which part of each split.

From these two tables a reader can recompute every scoring convention, the largest component of every case, and the
patients that chose an epoch, without a run folder.
"""

from collections.abc import Sequence

import pandas as pd

from headtohead.errors import UserError
from headtohead.records.regular import UnreadableError
from headtohead.records.table_reader import read_table as read_csv
from headtohead.runs.ledger import Ledger
from headtohead.runs.run import EXPERIMENT_COLUMNS, Run

SLICE_COLUMNS = ["case", "slice", "tp", "fp", "fn", "predicted", "truth", "largest_tp", "largest_fp"]
METRICS = "metrics.csv"
PART_COLUMNS = ["fold", "case", "part", "slices"]


def read_table(run: Run, name: str) -> pd.DataFrame:
    """Read a CSV file of a run folder.

    Raises:
        UserError: it is missing or damaged.
    """
    try:
        return read_csv(run.folder / name)
    except (OSError, UnreadableError) as fault:
        raise UserError(f"{run.folder / name}: damaged ({fault}); delete it and run --test again") from fault


def metrics_of(run: Run, columns: Sequence[str]) -> pd.DataFrame | None:
    """Read some columns of metrics.csv and the epoch, which counts from 0.

    Returns:
        One row an epoch; None for the baseline and for a run without a whole epoch.

    Raises:
        UnreadableError: it is damaged.
    """
    try:
        table = read_csv(run.folder / METRICS)[["epoch", *columns]].astype(float).astype({"epoch": int})
    except FileNotFoundError:
        return None
    except (LookupError, ValueError, TypeError, OverflowError) as fault:
        raise UnreadableError(str(fault)) from fault
    return None if table.empty else table


def slices_of(ledger: Ledger) -> pd.DataFrame:
    """Counts of each test slice of each run that counts.

    Returns:
        Columns model, schedule, seed, fold, then those of `scoring.conventions.slice_counts`; slices count from 1.
        Runs without slices.csv are left out.
    """
    tables = [
        read_table(run, "slices.csv").assign(**run.experiment)
        for run in ledger.counted
        if (run.folder / "slices.csv").is_file()
    ]
    columns = [*EXPERIMENT_COLUMNS, *SLICE_COLUMNS]
    if not tables:
        return pd.DataFrame(columns=columns)
    return pd.concat(tables, ignore_index=True).astype({"seed": "Int64", "fold": "Int64"})[columns]


def parts_of(ledger: Ledger) -> pd.DataFrame:
    """Who was in training, validation and test of each fold.

    Returns:
        Columns fold, case, part (train, val or test) and slices (how many of the case). Under a split by patient a case
        has one row a fold; under a split by slice up to three. Folds of which no run keeps split.csv are left out.
    """
    found = {}
    for run in ledger.counted:
        fold = run.experiment["fold"]
        if fold not in found and (run.folder / "split.csv").is_file():
            parts = read_table(run, "split.csv").groupby(["case", "part"]).size().rename("slices").reset_index()
            found[fold] = parts.assign(fold=fold)
    if not found:
        return pd.DataFrame(columns=PART_COLUMNS)
    return pd.concat([found[fold] for fold in sorted(found)], ignore_index=True)[PART_COLUMNS]
