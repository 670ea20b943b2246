"""Locks between commands: one on each run folder, and one on all that a comparison's commands write together."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout


@contextmanager
def held(folder: Path, wait: bool, waiting: str = "") -> Iterator[bool]:
    """Keep other commands out of a folder, which need not be there yet. The lock is a file beside it, which stays.

    Yields False where another command holds it and we do not wait; before a wait `waiting` is printed.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder.parent / f".{folder.name}.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        if not wait:
            yield False
            return
        if waiting:
            print(waiting, flush=True)
        lock.acquire()
    try:
        yield True
    finally:
        lock.release()


@contextmanager
def comparison_held(folder: Path) -> Iterator[None]:
    """Hold what the commands on a comparison write together: baselines, folds, tables, figures, the page, the layout.

    Not reentrant. A run folder may be held by the one that asks for this, never the other way round.
    """
    with held(folder, True, f"{folder.name}: another process is writing its tables and figures; waiting"):
        yield
