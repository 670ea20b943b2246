"""What `--predict` says of each file: a line, a table at the end, and summary.csv."""

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from headtohead.errors import UserError
from headtohead.plurals import count_of
from headtohead.predicting.predict import Found
from headtohead.records.regular import UnreadableError, read_regular
from headtohead.saving import write_text
from headtohead.scoring.components import count_components
from headtohead.scoring.counts import count, dice

FILE = "summary.csv"
LARGEST = 256 << 20  # bytes
SHOWN = 40
"""Files in the printed table; of more only the sums are printed, and summary.csv has the rest."""


@dataclass(frozen=True)
class Row:
    """A line of summary.csv.

    Attributes:
        file: path below the input folder; of sequences in several files, their common name.
        volume_ml: what is inside the mask, in millilitres; None where the file has no spacing.
        voxels: the same in voxels (pixels of a picture).
        slices: of the volume.
        slices_with_lesion: those in which the mask is not empty.
        lesions: connected components of the mask (26 neighbours).
        dice: with the truth beside it, in 3-D; None without a truth, NaN where the truth holds no lesion.
        threshold: probability from which a voxel was inside.
        steps: clean-up of the mask, as `--postprocessing` takes it.
        model: what predicted it; several models are joined by ` + `.
        seconds: of reading, computing and writing, on the first line of a file.
        warnings: what makes the result doubtful; in the file they are joined by semicolons.
        error: why there is no result; empty where there is one.
        seen: `train` or `val` where a model was trained on the case or chosen by it, so that its Dice is no test.
        notes: what was decided about its files: taken as which sequence, resampled, or not used; joined likewise.
        target: which of several targets the line is of; empty where the model has one.
    """

    file: str
    volume_ml: float | None = None
    voxels: int | None = None
    slices: int | None = None
    slices_with_lesion: int | None = None
    lesions: int | None = None
    dice: float | None = None
    threshold: float | None = None
    steps: str = ""
    model: str = ""
    seconds: float | None = None
    warnings: tuple[str, ...] = ()
    error: str = ""
    seen: str = ""
    notes: tuple[str, ...] = ()
    target: str = ""

    @property
    def title(self) -> str:
        """File and target."""
        return f"{self.file}: {self.target}" if self.target else self.file

    @property
    def measures(self) -> str:
        """What was found, in words."""
        amount = f"{self.voxels:,} voxels" if self.volume_ml is None else f"{self.volume_ml:.2f} ml"
        parts = [
            amount if self.voxels else "nothing found",
            f"{self.slices_with_lesion} of {count_of(self.slices or 0, 'slice')}",
            count_of(self.lesions or 0, "lesion"),
        ]
        return ", ".join(filter(None, [*parts, self.score]))

    @property
    def score(self) -> str:
        """The Dice in words; empty without a truth."""
        if self.dice is None:
            return ""
        healthy = f"no lesion in the truth: {'false alarm' if self.voxels else 'left alone'}"
        return healthy if math.isnan(self.dice) else f"Dice {self.dice:.3f}"

    @property
    def line(self) -> str:
        """What is printed once the file is done."""
        seconds = "" if self.seconds is None else f", {self.seconds:.2f} s"
        return f"{self.title}: {self.measures}{seconds}"


Rows = tuple[Row, ...]
"""The lines of one file: one for each target, the first with the seconds."""


def rows_of(name: str, found: Found, model: str, warnings: Sequence[str] = (), **further: Any) -> Rows:
    """Measure what was found: a line for each target.

    Args:
        name: the file's name in the summary.
        found: what was found in it.
        model: what predicted it.
        warnings: what makes the result doubtful.
        further: attributes of `Row` that all lines share.
    """
    masks = found.targets.encode(found.as_slices(found.labels))
    truths = None if found.truth is None else found.targets.encode(found.as_slices(found.truth))
    rows = []
    for place, (target, mask) in enumerate(zip(found.targets.names, masks, strict=True)):
        measures = measure(mask, None if truths is None else truths[place], found.spacing)
        about = {
            "threshold": found.threshold,
            "steps": str(found.clean_up),
            "model": model,
            "warnings": tuple(warnings),
        }
        several = {"target": target} if len(masks) > 1 else {}
        rows.append(Row(name, **several, **measures, **about, **further))  # type: ignore[arg-type]
    return tuple(rows)


def measures_in_words(rows: Rows) -> str:
    """Say what was found in a file, target by target."""
    return "; ".join(f"{row.target}: {row.measures}" if row.target else row.measures for row in rows)


def measure(
    mask: np.ndarray, truth: np.ndarray | None, spacing: Sequence[float] | None
) -> dict[str, float | int | None]:
    """Measure a mask.

    Args:
        mask: bool [slices, H, W].
        truth: bool of the same shape, or None.
        spacing: millimetres along its axes, or None.

    Returns:
        The measures among the attributes of `Row`, by name.
    """
    voxels = int(np.count_nonzero(mask))
    return {
        "volume_ml": None if spacing is None else voxels * math.prod(spacing) / 1000,
        "voxels": voxels,
        "slices": len(mask),
        "slices_with_lesion": int(mask.any(axis=(1, 2)).sum()),
        "lesions": count_components(mask),
        "dice": None if truth is None else dice_of_lesion(mask, truth),
    }


def dice_of_lesion(mask: np.ndarray, truth: np.ndarray) -> float:
    """Dice of two masks of one shape; NaN where the truth holds no lesion, whatever was predicted."""
    return float(dice(*count(mask, truth))) if truth.any() else math.nan


def write_summary(rows: Sequence[Row], folder: Path) -> Path:
    """Write summary.csv in one step. Lines of an earlier command on other files stay in it.

    Returns:
        The path.
    """
    path = folder / FILE
    again = {row.file for row in rows}
    lines = {
        (line["file"], number): line for number, line in enumerate(read_summary(path)) if line["file"] not in again
    }
    lines |= {
        (row.file, number): {name: _cell(value) for name, value in asdict(row).items()}
        for number, row in enumerate(rows)
    }
    several = any(line.get("target") for line in lines.values())
    text = io.StringIO()
    table = csv.DictWriter(text, _columns(several), restval="", extrasaction="ignore", lineterminator="\n")
    table.writeheader()
    table.writerows(lines[key] for key in sorted(lines))
    write_text(path, text.getvalue(), lasting=True, errors="surrogateescape")
    return path


def read_summary(path: Path) -> list[dict[str, str]]:
    """Read the lines of an earlier summary.csv; none where there is none.

    Raises:
        UserError: it is another table, which must not be replaced.
    """
    foreign = UserError(f"{path}: not written by --predict; move it, or choose another folder with --output")
    try:
        text = read_regular(path, LARGEST).decode("utf-8", errors="surrogateescape")
        table = csv.DictReader(io.StringIO(text, newline=""))
        lone = _columns(several=False)
        older = (lone[:-1], lone[:-2])  # `seen` came later, and `notes`
        if table.fieldnames not in (_columns(several=True), lone, *older):
            raise foreign
        lines = list(table)
    except FileNotFoundError:
        return []
    except (UnreadableError, csv.Error) as fault:
        raise foreign from fault
    if any(None in line or None in line.values() for line in lines):
        raise foreign  # shorter or longer than the header
    return lines


def _columns(several: bool) -> list[str]:
    """Name the columns; that of the targets stands after the files, where there are several."""
    file, *others, target = (one.name for one in fields(Row))
    return [file, *([target] if several else []), *others]


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


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, tuple):
        return "; ".join(value)
    return f"{value:.6g}" if isinstance(value, float) else str(value)
