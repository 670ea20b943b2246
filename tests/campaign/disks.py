"""A small disk that only some processes see: a tmpfs in a mount namespace of its own. Linux only."""

import ctypes
import os
import shutil
import signal
import sys
import time
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

CLONE_NEWNS, CLONE_NEWUSER = 0x00020000, 0x10000000  # <sched.h>
MS_REC, MS_PRIVATE = 0x4000, 0x40000  # <sys/mount.h>
SIZE = 64 * 2**20
FILLER = "filler"


class Disk:
    """A disk of `SIZE` bytes that is mounted at a folder, for those who `enter` the process that keeps it."""

    def __init__(self, place: Path, context: Any) -> None:
        """Mount it at `place`; `context` of multiprocessing starts the process that keeps it.

        Raises:
            OSError: the system does not allow it.
        """
        place.mkdir(parents=True)
        self.place = place
        refused = place.with_suffix(".refused")
        self.keeper: BaseProcess = context.Process(target=_keep, args=(place, refused), daemon=True)
        self.keeper.start()
        self.seen = Path(f"/proc/{self.keeper.pid}/root") / place.relative_to("/")
        while self.keeper.is_alive() and not (self.seen / ".ready").exists():
            time.sleep(0.01)
        if not self.keeper.is_alive():
            raise OSError(refused.read_text() if refused.exists() else "the process that keeps the disk has ended")
        (self.seen / ".ready").unlink()

    @property
    def process(self) -> int:
        """The process that sees the disk."""
        return self.keeper.pid or 0

    def hold(self, folder: Path) -> None:
        """Hold a copy of a folder, and nothing else."""
        for path in self.seen.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        shutil.copytree(folder, self.seen, dirs_exist_ok=True)

    @property
    def used(self) -> int:
        """Bytes in use."""
        return SIZE - self.free

    @property
    def free(self) -> int:
        """Bytes that are left."""
        facts = os.statvfs(self.seen)
        return facts.f_bavail * facts.f_bsize

    def leave(self, room: int) -> None:
        """Fill it up to so many bytes."""
        with (self.seen / FILLER).open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, max(self.free - room, 1))

    def make_room(self) -> None:
        """Take the filling away."""
        (self.seen / FILLER).unlink()

    def close(self) -> None:
        """Unmount it."""
        self.keeper.kill()
        self.keeper.join()


def enter(process: int) -> None:
    """Let this process see the disks of another, a `Disk.process`."""
    libc = ctypes.CDLL(None, use_errno=True)
    for kind in ("user", "mnt"):
        theirs, ours = (Path(f"/proc/{one}/ns/{kind}") for one in (process, "self"))
        if theirs.readlink() != ours.readlink():
            handle = os.open(theirs, os.O_RDONLY)
            _called(libc.setns(handle, 0), f"setns {kind}")
            os.close(handle)


def _keep(place: Path, refused: Path) -> None:
    """Be the process that keeps a disk."""
    try:
        _mount(place)
    except OSError as fault:
        refused.write_text(str(fault))
        sys.exit(1)
    (place / ".ready").touch()
    while True:
        signal.pause()


def _mount(place: Path) -> None:
    if sys.platform != "linux":
        raise OSError("this is not Linux")
    libc = ctypes.CDLL(None, use_errno=True)
    user, group = os.getuid(), os.getgid()
    if libc.unshare(CLONE_NEWNS):  # as root; else with a root of our own
        _called(libc.unshare(CLONE_NEWUSER | CLONE_NEWNS), "unshare")
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"0 {user} 1")
        Path("/proc/self/gid_map").write_text(f"0 {group} 1")
    _called(libc.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None), "mount")
    _called(libc.mount(b"none", os.fsencode(place), b"tmpfs", 0, f"size={SIZE}".encode()), f"mount {place}")


def _called(status: int, what: str) -> None:
    if status:
        raise OSError(ctypes.get_errno(), f"{what}: {os.strerror(ctypes.get_errno())}")
