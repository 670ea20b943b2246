"""One cell each: the text that is read, and what it is sorted by."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from headtohead.reporting.page import wording
from headtohead.reporting.page.entrants import Entrant
from headtohead.reporting.page.tables.lookup import value_of
from headtohead.reporting.page.tables.table import Cell

if TYPE_CHECKING:
    import pandas as pd


def number(value: Any, write: Any) -> Cell:
    """A number as `write` writes it, sorted by its value."""
    if wording.missing(value):
        return Cell(wording.NOTHING)
    return Cell(write(value), value if isinstance(value, str) else float(value))


def word(value: Any) -> Cell:
    """A word, sorted by the alphabet; a number that pandas made of a code, without its decimal."""
    if wording.missing(value):
        return Cell(wording.NOTHING)
    return Cell(str(value).removesuffix(".0"), str(value))


def estimate(value: Any, low: Any, high: Any, signed: bool = False) -> Cell:
    """A number with its interval, sorted by the number."""
    write = wording.difference if signed else wording.score
    cell = number(value, lambda one: write(one, low, high))
    return Cell(f"{cell.text} {wording.interval(low, high, signed)}".strip(), cell.order)


def interval(low: Any, high: Any) -> Cell:
    """An interval alone, sorted by its lower end."""
    text = wording.interval(low, high, signed=True)
    return Cell(text, float(low)) if text else Cell(wording.NOTHING)


def lowest_to_highest(low: Any, high: Any, write: Any = wording.score) -> Cell:
    """From the lowest to the highest, sorted by the lowest."""
    return Cell(wording.NOTHING) if wording.missing(low) else Cell(f"{write(low)} to {write(high)}", float(low))


def estimate_with_range(rows: "pd.DataFrame", entrant: Entrant) -> Cell:
    """A mean with its interval, and below it median, lowest and highest."""
    columns = ("mean", "mean_low", "mean_high", "median", "minimum", "maximum")
    return _with_range(*(value_of(rows, entrant, column) for column in columns))


def mean_with_range(means: "pd.Series[float]") -> Cell:
    """The same of a row of `Findings.means`."""
    return _with_range(*(means[column] for column in ("mean", "low", "high", "median", "minimum", "maximum")))


def _with_range(mean: Any, low: Any, high: Any, median: Any, lowest: Any, highest: Any) -> Cell:
    cell = estimate(mean, low, high)
    if cell.order is None:
        return cell
    return replace(cell, note=f"median {wording.score(median)}, {lowest_to_highest(lowest, highest).text}")


def votes(numbers: "pd.Series[int]") -> Cell:
    """One number where all entrants have the same, else the range."""
    low, high = int(numbers.min()), int(numbers.max())
    return Cell(f"{low:,}" if low == high else f"{low:,}–{high:,}", float(high))
