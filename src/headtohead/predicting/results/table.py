"""The table that `--predict` prints at the end: a line a file and target, and their sums."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from headtohead.drawing.terminal import drawn_table
from headtohead.plurals import count_of
from headtohead.predicting.results.summary import Row

SHOWN = 40  # files in the table; of more only the sums are printed, and summary.csv has the rest


def print_table(rows: Sequence[Row], asked: int) -> None:
    """Print the table of the predicted files, with their sums: drawn on a terminal, plain text in a log.

    The mean Dice is over unseen files whose truth holds a lesion; the lines below the table count the others. The rows
    are of the files that are done; `asked` counts those that failed, too.
    """
    from rich.console import Console

    targets = dict.fromkeys(row.target for row in rows)
    by_target = [[row for row in rows if row.target == target] for target in targets]
    grid = [["file", "ml", "voxels", "slices", "lesions", "Dice", "seconds"]]
    shown = [*rows] if len(rows) <= SHOWN else []
    grid += [_cells(row) for row in shown + [_sums(lines, asked) for lines in by_target]]
    if all(row.dice is None for row in rows):
        grid = [[*cells[:5], cells[6]] for cells in grid]
    console = Console()
    if console.is_terminal:
        console.print(drawn_table(grid))
    else:
        widths = [max(map(len, column)) for column in zip(*grid, strict=True)]
        for first, *others in grid:
            right = (cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True))
            print("  ".join([first.ljust(widths[0]), *right]).rstrip())
    for target, lines in zip(targets, by_target, strict=True):
        for line in _beside_the_mean(lines):
            print(f"{target}: {line}" if target else line)


def _cells(row: Row) -> list[str]:
    score = "" if row.dice is None else f"{row.dice:.3f}"
    return [
        row.title,
        "" if row.volume_ml is None else f"{row.volume_ml:.2f}",
        f"{row.voxels:,}",
        f"{row.slices_with_lesion}/{row.slices}",
        str(row.lesions),
        "no lesion" if score == "nan" else score,
        "" if row.seconds is None else f"{row.seconds:.2f}",
    ]


def _sums(rows: Sequence[Row], asked: int) -> Row:
    """Sum up the lines of one target."""
    sums: dict[str, Any] = {}
    for name in ("volume_ml", "voxels", "slices", "slices_with_lesion", "lesions", "seconds"):
        known = [value for row in rows if (value := getattr(row, name)) is not None]
        sums[name] = sum(known) if known else None
    scores = [dice for row in rows if (dice := row.dice) is not None and not math.isnan(dice) and not row.seen]
    count = f"all {asked}" if len(rows) == asked else f"{len(rows)} of {asked} predicted"
    title = f"{count}{f': {rows[0].target}' * bool(rows[0].target)}{', mean Dice' if scores else ''}"
    return Row(title, dice=float(np.mean(scores)) if scores else None, **sums)


def _beside_the_mean(rows: Sequence[Row]) -> list[str]:
    """Say which files with a truth are not in the mean Dice, and how those without a lesion were predicted."""
    seen = sum(row.dice is not None and bool(row.seen) for row in rows)
    healthy = [row for row in rows if row.dice is not None and not row.seen and math.isnan(row.dice)]
    lines = []
    if seen:
        lines.append(f"not in the mean Dice: {count_of(seen, 'file')} that the model was trained on or chosen by")
    if healthy:
        alone = sum(not row.voxels for row in healthy)
        alarms = count_of(len(healthy) - alone, "false alarm")
        files = count_of(len(healthy), "file")
        lines.append(f"not in the mean Dice: {files} without a lesion in the truth, {alone} left alone, {alarms}")
    return lines
