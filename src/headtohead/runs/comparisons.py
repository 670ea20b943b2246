"""Which comparisons lie below `--runs_dir`, and which of them a report without a name is about."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from headtohead.errors import UserError
from headtohead.records.regular import UnreadableError
from headtohead.runs.record import FILE, name_left_out, read_record


@dataclass(frozen=True)
class ComparisonSummary:
    """One comparison: its name, how many of its trainings are finished, and the day of its latest test."""

    name: str
    finished: int
    date: str

    def __str__(self) -> str:
        runs = "1 finished run" if self.finished == 1 else f"{self.finished} finished runs"
        return f"{self.name}: {runs}{f', last tested on {self.date}' if self.date else ''}"


def list_comparisons(runs_dir: Path) -> list[ComparisonSummary]:
    """List the comparisons that hold a finished training, by name; a damaged one is named and left out."""
    records: dict[str, list[dict[str, Any]]] = {}
    for path in sorted(runs_dir.glob(f"*/*/{FILE}")):
        try:
            record = read_record(path.parent)
        except FileNotFoundError:
            continue
        except UnreadableError as fault:
            name_left_out(f"{path}: damaged ({fault})")
            continue
        if _is_finished_training(record):
            records.setdefault(path.parents[1].name, []).append(record)
    return [
        ComparisonSummary(name, len(found), max(str(record.get("tested") or "") for record in found)[:10])
        for name, found in records.items()
    ]


def _is_finished_training(record: dict[str, Any]) -> bool:
    """Tell a finished training from one that is not, and from the baseline, which learns nothing and has no seed."""
    return record.get("status") == "finished" and record.get("experiment", {}).get("seed") is not None


def only_comparison(runs_dir: Path) -> str:
    """Name the one comparison below `runs_dir`, for a report that names none.

    Raises:
        UserError: there is none, or there are several, which are printed first, one a line.
    """
    found = list_comparisons(runs_dir)
    if not found:
        raise UserError(f"`report`: {runs_dir} holds no finished comparison; run `compare` first")
    if len(found) > 1:
        print(*found, sep="\n")
        raise UserError(f"`report`: {len(found)} comparisons in {runs_dir}; choose one: `comparison` {found[0].name}")
    print(f"{found[0]}; the only comparison in {runs_dir}")
    return found[0].name
