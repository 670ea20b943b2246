"""What lies under the scores of a comparison: counts of every test slice, and who was in which part of each split.

From these two tables a reader can recompute every scoring convention, the largest component of every case, and the
patients that chose an epoch, without a run folder.
"""

from collections.abc import Sequence

import pandas as pd

from headtohead.errors import UserError
from headtohead.records.regular import UnreadableError
from headtohead.records.table_reader import read_table as read_csv
from headtohead.reporting.entrant_names import entrant_of
from headtohead.runs.ledger import Ledger
from headtohead.runs.run import EXPERIMENT_COLUMNS, Run
from headtohead.scoring.conventions import conventions
from headtohead.statistics.matrix import entrant_name
from headtohead.statistics.targets import TARGET, each_target

SLICE_COLUMNS = ["case", "slice", "tp", "fp", "fn", "predicted", "truth", "largest_tp", "largest_fp"]
METRICS = "metrics.csv"
VAL_DICE_OF = "val_dice "  # before the name of a target: a column of metrics.csv where there are several
CURVES = ["train_dice", "val_dice", "train_loss", "val_loss", "learning_rate"]
SHUFFLE = 0  # seed
BATCH = 32  # slices, one size for all so that their batch scores can be compared: that of the historical table
PART_COLUMNS = ["fold", "case", "part", "slices"]


def read_scores(run: Run, name: str) -> pd.DataFrame:
    """Read a CSV file of a run folder; one that is missing or damaged is a `UserError`."""
    try:
        return read_csv(run.folder / name)
    except (OSError, UnreadableError) as fault:
        raise UserError(f"{run.folder / name}: damaged ({fault}); delete it and run `test` again") from fault


def metrics_of(run: Run, columns: Sequence[str], others: Sequence[str] = ()) -> pd.DataFrame | None:
    """Read some columns of metrics.csv and the epoch, which counts from 0; of the others those that are there.

    Returns:
        One row an epoch; None for the baseline and for a run without a whole epoch.

    Raises:
        UnreadableError: it is damaged.
    """
    try:
        table = read_csv(run.folder / METRICS)
        there = [name for name in others if name in table]
        table = table[["epoch", *columns, *there]].astype(float).astype({"epoch": int})
    except FileNotFoundError:
        return None
    except (LookupError, ValueError, TypeError, OverflowError) as fault:
        raise UnreadableError(str(fault)) from fault
    return None if table.empty else table


def slices_of(ledger: Ledger) -> pd.DataFrame:
    """Counts of each test slice of each run that counts; runs without slices.csv are left out.

    Returns:
        Columns model, schedule, seed, fold, then those of `scoring.conventions.slice_counts`, with several targets one
        row each; slices count from 1.
    """
    tables = [
        read_scores(run, "slices.csv").assign(**run.experiment)
        for run in ledger.counted
        if (run.folder / "slices.csv").is_file()
    ]
    columns = [*EXPERIMENT_COLUMNS, *SLICE_COLUMNS]
    if not tables:
        return pd.DataFrame(columns=columns)
    stacked = pd.concat(tables, ignore_index=True).astype({"seed": "Int64", "fold": "Int64"})
    if TARGET in stacked:
        columns.insert(columns.index("case") + 1, TARGET)
    return stacked[columns]


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
            parts = read_scores(run, "split.csv").groupby(["case", "part"]).size().rename("slices").reset_index()
            found[fold] = parts.assign(fold=fold)
    if not found:
        return pd.DataFrame(columns=PART_COLUMNS)
    return pd.concat([found[fold] for fold in sorted(found)], ignore_index=True)[PART_COLUMNS]


def conventions_of(slices: pd.DataFrame, ledger: Ledger) -> pd.DataFrame:
    """Each entrant's predictions scored in every way; seeds, which predict the same slices again, are averaged.

    Batches are filled with slices in a random order, the same for all: in that of the cases they would be patients.
    """
    left_out = {run.entrant for run in _lacking_slices(ledger)}
    scored = [
        conventions(rows.sample(frac=1, random_state=SHUFFLE), BATCH).assign(
            entrant=entrant_name(model, schedule), **{TARGET: target}
        )
        for (model, schedule, _), own in slices.groupby(["model", "schedule", "seed"], sort=False, dropna=False)
        for target, rows in each_target(own).items()
        if (model, schedule) not in left_out
    ]
    keys = ["entrant", *([TARGET] if TARGET in slices else []), "convention"]
    columns = [*keys, "score", "n", "meaning"]
    if not scored:
        return pd.DataFrame(columns=columns)
    stacked = pd.concat(scored)
    grouped = stacked.groupby(keys, sort=False)
    return grouped.agg(score=("score", "mean"), n=("n", "first"), meaning=("meaning", "first")).reset_index()[columns]


def _lacking_slices(ledger: Ledger) -> list[Run]:
    return [run for run in ledger.counted if not (run.folder / "slices.csv").is_file()]


def without_slices(ledger: Ledger) -> list[str]:
    """Name the runs that keep no slices.csv."""
    lacking = [run.name for run in _lacking_slices(ledger)]
    return [f"No slices.csv in {', '.join(lacking)}: left out of the conventions."] if lacking else []


def curves_of(ledger: Ledger) -> pd.DataFrame:
    """Give the curves of every run that counts: run, entrant, seed, fold, epoch (from 1), then `CURVES`.

    Of several targets, the validation Dice of each comes last.
    """
    tables, names = [], ledger.task.targets.names
    for run in ledger.counted:
        try:
            table = metrics_of(run, CURVES, [VAL_DICE_OF + name for name in names if len(names) > 1])
        except UnreadableError:
            continue  # drawing the curves warns of it
        if table is not None:
            about = {"run": run.name, "entrant": entrant_of(run)}
            about |= {key: run.experiment[key] for key in ("seed", "fold")}
            tables.append(table.assign(**about, epoch=table["epoch"] + 1)[[*about, *table]])
    empty = pd.DataFrame(columns=["run", "entrant", "seed", "fold", "epoch", *CURVES])
    return pd.concat(tables, ignore_index=True) if tables else empty
