"""Run folders are read into a ledger: half-written and foreign ones left out, those that disagree refused."""

from collections.abc import Set
from pathlib import Path
from typing import TYPE_CHECKING

from headtohead.errors import UserError
from headtohead.records.regular import UnreadableError
from headtohead.records.table_reader import read_table
from headtohead.runs.agreement import may_stand_together, refuse_mixture, refuse_other_cases, refuse_other_input
from headtohead.runs.ledger import COUNTS, FIGURES, NUMBERS, Ledger
from headtohead.runs.record import FILE, read_record
from headtohead.runs.run import EXPERIMENT_COLUMNS, Run

if TYPE_CHECKING:
    import pandas as pd

EDITED = 1e-6  # a Dice this far from what its counts give was not written by us
KEPT: dict[str, dict[str, type]] = {
    "slices.csv": dict.fromkeys(("slice", "tp", "fp", "fn", "predicted", "truth"), int)
    | {"case": str, "largest_tp": float, "largest_fp": float},
    "split.csv": {"case": str, "part": str},
}
TEXTS = ["case", "target", "patient", "site", "grade", "missing"]


def read_ledger(comparison_folder: Path, without: Set[str] = frozenset(), *, agreeing: bool = True) -> Ledger:
    """Read all run folders of a comparison; half-written and foreign ones are left out, each with a note.

    Runs `without` which it is to be read are skipped. The others have to agree in what `agreement` asks for, unless
    this is for what brings them to agree.

    Raises:
        UserError: the folder is missing, or finished runs differ in data, split or protocol.
    """
    folder = Path(comparison_folder)
    if not folder.is_dir():
        raise UserError(f"{folder}: no such comparison; run `compare` first, or name another with `comparison`")
    runs: list[Run] = []
    tables: dict[str, pd.DataFrame] = {}
    notes: list[str] = []
    for run_folder in sorted(path for path in folder.iterdir() if _may_be_run(path) and path.name not in without):
        try:
            run = _read_run(run_folder)
            if run.status == "finished":
                _refuse_twin(run, [other for other in runs if other.name in tables])
                _refuse_broken(run)
                tables[run.name] = _read_cases(run)
            runs.append(run)
        except _LeftOutError as reason:
            notes.append(f"{run_folder.name} left out: {reason}")
    ledger = Ledger(folder, tuple(runs), tables, tuple(notes))
    if not agreeing:
        return ledger
    refuse_mixture(ledger)
    refuse_other_input(ledger)
    refuse_other_cases(ledger)
    return ledger


def read_ledger_around(run_folder: Path) -> Ledger:
    """Read a finished run, and those runs of its comparison that may be in one table with it.

    Raises:
        UserError: as `read_ledger`.
    """
    folder, run = run_folder.parent, _read_run(run_folder)
    others = set()
    for path in folder.iterdir():
        try:
            if path != run_folder and _may_be_run(path) and not may_stand_together(run, _read_run(path)):
                others.add(path.name)
        except _LeftOutError:
            continue
    return read_ledger(folder, without=others)


class _LeftOutError(Exception):
    """Why a folder is left out, in a few words."""


def _may_be_run(path: Path) -> bool:
    return path.is_dir() and path.name != FIGURES and not path.name.startswith(".")


def _read_run(folder: Path) -> Run:
    try:
        record = read_record(folder)
        run = Run(folder, record, record["status"])
        run.experiment["model"].strip()
    except FileNotFoundError:
        raise _LeftOutError(f"it has no {FILE}") from None
    except UnreadableError as fault:
        raise _LeftOutError(f"its {FILE} does not describe a run ({fault})") from None
    except (LookupError, AttributeError):
        raise _LeftOutError(f"its {FILE} does not describe a run") from None
    return run


def _refuse_twin(run: Run, counted: list[Run]) -> None:
    for other in counted:
        if other.experiment == run.experiment:
            raise _LeftOutError(f"it is the same experiment as {other.name}, which is counted already")


def _read_cases(run: Run) -> "pd.DataFrame":
    try:
        # Only an empty number is missing: a site may well be called NA.
        path = run.folder / "cases.csv"
        columns = read_table(path, nrows=0).columns
        texts = [column for column in columns if column in TEXTS]
        numbers = {column: float for column in columns if column not in TEXTS} | dict.fromkeys(COUNTS, int)
        missing = {column: [""] for column in numbers}
        table = read_table(path, keep_default_na=False, na_values=missing, dtype=dict.fromkeys(texts, str))
        table = table.astype(numbers)
        table[["case", "site", *NUMBERS]]  # KeyError if one is not there
        if table.empty:
            raise ValueError
        _refuse_made_up(table)
    except (OSError, UnreadableError, ValueError, KeyError, TypeError, OverflowError):
        raise _LeftOutError(
            "it says finished, but its cases.csv is missing or broken; delete the folder and run it again"
        ) from None
    for place, column in enumerate(EXPERIMENT_COLUMNS):
        table.insert(place, column, run.experiment[column])
    return table


def _refuse_broken(run: Run) -> None:
    """Tables that earlier versions did not write may be missing, but not be broken."""
    for name, columns in KEPT.items():
        try:
            read_table(run.folder / name)[list(columns)].astype(columns)
        except FileNotFoundError:
            continue
        except (UnreadableError, ValueError, KeyError, TypeError, OverflowError):
            raise _LeftOutError(f"its {name} is broken; delete the folder and run it again") from None


def _refuse_made_up(table: "pd.DataFrame") -> None:
    """Dice follows from the counts, and a case is scored once; a table that says otherwise was edited."""
    double = 2 * table["tp"]
    follows = (double / (double + table["fp"] + table["fn"])).sub(table["dice"]).abs() < EDITED
    undefined = table["dice"].isna() & (table["tp"] + table["fn"] == 0)  # no lesion, no Dice
    if not (follows | undefined).all() or table[[one for one in ("case", "target") if one in table]].duplicated().any():
        raise _LeftOutError("its cases.csv was edited: a case is listed twice, or a Dice does not match its counts")
