"""Run folders are read into a ledger: half-written and foreign ones left out, those that disagree refused."""

from collections.abc import Set
from pathlib import Path
from typing import TYPE_CHECKING

from headtohead.errors import UserError
from headtohead.options.checks import FIGURES
from headtohead.records.regular import UnreadableError
from headtohead.runs.agreement import may_stand_together, refuse_mixture, refuse_other_cases, refuse_other_input
from headtohead.runs.external import read_external_tests
from headtohead.runs.folder import EXTERNAL
from headtohead.runs.ledger import ExternalTest, Ledger
from headtohead.runs.record import FILE, read_record
from headtohead.runs.run import Run
from headtohead.runs.tables import BrokenTableError, read_cases_table, refuse_broken_tables

if TYPE_CHECKING:
    import pandas as pd


def read_ledger(comparison_folder: Path, without: Set[str] = frozenset(), *, agreeing: bool = True) -> Ledger:
    """Read all run folders of a comparison; half-written and foreign ones are left out, each with a note.

    Runs `without` which it is to be read are skipped. The others have to agree in what `agreement` asks for, unless
    this is for what brings them to agree.

    Raises:
        UserError: the folder is missing, or finished runs differ in data, split or protocol.
    """
    folder = Path(comparison_folder)
    if not folder.is_dir():
        raise UserError(f"{folder}: no such comparison; run `compare` first, or name another with `comparison`")
    runs: list[Run] = []
    tables: dict[str, pd.DataFrame] = {}
    notes: list[str] = []
    externals: list[ExternalTest] = []
    for run_folder in sorted(path for path in folder.iterdir() if _may_be_run(path) and path.name not in without):
        try:
            if _is_bundles(run_folder):
                tests, faults = read_external_tests(run_folder)
                externals, notes = [*externals, *tests], [*notes, *faults]
                continue
            run = _read_run(run_folder)
            if run.status == "finished":
                _refuse_twin(run, [other for other in runs if other.name in tables])
                refuse_broken_tables(run)
                tables[run.name] = read_cases_table(run)
            runs.append(run)
            tests, faults = read_external_tests(run_folder)
            externals += tests
            notes += faults
        except (_LeftOutError, BrokenTableError) as reason:
            notes.append(f"{run_folder.name} left out: {reason}")
    ledger = Ledger(folder, tuple(runs), tables, tuple(notes), tuple(externals))
    if not agreeing:
        return ledger
    refuse_mixture(ledger)
    refuse_other_input(ledger)
    refuse_other_cases(ledger)
    return ledger


def read_ledger_around(run_folder: Path) -> Ledger:
    """Read a finished run, and those runs of its comparison that may be in one table with it.

    Raises:
        UserError: as `read_ledger`.
    """
    folder, run = run_folder.parent, _read_run(run_folder)
    others = set()
    for path in folder.iterdir():
        try:
            if path == run_folder or not _may_be_run(path) or _is_bundles(path):
                continue
            if not may_stand_together(run, _read_run(path)):
                others.add(path.name)
        except _LeftOutError:
            continue
    return read_ledger(folder, without=others)


class _LeftOutError(Exception):
    """Why a folder is left out, in a few words."""


def _may_be_run(path: Path) -> bool:
    return path.is_dir() and path.name != FIGURES and not path.name.startswith(".")


def _is_bundles(path: Path) -> bool:
    """Say whether a folder is no run of ours, but holds the external tests of a bundle."""
    return not (path / FILE).is_file() and (path / EXTERNAL).is_dir()


def _read_run(folder: Path) -> Run:
    try:
        record = read_record(folder)
        run = Run(folder, record, record["status"])
        run.experiment["model"].strip()
    except FileNotFoundError:
        raise _LeftOutError(f"it has no {FILE}") from None
    except UnreadableError as fault:
        raise _LeftOutError(f"its {FILE} does not describe a run ({fault})") from None
    except (LookupError, AttributeError):
        raise _LeftOutError(f"its {FILE} does not describe a run") from None
    return run


def _refuse_twin(run: Run, counted: list[Run]) -> None:
    for other in counted:
        if other.experiment == run.experiment:
            raise _LeftOutError(f"it is the same experiment as {other.name}, which is counted already")
