"""What libraries say on stderr is kept back for the time of a call, where our own line says what is wrong."""

import logging
import os
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

STDERR = threading.RLock()
"""Held while stderr leads nowhere, and to be held by who says something there meanwhile.

Two threads that sent stderr elsewhere and back by turns would end with the one's nowhere as the other's before.
"""
NIBABEL = "nibabel.global"  # its logger, which tells what it mends in a header; we check what matters of it

_quiet: ContextVar[bool] = ContextVar("_quiet", default=False)  # of a thread or task, so that others go on talking


@contextmanager
def quiet_stderr() -> Iterator[None]:
    """Keep libraries of C (libpng, libtiff) from writing to stderr, which they do past Python."""
    with STDERR:
        sys.stderr.flush()
        kept = os.dup(2)
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 2)
        try:
            yield
        finally:
            os.dup2(kept, 2)
            os.close(nowhere)
            os.close(kept)


@contextmanager
def quiet_loggers(*names: str) -> Iterator[None]:
    """Drop what this thread or task logs to the named loggers, and no others below them."""
    for name in names:
        logging.getLogger(name).addFilter(_passes)  # adds it once
    before = _quiet.set(True)
    try:
        yield
    finally:
        _quiet.reset(before)


def _passes(record: logging.LogRecord) -> bool:
    return not _quiet.get()


@contextmanager
def quiet_pillow() -> Iterator[None]:
    """Keep Pillow from warning of what it opens."""
    with quiet_loggers("PIL.Image", "PIL.TiffImagePlugin", "PIL.PngImagePlugin"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
