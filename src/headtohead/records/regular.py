"""Read a file whole, if it is one and not too large: a pipe would hang, and a device need not end."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path


class UnreadableError(Exception):
    """A file is not what it should be; the message says why in a few words, and whoever asked for it names it."""


def read_regular(path: Path, most: int) -> bytes:
    """Read the bytes of a file, if they are not too many.

    Raises:
        FileNotFoundError: there is none.
        UnreadableError: it is a folder, a pipe or a device, is larger, or cannot be read.
    """
    with opened(path, most) as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(0)
        content = file.read(min(size, most) + 1)  # to ask for `most` would take as much memory
        if len(content) > size:  # it has grown meanwhile
            content += file.read(most + 1 - len(content))
    if len(content) > most:
        raise UnreadableError(_too_large(most))
    return content


def read_utf8(path: Path, most: int) -> str:
    """Read a file of text; see `read_regular`.

    Raises:
        UnreadableError: as `read_regular`, or it is not UTF-8.
    """
    content = read_regular(path, most)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        line = content.count(b"\n", 0, fault.start) + 1
        raise UnreadableError(f"line {line}: not UTF-8") from fault


@contextmanager
def opened(path: Path, most: int | None = None) -> Iterator[BufferedReader]:
    """Open a file to read parts of it, if it has not too many bytes.

    Raises:
        FileNotFoundError: there is none.
        UnreadableError: as `read_regular`, also if it cannot be read further on.
    """
    try:
        _refuse_odd(path.stat(), most)
        # Should a pipe have taken its place meanwhile, opening it does not wait for a writer.
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        with os.fdopen(handle, "rb") as file:
            _refuse_odd(os.fstat(handle), most)
            yield file
    except FileNotFoundError:
        raise
    except NotADirectoryError as fault:  # what lies below a file is not there either
        raise FileNotFoundError(fault.errno, fault.strerror, str(path)) from fault
    except OSError as fault:
        raise UnreadableError((fault.strerror or type(fault).__name__).lower()) from fault


def _refuse_odd(facts: os.stat_result, most: int | None) -> None:
    if stat.S_ISDIR(facts.st_mode):
        raise UnreadableError("is a directory")
    if not stat.S_ISREG(facts.st_mode):
        raise UnreadableError("is a pipe or a device, not a file")
    if most is not None and facts.st_size > most:
        raise UnreadableError(_too_large(most))


def _too_large(most: int) -> str:
    return f"larger than {f'{most >> 20} MiB' if most >= 1 << 20 else f'{most >> 10} KiB'}"
