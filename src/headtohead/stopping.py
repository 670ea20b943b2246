"""A command that the system stops leaves nothing half-done behind."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

TERMINATED = 128 + signal.SIGTERM
"""The exit status of what SIGTERM ended."""


@contextmanager
def tidy_on_terminate() -> Iterator[Callable[[], bool]]:
    """Let SIGTERM unwind the program by SystemExit, so that temporary files and folders are removed.

    Only the first one counts, so that none interrupts the tidying. Outside the main thread, which alone may handle
    signals, nothing is changed. What it yields says whether the signal has come: a library may have swallowed the exit.
    """
    came = threading.Event()

    def stop(number: int, frame: FrameType | None) -> None:
        if not came.is_set():
            came.set()
            raise SystemExit(TERMINATED)

    if threading.current_thread() is not threading.main_thread():
        yield came.is_set
        return
    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield came.is_set
    finally:
        signal.signal(signal.SIGTERM, before)
