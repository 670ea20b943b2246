"""One cell each: the text that is read, and what it is sorted by; and columns of such cells, by the key of a record."""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from headtohead.reporting.page import wording
from headtohead.reporting.page.entrants import Entrant
from headtohead.reporting.page.tables.table import Cell, Column

if TYPE_CHECKING:
    import pandas as pd


def word_cell(text: object) -> Cell:
    """A word, sorted by the alphabet."""
    return Cell(str(text), str(text))


def number_cell(value: Any, write: Callable[[Any], str]) -> Cell:
    """A number as `write` writes it, sorted by its value."""
    return Cell(wording.NOTHING) if wording.missing(value) else Cell(write(value), float(value))


def estimate(value: Any, low: Any, high: Any, signed: bool = False) -> Cell:
    """A number with its interval, sorted by the number."""
    write = wording.signed_difference if signed else wording.score
    cell = number_cell(value, lambda one: write(one, low, high))
    return replace(cell, text=f"{cell.text} {wording.interval(low, high, signed)}".strip())


def lowest_to_highest(low: Any, high: Any, write: Callable[[Any], str] = wording.score) -> Cell:
    """From the lowest to the highest, sorted by the lowest."""
    return number_cell(low, lambda lowest: f"{write(lowest)} to {write(high)}")


def with_range(found: "Mapping[str, Any] | pd.Series", low: str = "low", high: str = "high") -> Cell:
    """A mean with its interval, whose ends are under these keys, and below it median, lowest and highest."""
    cell = estimate(found["mean"], found[low], found[high])
    if cell.order is None:
        return cell
    span = lowest_to_highest(found["minimum"], found["maximum"]).text
    return replace(cell, note=f"median {wording.score(found['median'])}, {span}")


def votes(numbers: "pd.Series[int]") -> Cell:
    """One number where all entrants have the same, else the range."""
    low, high = int(numbers.min()), int(numbers.max())
    return Cell(f"{low:,}" if low == high else f"{low:,}–{high:,}", float(high))


def word_column(key: str) -> Column:
    """The column of a word that stands under its own name."""
    return Column(key, lambda record: word_cell(record[key]), numeric=False)


def numbers(name: str, key: Hashable, write: Callable[[Any], str]) -> Column:
    """A column of numbers."""
    return Column(name, lambda record: number_cell(record[key], write))


def estimates(name: str, key: str, low: str = "low", high: str = "high", signed: bool = False) -> Column:
    """A column of numbers with their intervals."""
    return Column(name, lambda record: estimate(record[key], record[low], record[high], signed))


def of_entrants(sources: bool = False) -> Column:
    """The column of the entrants, each with its marker and where its masks are from; an `Entrant` is under that key."""

    def cell(record: Mapping[str, Entrant]) -> Cell:
        entrant = record["entrant"]
        return Cell(entrant.label, entrant.label, entrant, entrant.given if sources else "")

    return Column("entrant", cell, numeric=False)


def each(shown: Mapping[Any, str], cell: Callable[[Any], Cell]) -> list[Column]:
    """A column for each of `shown`, by its label: the cell of what `of` holds under its key, a dash where nothing."""

    def column(key: Hashable, label: str) -> Column:
        return Column(label, lambda record: cell(record["of"][key]) if key in record["of"] else Cell(wording.NOTHING))

    return [column(key, label) for key, label in shown.items()]
