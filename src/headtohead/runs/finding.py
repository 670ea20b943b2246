"""Find runs and comparisons below `--runs_dir` by what their run.json says."""

import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from headtohead.errors import UserError
from headtohead.options.comparison import is_given
from headtohead.plurals import count_of
from headtohead.records.regular import UnreadableError
from headtohead.runs.folder import RunFolder
from headtohead.runs.record import FILE, name_left_out, read_record

READY = ("trained", "finished")
"""Statuses of a run whose training came to its end."""


def trained_runs(runs_dir: Path, comparison: str = "") -> dict[RunFolder, dict[str, Any]]:
    """List the runs, of all comparisons or one, that hold a trained model, with their run.json.

    One with a damaged record is none, and is named.
    """
    runs = _records(run for run in _folders(runs_dir, comparison) if run.best.is_file())
    return {run: record for run, record in runs if record.get("status") in READY}


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


def only_comparison(runs_dir: Path, verb: str = "report") -> str:
    """Name the one comparison below `runs_dir`, for a report, or another verb, that names none.

    Raises:
        UserError: there is none, or there are several, which are printed first, one a line.
    """
    found = list_comparisons(runs_dir)
    if not found:
        raise UserError(f"`{verb}`: {runs_dir} holds no finished comparison; run `compare` first")
    if len(found) > 1:
        print(*found.values(), sep="\n")
        raise UserError(f"`{verb}`: {len(found)} comparisons in {runs_dir}; choose one: `comparison` {min(found)}")
    [(name, line)] = found.items()
    print(f"{line}; the only comparison in {runs_dir}")
    return name


def list_comparisons(runs_dir: Path) -> dict[str, str]:
    """List the comparisons that hold a finished training; a damaged one is named and left out.

    Beside each name stands a line: how many of its trainings are finished, and the day of its latest test.
    """
    days: dict[str, list[str]] = {}
    for run, record in _records(_folders(runs_dir)):
        said = record.get("experiment", {})
        # The baseline learns nothing and has no seed.
        counts = said.get("seed") is not None or is_given(str(said.get("model")), str(said.get("schedule")))
        if record.get("status") == "finished" and counts:
            days.setdefault(run.path.parent.name, []).append(str(record.get("tested") or "")[:10])
    return {
        name: f"{name}: {count_of(len(own), 'finished run')}{f', last tested on {max(own)}' if max(own) else ''}"
        for name, own in days.items()
    }


def validation_dice(record: dict[str, Any]) -> float:
    """Give the best validation Dice that a run.json states; -1 where it states none."""
    value = record.get("best_val_dice")
    return value if isinstance(value, int | float) and not math.isnan(value) else -1.0


def _folders(runs_dir: Path, comparison: str = "") -> list[RunFolder]:
    return [RunFolder(path.parent) for path in sorted(runs_dir.glob(f"{comparison or '*'}/*/{FILE}"))]


def _records(runs: Iterable[RunFolder]) -> Iterator[tuple[RunFolder, dict[str, Any]]]:
    """Give runs with their run.json; one that is damaged is named and left out."""
    for run in runs:
        try:
            yield run, read_record(run.path)
        except FileNotFoundError:
            continue
        except UnreadableError as fault:
            name_left_out(f"{run.path / FILE}: damaged ({fault})")
