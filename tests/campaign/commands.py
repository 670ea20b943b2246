"""Commands in processes of their own, forked from one that has imported everything, since imports take longest.

On its way a command may be struck by a signal at its n-th change to the disk, or may be allowed short files only.
"""

import contextlib
import multiprocessing
import os
import resource
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from multiprocessing import forkserver
from pathlib import Path
from typing import Any

from headtohead import cli
from headtohead.cohort.phantom import writing
from tests.campaign import disks
from tests.campaign.judging import Hanging

SECONDS = 180  # a command takes a few; this is for a busy machine
PATIENTS = 6  # that --make_phantoms draws here
IMPORTED = (
    "headtohead.comparing.grid", "headtohead.comparing.tuning", "headtohead.reporting.augmentation_sheet",
    "headtohead.exploring.explore", "headtohead.trained.bundle", "headtohead.trained.onnx_file",
    "headtohead.predicting.folder", "headtohead.predicting.image", "torch.utils.tensorboard", "tests.campaign.commands",
)  # fmt: skip
CHANGES = ("os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate")


@dataclass(frozen=True)
class Attack:
    """What happens to a command on its way.

    Attributes:
        by: the signal that strikes it, before its change to the disk number `at`; 0: none.
        at: from 1.
        longest: bytes that a file may have; 0: any number.
        sees: the process whose disks it sees, as `disks.Disk` has one; 0: those of everybody.
    """

    by: int = 0
    at: int = 0
    longest: int = 0
    sees: int = 0


@dataclass
class Command:
    """A command, which runs or has ended. Its notes (what it printed, its temporary folder) lie in `folder`."""

    argv: Sequence[str]
    folder: Path
    attack: Attack = field(default_factory=Attack)
    took: float = 0

    def start(self) -> "Command":
        """Start it in a process, and a group of processes, of its own; give it once it is about to do something."""
        (self.folder / "tmp").mkdir(parents=True, exist_ok=True)
        for name in ("out", "err", "began"):
            (self.folder / name).unlink(missing_ok=True)
        self.process = forking().Process(target=_carry_out, args=(list(self.argv), self.folder, self.attack))
        self.process.start()
        while not (self.folder / "began").exists() and self.process.exitcode is None:
            time.sleep(0.005)
        self.began = time.monotonic()
        return self

    def end(self) -> int:
        """Wait for its end and give its exit status; after a deadly signal, its negative.

        Raises:
            Hanging: there is no end.
        """
        self.process.join(SECONDS)
        self.took = time.monotonic() - self.began
        if self.process.exitcode is None:
            self.strike(signal.SIGKILL)
            self.process.join()
            raise Hanging(f"no end after {SECONDS} s\n{self.told()}")
        return self.process.exitcode

    def strike(self, by: int, all_of_it: bool = True) -> None:
        """Send a signal to all processes of the command, or to the first alone."""
        with contextlib.suppress(ProcessLookupError):
            (os.killpg if all_of_it else os.kill)(self.process.pid or 0, by)

    def gone(self) -> bool:
        """Say whether no process of it is left, after some seconds in which its workers may notice its end."""
        for _ in range(300):
            try:
                os.killpg(self.process.pid or 0, 0)
            except ProcessLookupError:
                return True
            time.sleep(0.1)
        return False

    @property
    def changes(self) -> int:
        """How often it changed the disk."""
        return int((self.folder / "changes").read_text())

    @property
    def out(self) -> str:
        """What it printed."""
        return (self.folder / "out").read_text()

    @property
    def err(self) -> str:
        """What it complained of."""
        return (self.folder / "err").read_text()

    def told(self) -> str:
        """Describe it for the message of a failure."""
        status = self.process.exitcode
        return (
            f"$ main.py {' '.join(self.argv)}\n{self.attack}\nstatus {status}\n{self.out[-3000:]}\n{self.err[-4000:]}"
        )


def run(argv: Sequence[str], folder: Path, attack: Attack | None = None) -> Command:
    """Run a command to its end."""
    command = Command(argv, folder, attack or Attack()).start()
    command.end()
    return command


@cache
def forking() -> multiprocessing.context.ForkServerContext:
    """Start the process that all others are forked from."""
    with contextlib.ExitStack() as stack:
        for name, value in {"PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"}.items():
            before = os.environ.get(name)
            stack.callback(lambda n=name, b=before: os.environ.pop(n) if b is None else os.environ.update({n: b}))
            os.environ[name] = value
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(list(IMPORTED))
        forkserver.ensure_running()
    return context


def _carry_out(argv: list[str], folder: Path, attack: Attack) -> None:
    """Be the command."""
    os.setsid()
    os.chdir(folder)
    multiprocessing.set_start_method("fork", force=True)  # as anywhere else, not as this process was made
    for name, stream in (("out", 1), ("err", 2)):
        os.dup2(os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644), stream)
    sys.stdout, sys.stderr = (os.fdopen(stream, "w", buffering=1, closefd=False) for stream in (1, 2))
    tempfile.tempdir = os.environ["TMPDIR"] = str(folder / "tmp")
    drawn = writing.plan_cases
    writing.plan_cases = lambda parameters: drawn(parameters)[:PATIENTS]
    if attack.sees:
        disks.enter(attack.sees)
    (folder / "began").touch()
    if attack.longest:
        resource.setrlimit(resource.RLIMIT_FSIZE, (attack.longest, resource.RLIM_INFINITY))
    changed = _count_changes(attack)
    status = cli.main(argv)
    for late in (signal.SIGINT, signal.SIGTERM):  # the command is over
        signal.signal(late, signal.SIG_IGN)
    if not attack.longest:
        (folder / "changes").write_text(str(changed()))
    sys.exit(status)


def _count_changes(attack: Attack) -> Callable[[], int]:
    """Count the changes to the disk, and be struck before one of them. Gives what tells the count."""
    seen = 0

    def hear(event: str, given: tuple[Any, ...]) -> None:
        nonlocal seen
        if event in CHANGES or (event == "open" and isinstance(given[2], int) and given[2] & os.O_ACCMODE):
            seen += 1
            if attack.by and seen == attack.at:
                os.kill(os.getpid(), attack.by)

    sys.addaudithook(hear)
    return lambda: seen
