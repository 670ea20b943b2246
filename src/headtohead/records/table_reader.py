"""Read CSV within bounds: as a table of pandas, or, where importing that takes too long, as rows of text."""

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headtohead.records.regular import UnreadableError, read_utf8

if TYPE_CHECKING:
    import pandas as pd

LARGEST = 256 << 20
"""Bytes."""

UNEVEN = "rows are not as long as the header"


def read_table(path: Path, **options: Any) -> "pd.DataFrame":
    """Read a CSV file as `pandas.read_csv` does with these options.

    Raises:
        FileNotFoundError: there is none.
        UnreadableError: it is no file, too large, not UTF-8, no table, or a row has more fields than the header.
    """
    import pandas as pd

    text = read_utf8(path, LARGEST)
    try:
        table = pd.read_csv(io.StringIO(text), **options)
    except (ValueError, LookupError, TypeError, ArithmeticError) as fault:
        raise UnreadableError(str(fault).splitlines()[0] if str(fault) else "no table") from fault
    if not isinstance(table.index, pd.RangeIndex):  # pandas would take the first fields as names of the rows
        raise UnreadableError("rows have more fields than the header")
    return table


def read_rows(path: Path, needed: tuple[str, ...] = ()) -> list[dict[str, str]]:
    """Read a CSV file as text.

    Raises:
        FileNotFoundError: there is none.
        UnreadableError: it is no file, too large, not UTF-8 or no table, lacks a column or has it twice, or a row is of
            another length than the header.
    """
    table = csv.DictReader(io.StringIO(read_utf8(path, LARGEST), newline=""))
    try:
        names = table.fieldnames or ()
        for name in needed:
            if name not in names:
                raise UnreadableError(f"no column {name}")
        if twice := next((name for name in names if names.count(name) > 1), ""):
            raise UnreadableError(f"two columns {twice}")
        rows = list(table)
    except csv.Error as fault:
        raise UnreadableError(f"line {table.line_num}: {fault}") from fault
    for row in rows:
        if None in row or None in row.values():
            raise UnreadableError(UNEVEN)
    return rows
