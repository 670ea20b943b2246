"""What a table is: columns, and rows of cells that are read as text and sorted by something else."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from headtohead.reporting.page.entrants import Entrant


@dataclass(frozen=True)
class Cell:
    """One cell.

    Attributes:
        text: what is read.
        order: what it is sorted by: a number, a text, or None where there is no value, which stands last either way.
        entrant: whose marker stands before the text.
        note: a smaller second line.
    """

    text: str
    order: float | str | None = None
    entrant: Entrant | None = None
    note: str = ""


@dataclass(frozen=True)
class Column:
    """One column: its name, its cell of a record, whether these are numbers, the colour of the target it is about."""

    name: str
    cell: Callable[[Any], Cell]
    numeric: bool = True
    colour: str = ""


@dataclass(frozen=True)
class Table:
    """A table whose first column names its rows."""

    caption: str
    columns: list[Column]
    rows: list[list[Cell]]


def table_of(caption: str, columns: list[Column], records: Iterable[Any]) -> Table:
    """Lay records out, one a row."""
    return Table(caption, columns, [[column.cell(record) for column in columns] for record in records])
