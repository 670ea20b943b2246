"""The results table of a comparison: results.csv for programs, results.md for people, and the same on the terminal."""

import math
from pathlib import Path

from headtohead.reporting.summary import Row, Summary, summarise
from headtohead.runs.ledger import Ledger, read_ledger
from headtohead.saving import atomic_path, write_text
from headtohead.scoring.counts import FAILED_BELOW
from headtohead.scoring.intervals import Interval

NOTHING = "–"
Grid = list[list[str]]  # the first line is the header


def write_table(folder: Path) -> Path:
    """Write results.csv (one row per run and test case) and results.md (the table) from the run folders.

    Args:
        folder: the comparison's folder, `runs/<comparison>`.

    Returns:
        Path of results.md.

    Raises:
        UserError: the folder is missing, or its runs may not stand in one table.
    """
    ledger = read_ledger(folder)
    with atomic_path(ledger.folder / "results.csv") as temporary:
        ledger.cases.to_csv(temporary, index=False)
    path = ledger.folder / "results.md"
    write_text(path, render_markdown(ledger))
    return path


def print_table(folder: Path) -> None:
    """Print the table: drawn on a terminal, as the text of results.md in a log.

    Args:
        folder: the comparison's folder.

    Raises:
        UserError: as `write_table`.
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    ledger = read_ledger(folder)
    console = Console()
    if not console.is_terminal:
        print(render_markdown(ledger), end="")
        return
    summary = summarise(ledger)
    for title, grid in ((f"{summary.title}: mean Dice per case", score_grid(summary)), ("", run_grid(summary.rows))):
        table = Table(title=title or None, title_justify="left", title_style="bold")
        for place, name in enumerate(grid[0]):
            table.add_column(Text(name), justify="right" if place else "left")
        for line in grid[1:]:
            table.add_row(*(Text(cell) for cell in line))
        if len(grid) > 1:
            console.print(table)
    for note in summary.footnotes:
        console.print(Text(note, style="bold red" if note.startswith("LEAK") else ""))


def render_markdown(ledger: Ledger) -> str:
    """Give the text of results.md."""
    summary = summarise(ledger)
    parts = [f"# {summary.title}: mean Dice per case"]
    parts += [_markdown(grid) for grid in (score_grid(summary), run_grid(summary.rows)) if len(grid) > 1]
    parts += summary.footnotes
    return "\n\n".join(parts) + "\n"


def score_grid(summary: Summary) -> Grid:
    """Lay out the main table: rows schedule, columns model; the baseline, which is no model, in a column of its own."""
    with_baseline = summary.baseline is not None
    header = ["schedule", *summary.models, *(["no model"] if with_baseline else [])]
    grid = [header]
    for schedule in summary.schedules:
        line = [_cell(summary, schedule, model) for model in summary.models]
        grid.append([schedule, *line, *([NOTHING] if with_baseline else [])])
    if summary.baseline is not None:
        grid.append(["threshold on FLAIR", *[NOTHING] * len(summary.models), show_interval(summary.baseline)])
    return grid


def run_grid(rows: list[Row]) -> Grid:
    """Lay out the second table: one row per finished experiment."""
    cells = [
        "experiment",
        "parameters",
        "mean",
        "median",
        f"cases below {FAILED_BELOW:g}",
        "epochs",
        "best epoch",
        "seconds",
    ]
    grid = [cells]
    for row in rows:
        whole = [NOTHING if number is None else str(number) for number in (row.epochs, row.best_epoch)]
        seconds = NOTHING if row.seconds is None else f"{row.seconds:.0f}"
        size = NOTHING if row.parameters is None else f"{row.parameters / 1e6:.1f} M"
        grid.append([row.name, size, _number(row.mean), _number(row.median), str(row.failed), *whole, seconds])
    return grid


def show_interval(interval: Interval) -> str:
    """Give `0.82 [0.74, 0.89]`; the mean alone where there are too few values for an interval."""
    if math.isnan(interval.low):
        return _number(interval.mean)
    return f"{interval.mean:.2f} [{interval.low:.2f}, {interval.high:.2f}]"


def _cell(summary: Summary, schedule: str, model: str) -> str:
    if (schedule, model) in summary.cells:
        return show_interval(summary.cells[schedule, model])
    return summary.gaps.get((schedule, model), NOTHING)


def _number(value: float) -> str:
    return "undefined" if math.isnan(value) else f"{value:.2f}"


def _markdown(grid: Grid) -> str:
    """Markdown whose columns also line up in a plain text file."""
    grid = [[_escape(cell) for cell in line] for line in grid]
    widths = [max(len(line[place]) for line in grid) for place in range(len(grid[0]))]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    padded = [
        [
            cell.rjust(width) if place else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(line, widths, strict=True))
        ]
        for line in grid
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in [padded[0], rule, *padded[1:]])


def _escape(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
