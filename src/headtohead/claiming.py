"""Temporary files and folders, each locked by the process that writes it; and the removal of what killed ones left.

A file that stays is locked by its name; see `hold`.
"""

import errno
import os
import re
import secrets
import shutil
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows has no such locks
    fcntl = None  # type: ignore[assignment]

TEMPORARY = re.compile(r"\.(writing|packing|making|downloading)-[\w-]{8,}(\.\w+)*")
FORGOTTEN = 24 * 3600
"""Seconds after which a leftover is one, on a file system without locks."""

_live: dict[Path, Path] = {}
"""Temporary files and folders of this process -> what they become."""
_swept: set[Path] = set()


def final_of(path: Path) -> Path:
    """Name what a path becomes, where it is temporary or lies in a folder that is."""
    for place in (path, *path.parents):
        if place in _live:
            return final_of(_live[place] / path.relative_to(place))
    return path


@contextmanager
def claimed(folder: Path, prefix: str, suffix: str | None, becomes: Path) -> Iterator[Path]:
    """Make and lock a temporary file, or a folder where `suffix` is None; remove what is left of it at the end."""
    sweep(folder)
    temporary, lock = None, None
    try:
        while lock is None:
            temporary = folder / f"{prefix}{secrets.token_hex(4)}{suffix or ''}"
            with suppress(FileExistsError):
                lock = _make(temporary, suffix is None)
        assert temporary is not None
        _live[temporary] = becomes
        yield temporary
    finally:
        if temporary is not None:
            try:
                _remove(temporary)
            except BaseException:  # a signal came meanwhile
                _remove(temporary)
                raise
            finally:
                _live.pop(temporary, None)
        if lock is not None and lock >= 0:
            os.close(lock)


def _make(path: Path, folder: bool) -> int | None:
    """Make a new file or folder, as readable as any other, and lock it; FileExistsError where it is there already.

    Gives its descriptor, -1 where there are no locks, None where a sweeping process was quicker.
    """
    if folder:
        path.mkdir()
    handle = -1
    if not folder or fcntl:
        handle = os.open(path, os.O_RDONLY if folder else os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
    if not fcntl:
        if handle >= 0:  # an open file could not be renamed there
            os.close(handle)
        return -1
    with suppress(OSError):  # a file system without locks: what is left there is known by its age
        fcntl.flock(handle, fcntl.LOCK_EX)
    try:
        same = os.path.samestat(os.fstat(handle), path.stat())
    except FileNotFoundError:
        same = False
    if not same:
        os.close(handle)
        return None
    return handle


def hold(path: Path, make: bool) -> int:
    """Lock a file that stays, until the descriptor that is returned, -1 where files have no locks, is closed.

    The holder may remove the file or put another in its place.

    Raises:
        FileNotFoundError: there is none.
        BlockingIOError: another process holds it.
        OSError: it is a link, a folder or a pipe, or may not be written.
    """
    flags = os.O_RDWR | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | (os.O_CREAT if make else 0)
    while True:
        handle = os.open(path, flags, 0o666)
        try:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                raise OSError(errno.EINVAL, "Not a file", str(path))
            if not fcntl:
                os.close(handle)
                return -1
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise
            except OSError:  # a file system without locks
                return handle
            with suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(handle), path.lstat()):
                    return handle
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)  # its holder has removed it meanwhile


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
        return
    with suppress(OSError):
        path.unlink()


def sweep(folder: Path) -> None:
    """Remove what killed processes left in a folder, once a process: temporary files whose lock is free."""
    place = folder.absolute()
    if place in _swept:
        return
    _swept.add(place)
    try:
        left = [Path(entry.path) for entry in os.scandir(place) if TEMPORARY.fullmatch(entry.name)]
    except OSError:
        return
    for path in left:
        with suppress(OSError):
            _sweep_one(path)


def _sweep_one(path: Path) -> None:
    forgotten = time.time() - path.lstat().st_mtime > FORGOTTEN
    if not fcntl:
        if forgotten:
            _remove(path)
        return
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        except OSError:
            if not forgotten:
                return
        _remove(path)
    finally:
        os.close(handle)
