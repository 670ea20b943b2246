"""What `--predict` says of each file: a line, and summary.csv."""

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from headtohead.errors import UserError
from headtohead.options.flags import as_flags
from headtohead.plurals import count_of
from headtohead.predicting.predict import Found
from headtohead.records.regular import UnreadableError, read_regular
from headtohead.saving import write_text
from headtohead.scoring.components import count_components
from headtohead.scoring.counts import count, dice

FILE = "summary.csv"
LARGEST = 256 << 20  # bytes


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
    warnings: Sequence[str] = ()
    error: str = ""
    seen: str = ""
    notes: Sequence[str] = ()
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
    """Measure what was found in a file: a line for each target, with `further` attributes that all of them share."""
    masks = found.targets.encode(found.as_slices(found.labels))
    truths = None if found.truth is None else found.targets.encode(found.as_slices(found.truth))
    further |= {"threshold": found.threshold, "steps": str(found.clean_up), "model": model}
    further["warnings"] = [as_flags(warning) for warning in warnings]
    rows = []
    for place, (target, mask) in enumerate(zip(found.targets.names, masks, strict=True)):
        measures: dict[str, Any] = measure_mask(mask, None if truths is None else truths[place], found.spacing)
        rows.append(Row(name, target=target if len(masks) > 1 else "", **measures, **further))
    return tuple(rows)


def measures_in_words(rows: Rows) -> str:
    """Say what was found in a file, target by target."""
    return "; ".join(f"{row.target}: {row.measures}" if row.target else row.measures for row in rows)


def measure_mask(
    mask: np.ndarray, truth: np.ndarray | None, spacing: Sequence[float] | None
) -> dict[str, float | int | None]:
    """Measure a mask, bool [slices, H, W], against its truth; the spacing is in millimetres along its axes.

    Returns:
        The measures among the attributes of `Row`, by name.
    """
    score = None
    if truth is not None:
        score = float(dice(*count(mask, truth))) if truth.any() else math.nan
    voxels = int(np.count_nonzero(mask))
    return {
        "volume_ml": None if spacing is None else voxels * math.prod(spacing) / 1000,
        "voxels": voxels,
        "slices": len(mask),
        "slices_with_lesion": int(mask.any(axis=(1, 2)).sum()),
        "lesions": count_components(mask),
        "dice": score,
    }


def write_summary(rows: Sequence[Row], folder: Path) -> None:
    """Write summary.csv in one step. Lines of an earlier command on other files stay in it."""
    path = folder / FILE
    again = {row.file for row in rows}
    lines = [line for line in read_summary(path) if line["file"] not in again]
    lines += [{name: _cell(value) for name, value in vars(row).items()} for row in rows]
    several = any(line.get("target") for line in lines)
    text = io.StringIO()
    table = csv.DictWriter(text, _columns(several), restval="", extrasaction="ignore", lineterminator="\n")
    table.writeheader()
    table.writerows(sorted(lines, key=lambda line: line["file"]))
    write_text(path, text.getvalue(), lasting=True, errors="surrogateescape")


def read_summary(path: Path) -> list[dict[str, str]]:
    """Read the lines of an earlier summary.csv; none where there is none.

    Raises:
        UserError: it is another table, which must not be replaced.
    """
    foreign = UserError(f"{path}: not written by `predict`; move it, or choose another folder with `output`")
    try:
        text = read_regular(path, LARGEST).decode("utf-8", errors="surrogateescape")
        table = csv.DictReader(io.StringIO(text, newline=""))
        lone = _columns(several=False)
        # `seen` came later, and `notes`.
        if table.fieldnames not in (_columns(several=True), lone, lone[:-1], lone[:-2]):
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


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, list | tuple):
        return "; ".join(value)
    return f"{value:.6g}" if isinstance(value, float) else str(value)
