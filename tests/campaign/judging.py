"""What every attack must end in: done, or one line that names the cause; nothing hanging, half-written or huge."""

import resource
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from headtohead.cli import main
from tests.campaign.leaving import unfinished

SECONDS = 60  # an attack takes a fraction of one; this is for a busy machine
GROWTH = 2 * 2**30  # bytes that the process may have needed more than ever before


class Hanging(BaseException):
    """An attack took too long; nothing catches it on the way."""


def attack(argv: Sequence[str], home: Path, capfd: pytest.CaptureFixture[str], what: str) -> int:
    """Run a command in this process and judge how it ends.

    Args:
        argv: the command.
        home: folder in which nothing unfinished may lie afterwards.
        capfd: of the test, by file descriptors: libraries in C write past Python.
        what: the attack, for the message of a failure.

    Returns:
        The exit status: 0, 1 (partly done) or 2.
    """
    capfd.readouterr()
    before = peak()
    with limited(SECONDS):
        status = main(list(argv))
    out, err = capfd.readouterr()
    if "internal error" in err:
        main([*argv, "--debug"])
        err += capfd.readouterr().err
    told = f"{what}\n$ main.py {' '.join(argv)}\nstatus {status}\n{out[-2000:]}\n{err[-4000:]}"
    judge(status, err, home, told)
    assert peak() - before < GROWTH, f"{told}\nmemory grew by {(peak() - before) / 2**30:.1f} GiB"
    return status


def judge(status: int, err: str, home: Path, told: str, line: str = "error: ") -> None:
    """Ask of a command that has ended what must hold of each.

    Args:
        status: its exit status.
        err: what it complained of.
        home: folder in which nothing unfinished may lie.
        told: all of it, for the message of a failure.
        line: how the one line begins in which it says why it is not done.
    """
    lines = [line for line in err.splitlines() if line.strip()]
    assert status in (0, 1, 2, 130, 143), told
    assert "internal error" not in err and "Traceback" not in err, told
    if status >= 2 and not lines[0].startswith("nothing to do"):
        assert len(lines) == 1 and lines[0].startswith(line), told
        assert len(lines[0]) < 1500 and lines[0].isprintable(), told
    assert not unfinished(home), f"{told}\nleft: {unfinished(home)}"


@contextmanager
def limited(seconds: int) -> Iterator[None]:
    """Break off what takes longer than so many seconds."""

    def stop(*_: Any) -> None:
        raise Hanging(f"no end after {seconds} s")

    former = signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, former)


def peak() -> int:
    """Give the largest memory that this process has held, in bytes."""
    found = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return found if sys.platform == "darwin" else found * 1024
