"""Find the runs below `--runs_dir` that hold a trained model."""

import math
from pathlib import Path
from typing import Any

from headtohead.errors import UserError
from headtohead.records.regular import UnreadableError
from headtohead.runs.folder import RunFolder
from headtohead.runs.record import FILE, name_left_out, read_record

READY = ("trained", "finished")
"""Statuses of a run whose training came to its end."""


def trained_runs(runs_dir: Path, comparison: str = "") -> dict[RunFolder, dict[str, Any]]:
    """List the runs that hold a trained model, with their run.json; one with a damaged record is none, and is named.

    Args:
        runs_dir: as `--runs_dir`.
        comparison: only those of this one; empty: of all.
    """
    runs = {}
    for run in _folders(runs_dir, comparison):
        if not run.best.is_file():
            continue
        try:
            record = read_record(run.path)
        except FileNotFoundError:
            continue
        except UnreadableError as fault:
            name_left_out(f"{run.path / FILE}: damaged ({fault})")
            continue
        if record.get("status") in READY:
            runs[run] = record
    return runs


def named_run(runs_dir: Path, name: str, comparison: str = "") -> RunFolder:
    """Find the one run of a name.

    Raises:
        UserError: there is none, or one in each of several comparisons, or it holds no model yet.
    """
    found = [run for run in _folders(runs_dir, comparison) if run.path.name == name]
    where = runs_dir / comparison
    if not found:
        known = ", ".join(sorted({run.path.name for run in _folders(runs_dir, comparison) if run.best.is_file()}))
        raise UserError(
            f"`run_name` {name}: no such run in {where}; {f'there are: {known}' if known else 'train first: `train`'}"
        )
    if len(found) > 1:
        places = ", ".join(run.path.parent.name for run in found)
        raise UserError(f"`run_name` {name}: there is one in each of {places}; choose with `comparison`")
    if not found[0].best.is_file():
        raise UserError(f"`run_name` {name}: {found[0].path} holds no trained model yet; train it first: `train`")
    return found[0]


def validation_dice(record: dict[str, Any]) -> float:
    """Give the best validation Dice that a run.json states; -1 where it states none."""
    value = record.get("best_val_dice")
    return value if isinstance(value, int | float) and not math.isnan(value) else -1.0


def _folders(runs_dir: Path, comparison: str) -> list[RunFolder]:
    return [RunFolder(path.parent) for path in sorted(runs_dir.glob(f"{comparison or '*'}/*/{FILE}"))]
