"""What a table is: columns, and rows of cells that are read as text and sorted by something else."""

from collections.abc import Iterable
from dataclasses import dataclass

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
    """The head of a column: its name, whether its cells are numbers, and the colour of the target it is about."""

    name: str
    numeric: bool = True
    colour: str = ""


@dataclass(frozen=True)
class Table:
    """A table whose first column names its rows."""

    caption: str
    columns: list[Column]
    rows: list[list[Cell]]


def head(first: str, numbers: Iterable[str]) -> list[Column]:
    """Give the columns of a table whose first is text and whose others are numbers."""
    return [Column(first, numeric=False), *(Column(name) for name in numbers)]
