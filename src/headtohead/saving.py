"""The one way to the disk: files that are either there and whole, or not there, and faults that name the file.

Promised of every file: it is written under a temporary name and renamed, so that no interrupt, kill or full disk leaves
half of it under its own name. Promised besides of what is `lasting` (checkpoints, run.json, model.json, the scores of a
test, the tables and the page of a report): it is on the disk before it has its name, so that a power cut leaves the old
file or the new one.

A temporary file or folder is locked while it is written. What a killed process left is therefore known by its lock
being free, and is removed when the next process first writes into the same folder.
"""

import ctypes
import errno
import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headtohead.claiming import claimed, final_of
from headtohead.disk_faults import told
from headtohead.errors import UserError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from matplotlib.figure import Figure


HERE, EXCHANGE = -100, 2
"""AT_FDCWD and RENAME_EXCHANGE of renameat2(2)."""


@contextmanager
def atomic_path(path: Path, lasting: bool = False) -> Iterator[Path]:
    """Give a temporary path beside `path`; rename it to `path` on success, remove it on any failure.

    The folder is made if it is missing. The temporary name keeps the suffix, because many writers choose their format
    by it. Within a folder that is temporary itself, it is `path`. What is `lasting` is on the disk before it is
    renamed.

    Raises:
        UserError: as `told`.
    """
    path = Path(path)
    with told(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        if final_of(path) != path:
            yield path
            return
        with claimed(path.parent, ".writing-", _end(path), path) as temporary:
            yield temporary
            if lasting:
                sync(temporary)
            temporary.replace(path)
            if lasting:
                sync(path.parent)


def _end(path: Path) -> str:
    """Give the end of a name by which writers choose their format."""
    return path.name[-len(".nii.gz") :] if path.name.lower().endswith(".nii.gz") else path.suffix


@contextmanager
def temporary_folder(folder: Path, becomes: Path | None = None, kind: str = "writing") -> Iterator[Path]:
    """Give a temporary folder in `folder`, to fill and to rename; what is left of it is removed at the end.

    Faults call it what it `becomes`, if it is renamed as a whole; else its files are named as if they lay in `folder`,
    which is made if it is missing. `kind` begins its name: what is done in it.

    Raises:
        UserError: as `told`, for all that is written into it.
    """
    becomes = becomes or folder
    with told(becomes):
        folder.mkdir(parents=True, exist_ok=True)
        with claimed(folder, f".{kind}-", None, becomes) as temporary:
            yield temporary


@contextmanager
def all_or_none(paths: Sequence[Path], folder: Path, named: Path | None = None) -> Iterator[dict[Path, Path]]:
    """Give a temporary path for each of several files below `folder`; all get their names at the end, or none.

    The folder is made if it is missing. Faults are told of what is `named`, else of the folder.

    Raises:
        UserError: as `told`, or a file cannot be written; then all is as it was before.
        OSError: one cannot be put in its place; likewise.
    """
    with told(named or folder):
        folder.mkdir(parents=True, exist_ok=True)
        # Beside the results, so that a rename is enough; a folder of its own, so that names and their ends stay.
        with claimed(folder, ".writing-", None, folder) as place:
            staged = {path: place / path.name for path in paths}
            try:
                yield staged
            except UserError as fault:
                raise type(fault)(str(fault).replace(f"{place}/", "")) from fault
            _move_all([*staged.values()], [*staged], place)


def _move_all(staged: Sequence[Path], final: Sequence[Path], place: Path) -> None:
    begun: list[tuple[Path, Path, Path | None]] = []  # and where what stood there before waits in `place`
    try:
        for number, (source, path) in enumerate(zip(staged, final, strict=True)):
            path.parent.mkdir(parents=True, exist_ok=True)
            folder = path.is_dir() and not path.is_symlink()  # which stays, and is a fault
            aside = place / f"before-{number}" if os.path.lexists(path) and not folder else None
            begun.append((source, path, aside))  # before the first change, since a signal may come after it
            if aside:
                path.replace(aside)
            source.replace(path)
    except BaseException:
        try:
            _put_back(begun)
        except BaseException:  # a signal came meanwhile
            _put_back(begun)
            raise
        raise


def _put_back(begun: Sequence[tuple[Path, Path, Path | None]]) -> None:
    """Undo what `_move_all` has begun; doing it twice does no harm."""
    for source, path, aside in begun:
        if aside is None and not source.exists():
            path.unlink(missing_ok=True)
        elif aside is not None and os.path.lexists(aside):
            aside.replace(path)


def replace_folder(new: Path, folder: Path) -> None:
    """Put a finished folder in the place of another, if there is one, which is then at the path of the new one.

    On Linux one of the two is there at every moment, whole, also after a kill. Elsewhere, and on file systems that
    cannot exchange two names, a kill between two renames loses both.

    Raises:
        UserError: as `told`; what was there stays.
    """
    with told(folder):
        if not folder.exists():
            new.rename(folder)
        elif not _exchange(new, folder):
            with temporary_folder(folder.parent, becomes=folder) as aside:
                before = aside / folder.name
                try:
                    folder.rename(before)
                    new.rename(folder)
                except BaseException:  # a signal, too
                    if before.exists() and not folder.exists():
                        before.rename(folder)
                    raise


def _exchange(one: Path, other: Path) -> bool:
    """Exchange two names in one step, as renameat2(2) does; False where the system or the file system cannot."""
    rename = getattr(ctypes.CDLL(None), "renameat2", None) if sys.platform == "linux" else None
    if rename is None:
        return False
    return bool(rename(HERE, os.fsencode(one), HERE, os.fsencode(other), EXCHANGE) == 0)


def remove_folder(folder: Path) -> None:
    """Remove a folder with all that is in it; what is killed meanwhile leaves no half of it under its name."""
    with temporary_folder(folder.parent, becomes=folder) as aside:
        folder.rename(aside / folder.name)


def sync(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk."""
    if path.is_dir() and os.name == "nt":  # where no folder can be opened
        return
    handle = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(handle)
    except OSError as fault:
        if fault.errno != errno.EINVAL:  # a file system that has nothing to wait for
            raise
    finally:
        os.close(handle)


def write_bytes(path: Path, content: "bytes | memoryview", lasting: bool = False) -> None:
    """Write bytes to `path` in one step."""
    with atomic_path(path, lasting) as temporary:
        temporary.write_bytes(content)


def write_text(path: Path, text: str, lasting: bool = False, errors: str = "strict") -> None:
    """Write `text` (UTF-8) to `path` in one step."""
    write_bytes(path, text.encode(errors=errors), lasting)


def write_json(path: Path, value: Any) -> None:
    """Write `value` as indented JSON to `path` in one step; it lasts."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n", lasting=True)


def append_text(path: Path, text: str, errors: str = "strict") -> None:
    """Add lines to the end of a file: the one way that is not in one step, for lists that grow line by line.

    A kill or a full disk on the way may leave part of a line. It is ended first, so that it spoils no other.
    """
    with told(path), path.open("a+b") as file:
        if file.seek(0, os.SEEK_END):
            file.seek(-1, os.SEEK_END)
            text = text if file.read(1) == b"\n" else f"\n{text}"
        file.write(text.encode(errors=errors))


def write_table(path: Path, table: "pd.DataFrame", index: bool = False) -> None:
    """Write a table as CSV in one step."""
    write_text(path, table.to_csv(index=index))


def write_picture(path: Path, pixels: "np.ndarray", parameters: tuple[int, ...] = ()) -> None:
    """Write grey or blue-green-red pixels in the format of the suffix, in one step.

    Raises:
        UserError: as `told`, or the format cannot hold such pixels.
    """
    import cv2

    # Encoded in memory: OpenCV's own files fail without a reason, and with chatter of the libraries below it.
    fine, content = cv2.imencode(path.suffix, pixels, parameters)
    if not fine:
        raise UserError(f"{final_of(path)}: cannot be written as {path.suffix}; choose another folder or format")
    write_bytes(path, content.tobytes())


def write_figure(path: Path, figure: "Figure") -> None:
    """Write a figure in the format of the suffix, in one step."""
    write_streamed(path, lambda stream: figure.savefig(stream, format=path.suffix[1:], dpi=150))


def write_streamed(path: Path, write: Callable[[Any], object], lasting: bool = False) -> None:
    """Write in one step what a library writes into an open file: into memory first.

    Libraries written in C++ lose the reason of a fault, or abort the process.
    """
    content = BytesIO()
    write(content)
    write_bytes(path, content.getbuffer(), lasting)
