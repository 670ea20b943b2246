"""How much memory is free for this process, and the refusal of what needs more, before it is asked for.

What counts is the least of: what the machine has available, what the control groups of the process leave, what
`ulimit` leaves. Formats: proc_pid_status(5), cgroups(7), getrlimit(2).
"""

import ctypes
import os
import sys
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Condition

from headtohead.errors import UserError

PROC = Path("/proc")
GROUPS = Path("/sys/fs/cgroup")

SPARED = 64 * 2**20
"""Bytes left to others: what is free now may be needed by them in a moment."""

UNLIMITED = 2**60
"""Limits from here on are none; version 1 of control groups writes almost 2^63 for no limit."""


def free_memory() -> int | None:
    """Give the bytes that this process can still take; None where the system does not say."""
    known = [bytes_left for source in (_machine, _groups, _limits) for bytes_left in source()]
    return max(0, min(known) - SPARED) if known else None


def refuse_unless_free(path: object, what: str, need: int, mend: str = "crop or resample it") -> None:
    """Refuse what takes more bytes at its peak than are free; path, size in words and mend are for the message.

    Raises:
        UserError: more is needed than is free.
    """
    free = free_memory()
    if free is not None and need > free:
        give_back()
        free = free_memory()
    if free is not None and need > free:
        raise UserError(
            f"{path}: {what} need about {bytes_in_words(need)}, {bytes_in_words(free)} are free; {mend}, or use a "
            "machine with more memory"
        )


def bytes_in_words(size: int) -> str:
    """Say a number of bytes: `23 GB`, `3.9 GB`, `120 MB`."""
    if size < 10**9:
        return f"{max(1, round(size / 10**6))} MB"
    return f"{size / 10**9:.1f} GB" if size < 10**10 else f"{size / 10**9:.0f} GB"


def give_back() -> None:
    """Return to the system what was freed and is kept for later, where the C library can."""
    if sys.platform.startswith("linux"):
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim:
            trim(0)


class Claims:
    """What files in the works will need at their peaks, so that no two of them together need more than there is.

    A file that does not fit beside others waits until they are done; alone, its reader decides.
    """

    def __init__(self, free: Callable[[], int | None] = free_memory) -> None:
        """Begin without claims; `free` says how many bytes are free."""
        self._free, self._held = free, dict[Hashable, int]()
        self._changed, self._closed = Condition(), False
        self._idle: int | None = None  # what was free when nothing was in the works

    def take(self, owner: Hashable, need: int) -> None:
        """Wait until a file fits beside the others at its peak, in bytes, or there are none; then it is in the works.

        Raises:
            RuntimeError: `close` was called.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._closed or not self._held or self._fits(need))
            if self._closed:
                raise RuntimeError("no further file is begun")
            if not self._held:
                give_back()
                self._idle = self._free()
            self._held[owner] = need

    def drop(self, owner: Hashable) -> None:
        """Say that a file is done with, whatever became of it; nothing happens where it had no claim."""
        with self._changed:
            self._held.pop(owner, None)
            self._changed.notify_all()

    def close(self) -> None:
        """Let no further file begin; what waits for its turn is refused, or it would wait for files that never end."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    @contextmanager
    def until_failure(self, owner: Hashable) -> Iterator[None]:
        """Drop the claim of a file if a stage of its work fails; else it goes on to the next stage."""
        try:
            yield
        except BaseException:
            self.drop(owner)
            raise

    def _fits(self, need: int) -> bool:
        if self._idle is None:
            return True
        free = self._free()
        return need + sum(self._held.values()) <= self._idle and (free is None or need <= free)


def _machine() -> Iterator[int]:
    """What the machine has available without swapping; of systems other than Linux, half of its memory."""
    fields = _fields(PROC / "meminfo")
    if "MemAvailable" in fields:
        yield fields["MemAvailable"] * 1024
        return
    if sys.platform == "win32":
        yield from _windows()
        return
    try:
        # No figure that all systems share says what is available; half of a machine is mostly free.
        yield os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
    except (AttributeError, ValueError, OSError):
        return


def _windows() -> Iterator[int]:
    # MEMORYSTATUSEX of the Windows API: two 32-bit fields, then seven of 64 bits, of which the second is available.
    status = (ctypes.c_uint64 * 8)()
    ctypes.cast(status, ctypes.POINTER(ctypes.c_uint32))[0] = ctypes.sizeof(status)
    if ctypes.CDLL("kernel32").GlobalMemoryStatusEx(status):
        yield int(status[2])


def _groups() -> Iterator[int]:
    """What each control group leaves in which the process is, from its own up to the root, in both versions."""
    try:
        lines = (PROC / "self" / "cgroup").read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return
    for line in lines:
        _, controllers, group = (*line.split(":", 2), "", "")[:3]
        if not controllers:
            yield from _left(GROUPS, group, "memory.max", "memory.current", "inactive_file")
        elif "memory" in controllers.split(","):
            names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
            yield from _left(GROUPS / "memory", group, *names)


def _left(root: Path, group: str, limit_name: str, used_name: str, cache_name: str) -> Iterator[int]:
    folder = root / group.strip("/")
    # In a container the path may be the host's, and the container's own group is mounted at the root.
    for place in [folder, *folder.parents]:
        if place != root and root not in place.parents:
            break
        limit, used = _number(place / limit_name), _number(place / used_name)
        if limit is not None and used is not None and limit < UNLIMITED:
            # The cache of files counts as used, and gives way.
            yield limit - used + _fields(place / "memory.stat").get(cache_name, 0)


def _limits() -> Iterator[int]:
    """What `ulimit -v` and `ulimit -d` leave."""
    try:
        import resource
    except ImportError:  # Windows
        return
    status = _fields(PROC / "self" / "status")
    for limit, field in ((resource.RLIMIT_AS, "VmSize"), (resource.RLIMIT_DATA, "VmData")):
        most = resource.getrlimit(limit)[0]
        if most != resource.RLIM_INFINITY and most < UNLIMITED:
            yield most - status.get(field, 0) * 1024


def _number(path: Path) -> int | None:
    try:
        return int(path.read_text(encoding="ascii"))
    except (OSError, ValueError):  # not there, or `max`
        return None


def _fields(path: Path) -> dict[str, int]:
    """Read lines such as `MemAvailable:  123 kB` or `inactive_file 123`: the first number of each, by name."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return {}
    split = [line.replace(":", " ").split() for line in lines]
    return {words[0]: int(words[1]) for words in split if len(words) > 1 and words[1].isdecimal()}
