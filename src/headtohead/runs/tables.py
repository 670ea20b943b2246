"""cases.csv and the tables beside it, as a test wrote them: what cannot be so is not believed."""

from typing import TYPE_CHECKING

from headtohead.records.regular import UnreadableError
from headtohead.records.table_reader import read_table
from headtohead.runs.ledger import COUNTS, NUMBERS
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


class BrokenTableError(Exception):
    """Why the tables of a run are not believed, in a few words."""


def read_cases_table(run: Run) -> "pd.DataFrame":
    """Read cases.csv of a finished run, with the columns of its experiment before it.

    Raises:
        BrokenTableError: it is missing, damaged or was edited.
    """
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
        raise BrokenTableError(
            "it says finished, but its cases.csv is missing or broken; delete the folder and run it again"
        ) from None
    for place, column in enumerate(EXPERIMENT_COLUMNS):
        table.insert(place, column, run.experiment[column])
    return table


def refuse_broken_tables(run: Run) -> None:
    """Refuse damaged tables; those that earlier versions did not write may be missing.

    Raises:
        BrokenTableError: names the table.
    """
    for name, columns in KEPT.items():
        try:
            read_table(run.folder / name)[list(columns)].astype(columns)
        except FileNotFoundError:
            continue
        except (UnreadableError, ValueError, KeyError, TypeError, OverflowError):
            raise BrokenTableError(f"its {name} is broken; delete the folder and run it again") from None


def _refuse_made_up(table: "pd.DataFrame") -> None:
    """Dice follows from the counts, and a case is scored once; a table that says otherwise was edited."""
    double = 2 * table["tp"]
    follows = (double / (double + table["fp"] + table["fn"])).sub(table["dice"]).abs() < EDITED
    undefined = table["dice"].isna() & (table["tp"] + table["fn"] == 0)  # no lesion, no Dice
    if not (follows | undefined).all() or table[[one for one in ("case", "target") if one in table]].duplicated().any():
        raise BrokenTableError("its cases.csv was edited: a case is listed twice, or a Dice does not match its counts")
