"""A command that the system stops leaves nothing half-done behind."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

TERMINATED = 128 + signal.SIGTERM
"""The exit status of what SIGTERM ended."""


@contextmanager
def tidy_on_terminate() -> Iterator[None]:
    """Let SIGTERM unwind the program, so that temporary folders are removed. For the main thread.

    Raises:
        SystemExit: with status 143, when the signal comes.
    """

    def stop(number: int, frame: FrameType | None) -> None:
        raise SystemExit(TERMINATED)

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
