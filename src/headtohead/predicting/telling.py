"""What `--predict` says while it works: a bar or lines, the warnings of a file, and why one failed."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from headtohead.errors import UserError, printable
from headtohead.options.flags import as_flags
from headtohead.predicting.files.finding import Job
from headtohead.predicting.overlapping import Ended
from headtohead.predicting.results.summary import Rows
from headtohead.quiet import STDERR


def tell_rows(rows: Rows) -> None:
    """Print what was found in a file: a line for each target, and one for each note and warning."""
    for row in rows:
        print(row.line)
    for note in rows[0].notes:
        print(f"{rows[0].file}: note: {note}")
    for warning in rows[0].warnings:
        print(f"{rows[0].file}: warning: {warning}")


def tell_fault(outcome: Ended[Job, Rows], debug: bool) -> str:
    """Print on stderr why a file could not be predicted, with `debug` the traceback too.

    Returns:
        The reason.
    """
    assert outcome.fault is not None
    reason = explain(outcome.item, outcome.fault)
    with STDERR:
        print(f"error: {outcome.item.name}: {reason}", file=sys.stderr, flush=True)
        if debug:
            print(outcome.trace, end="", file=sys.stderr, flush=True)
    return reason


def explain(job: Job, fault: Exception) -> str:
    """Say in one line why a file could not be predicted, without the path if it is that of the file itself."""
    text = " ".join(as_flags(fault).split())
    if isinstance(fault, UserError):
        return text.removeprefix(f"{printable(job.files[0])}: ")
    if isinstance(fault, OSError):
        where = f" ({fault.filename})" if fault.filename else ""
        return f"{(fault.strerror or type(fault).__name__).lower()}{where}; correct this and predict the file again"
    if isinstance(fault, MemoryError):
        return "not enough memory; predict it on a machine with more"
    return f"{type(fault).__name__}: {text}; run again with --debug"


@contextmanager
def progress(total: int, done: int = 0) -> Iterator[Callable[[], None]]:
    """Show a bar while files are predicted, on a terminal; in a log their lines are enough.

    Yields:
        What to call after each file.
    """
    if not sys.stdout.isatty():
        yield lambda: None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeElapsedColumn, TimeRemainingColumn

    columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns, transient=True, redirect_stderr=sys.stderr.isatty()) as bar:
        task = bar.add_task("predicting", total=total, completed=done)
        yield lambda: bar.advance(task)
