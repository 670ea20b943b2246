"""Scores of an older protocol made again from the masks that a test keeps: no model is needed, only the data set."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from headtohead.cohort import Cohort
from headtohead.errors import UserError
from headtohead.options.comparison import is_baseline
from headtohead.plurals import count_of
from headtohead.records.regular import UnreadableError
from headtohead.records.table_reader import read_table
from headtohead.runs.folder import RunFolder
from headtohead.runs.ledger import Ledger
from headtohead.runs.run import Run
from headtohead.saving import atomic_path
from headtohead.scoring.prediction_files import read_mask
from headtohead.scoring.protocol import PROTOCOL, same_predictions
from headtohead.scoring.tested import score_tested, truth_of
from headtohead.statistics.targets import recorded_scores


def rescore(ledger: Ledger, cohort: Cohort | None) -> dict[str, str]:
    """Score the runs of a comparison again whose scores are of an older protocol, and say so.

    Runs of other data, and of protocols under which they would have predicted otherwise, are left as they are: to
    refuse them is the task of whoever puts runs into one table.

    Returns:
        Name of each run whose files are missing or damaged, and why it could not be scored: it cannot be in a table
        with the others.

    Raises:
        UserError: there are such runs, and the data set is missing; or no finished run would be left.
    """
    runs = [run for run in ledger.finished if run.record.get("protocol") != PROTOCOL]
    runs = [run for run in runs if same_predictions(run.record.get("protocol"))]
    if not runs:
        return {}
    if cohort is None:
        raise UserError(
            f"{runs[0].folder}: scored under an older protocol; `report` can score it again from its masks, but needs "
            "the data set: name it with `root_dir`"
        )
    own = [run for run in runs if run.fact("data", "key") == cohort.key]
    faults: dict[str, str] = {}
    for run in own:
        with RunFolder(run.folder).held(wait=True):
            try:
                _refuse_without_masks(run, ledger.folder)
                rows, slices = _scored(run, cohort)
            except UserError as fault:
                faults[run.name] = str(fault)
                continue
            _keep(run, rows, slices)
    if len(faults) == len(ledger.finished):
        raise UserError(next(iter(faults.values())))
    if done := len(own) - len(faults):
        version = PROTOCOL["version"]
        print(f"{ledger.folder}: {count_of(done, 'run')} scored again from their masks, under protocol {version}")
    return faults


def _refuse_without_masks(run: Run, comparison: Path) -> None:
    folder = RunFolder(run.folder)
    if folder.masks.is_file() and folder.slices.is_file():
        return
    again = f"`test` `comparison` {comparison.name} `run_name` {run.name} predicts and scores it again"
    if run.is_given:
        again = f"`score` its masks again (from {run.fact('masks', 'folder')})"
    if is_baseline(run.entrant[0]):
        again = "`compare` makes it again"
    raise UserError(f"{run.folder}: scored under an older protocol, and its masks are missing; {again}")


def _scored(run: Run, cohort: Cohort) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Make cases.csv and slices.csv of a run anew from its masks; a damaged file is a `UserError`."""
    folder = RunFolder(run.folder)
    numbers = {str(name): number for number, name in enumerate(cohort.table["case"])}
    rows: list[dict[str, Any]] = []
    slices = []
    for name, tested in _tested_slices(folder, cohort).items():
        height, width = (int(cohort.table[side].iloc[numbers[name]]) for side in ("height", "width"))
        mask = read_mask(folder.masks, name, (len(cohort.task.targets), len(tested), height, width))
        truth = truth_of(cohort, numbers[name], tested)
        own, counts = score_tested(cohort, numbers[name], tested, mask, truth)
        rows += own
        slices.append(counts)
    return pd.DataFrame(rows), pd.concat(slices)


def _keep(run: Run, rows: pd.DataFrame, slices: pd.DataFrame) -> None:
    """Write the new tables into the run folder, and the protocol into its run.json."""
    folder = RunFolder(run.folder)
    with atomic_path(folder.cases, lasting=True) as cases_csv, atomic_path(folder.slices, lasting=True) as slices_csv:
        slices.to_csv(slices_csv, index=False)
        rows.to_csv(cases_csv, index=False)
    facts = recorded_scores(rows) if "test_dice" in run.record else {}
    folder.note(**facts, protocol=PROTOCOL)


def _tested_slices(folder: RunFolder, cohort: Cohort) -> dict[str, "np.ndarray[Any, np.dtype[np.int64]]"]:
    """The test slices of each case, from 0 within the case, as slices.csv lists them.

    Raises:
        UserError: it cannot be read, or lists what the cohort does not have.
    """
    there = cohort.table.set_index("case")["slices"]
    try:
        table = read_table(folder.slices, usecols=["case", "slice"], dtype={"case": str, "slice": int})
        if not table["slice"].between(1, table["case"].map(there)).all() or table.empty:
            raise UnreadableError("no slices of this data set")
    except (OSError, UnreadableError) as fault:
        raise UserError(f"{folder.slices}: damaged ({fault}); delete it and run `test` again") from fault
    own = table.groupby("case", sort=False)["slice"]  # of several targets, each slice has a row a target
    return {str(name): part.unique().astype(np.int64) - 1 for name, part in own}
