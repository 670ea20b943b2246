"""The table that `--predict` prints at the end: a line a file and target, and their sums."""

import math
from collections.abc import Sequence

import numpy as np

from headtohead.plurals import count_of
from headtohead.predicting.results.summary import Row

SHOWN = 40
"""Files in the table; of more only the sums are printed, and summary.csv has the rest."""


def print_table(rows: Sequence[Row], asked: int) -> None:
    """Print the table of the predicted files, with their sums: drawn on a terminal, plain text in a log.

    The mean Dice is over unseen files whose truth holds a lesion; the lines below the table count the others.

    Args:
        rows: of the files that are done, and no others.
        asked: how many files there were, those that failed among them.
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    grid = _grid(rows, asked)
    console = Console()
    if console.is_terminal:
        table = Table()
        for column, name in enumerate(grid[0]):
            table.add_column(name, justify="right" if column else "left")
        for cells in grid[1:]:
            table.add_row(*map(Text, cells))
        console.print(table)
    else:
        widths = [max(map(len, column)) for column in zip(*grid, strict=True)]
        for cells in grid:
            first, *others = (cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
            print("  ".join([first, *(cell.strip().rjust(len(cell)) for cell in others)]).rstrip())
    for target in dict.fromkeys(row.target for row in rows):
        for line in _beside_the_mean([row for row in rows if row.target == target]):
            print(f"{target}: {line}" if target else line)


def _grid(rows: Sequence[Row], asked: int) -> list[list[str]]:
    scored = any(row.dice is not None for row in rows)
    grid = [["file", "ml", "voxels", "slices", "lesions", *(["Dice"] if scored else []), "seconds"]]
    for row in rows if len(rows) <= SHOWN else ():
        grid.append(
            [
                row.title,
                "" if row.volume_ml is None else f"{row.volume_ml:.2f}",
                f"{row.voxels:,}",
                f"{row.slices_with_lesion}/{row.slices}",
                str(row.lesions),
                *([_score(row.dice)] if scored else []),
                "" if row.seconds is None else f"{row.seconds:.2f}",
            ]
        )
    targets = dict.fromkeys(row.target for row in rows)
    return grid + [_sums([row for row in rows if row.target == target], asked, scored) for target in targets]


def _sums(rows: Sequence[Row], asked: int, scored: bool) -> list[str]:
    """Sum up the lines of one target."""
    amounts = [row.volume_ml for row in rows if row.volume_ml is not None]
    scores = [dice for row in rows if (dice := row.dice) is not None and not math.isnan(dice) and not row.seen]
    count = f"all {asked}" if len(rows) == asked else f"{len(rows)} of {asked} predicted"
    seconds = [row.seconds for row in rows if row.seconds is not None]
    return [
        f"{count}{f': {rows[0].target}' * bool(rows[0].target)}{', mean Dice' if scores else ''}",
        f"{sum(amounts):.2f}" if amounts else "",
        f"{sum(row.voxels or 0 for row in rows):,}",
        f"{sum(row.slices_with_lesion or 0 for row in rows)}/{sum(row.slices or 0 for row in rows)}",
        str(sum(row.lesions or 0 for row in rows)),
        *([_score(float(np.mean(scores)) if scores else None)] if scored else []),
        f"{sum(seconds):.2f}" if seconds else "",
    ]


def _score(value: float | None) -> str:
    if value is None:
        return ""
    return "no lesion" if math.isnan(value) else f"{value:.3f}"


def _beside_the_mean(rows: Sequence[Row]) -> list[str]:
    """Say which files with a truth are not in the mean Dice, and how those without a lesion were predicted."""
    with_truth = [row for row in rows if row.dice is not None]
    seen = [row for row in with_truth if row.seen]
    healthy = [row for row in with_truth if not row.seen and math.isnan(row.dice or 0)]
    lines = []
    if seen:
        lines.append(f"not in the mean Dice: {count_of(len(seen), 'file')} that the model was trained on or chosen by")
    if healthy:
        alone = sum(not row.voxels for row in healthy)
        alarms = count_of(len(healthy) - alone, "false alarm")
        files = count_of(len(healthy), "file")
        lines.append(f"not in the mean Dice: {files} without a lesion in the truth, {alone} left alone, {alarms}")
    return lines
