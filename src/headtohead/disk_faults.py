"""Faults of the disk in one line: which file could not be written, where, why, and what helps."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from headtohead.claiming import final_of
from headtohead.errors import UserError

AGAIN = "and run the command again"
CAUSES = {
    errno.ENOSPC: f"no space left on {{device}} for {{file}}; free some {AGAIN}",
    errno.EDQUOT: f"no space left of your quota on {{device}} for {{file}}; free some {AGAIN}",
    errno.EFBIG: f"{{file}}: larger than ulimit -f or the file system at {{device}} allows; raise the limit {AGAIN}",
    errno.EROFS: f"{{file}}: {{device}} is read-only; name another folder, or make it writable {AGAIN}",
    errno.EACCES: f"{{file}}: no permission to write there; name another folder, or change that {AGAIN}",
    errno.EPERM: f"{{file}}: no permission to write there; name another folder, or change that {AGAIN}",
    errno.EIO: f"{{file}}: {{device}} failed while it was written; check it {AGAIN}",
}
NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
"""Faults that whatever is written next will have as well."""
FULL = (*NO_ROOM, errno.EFBIG)
"""Faults that only writing has; the others may be of a file that is read meanwhile."""


class NoRoomError(UserError):
    """The disk or the quota is full."""


@contextmanager
def told(path: Path) -> Iterator[None]:
    """Turn a fault of the disk while `path` is written into one line that names it.

    Raises:
        NoRoomError: the disk is full, or the quota is reached.
        UserError: the disk is read-only, the file too large, or one may not write there.
    """
    try:
        yield
    except UserError:
        raise
    except Exception as problem:
        if line := line_of(problem, path):
            raise (NoRoomError if _full_of(problem, NO_ROOM) else UserError)(line) from problem
        raise


def line_of(problem: BaseException, path: Path | None = None) -> str:
    """Say in a line why a file could not be written; empty where the problem is another.

    What a problem was raised in the handling of counts, too. Without a path it is the one that the problem names.
    """
    fault = problem if isinstance(problem, OSError) and problem.errno in CAUSES else _full_of(problem, FULL)
    if fault is None or fault.errno is None:
        return ""
    named = Path(os.fsdecode(fault.filename)) if isinstance(fault.filename, str | bytes) else None
    if path is None or (named and fault.errno in FULL):
        path = named
    elif named and fault.errno not in FULL and not _concerns(named, path):
        return ""
    if path is None:
        return CAUSES[fault.errno].format(device="the disk", file="a file") if fault.errno in FULL else ""
    final = final_of(path)
    return CAUSES[fault.errno].format(device=device_of(final), file=final)


def _full_of(problem: BaseException, errors: tuple[int, ...]) -> OSError | None:
    """Find the fault of one of these kinds that a problem was raised in the handling of, or is."""
    fault: BaseException | None = problem
    while fault is not None:
        if isinstance(fault, OSError) and fault.errno in errors:
            return fault
        fault = fault.__cause__ or fault.__context__
    return None


def device_of(path: Path) -> Path:
    """Give the mount point of the file system that a path is on."""
    place = path.absolute()
    while place != place.parent and not os.path.ismount(place):
        place = place.parent
    return place


def _concerns(named: Path, path: Path) -> bool:
    """Say whether a fault at one path is one of writing another: it, its temporary file, or a folder on the way."""
    final, target = final_of(named).absolute(), final_of(path).absolute()
    return final == target or target.is_relative_to(final) or final.is_relative_to(target)
