"""The text of results.md, and its cells."""

from pathlib import Path

from headtohead.reporting.summary import summarise
from headtohead.reporting.table import render_markdown
from headtohead.runs.reading import read_ledger


def markdown(comparison: Path) -> str:
    """The text of results.md."""
    return render_markdown(summarise(read_ledger(comparison)))


def cells(text: str) -> dict[str, list[str]]:
    """Rows of both tables of a results.md by their first cell."""
    lines = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in text.splitlines() if "|" in line]
    return {line[0]: line[1:] for line in lines}
