"""Read a file whole, if it is one and not too large: a pipe would hang, and a device need not end."""

import os
import stat
from pathlib import Path


class UnreadableError(Exception):
    """A file is not what it should be; the message says why in a few words, and whoever asked for it names it."""


def read_regular(path: Path, most: int) -> bytes:
    """Read the bytes of a file.

    Args:
        path: the file.
        most: the largest size that is read, in bytes.

    Raises:
        FileNotFoundError: there is none.
        UnreadableError: it is a folder, a pipe or a device, is larger, or cannot be read.
    """
    try:
        _refuse_odd(path.stat(), most)
        # Should a pipe have taken its place meanwhile, opening it does not wait for a writer.
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        with os.fdopen(handle, "rb") as file:
            facts = os.fstat(handle)
            _refuse_odd(facts, most)
            content = file.read(facts.st_size + 1)  # to ask for `most` would take as much memory
            if len(content) > facts.st_size:  # it has grown meanwhile
                content += file.read(most + 1 - len(content))
    except FileNotFoundError:
        raise
    except NotADirectoryError as fault:  # what lies below a file is not there either
        raise FileNotFoundError(fault.errno, fault.strerror, str(path)) from fault
    except OSError as fault:
        raise UnreadableError((fault.strerror or type(fault).__name__).lower()) from fault
    if len(content) > most:
        raise UnreadableError(f"larger than {_amount(most)}")
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


def _refuse_odd(facts: os.stat_result, most: int) -> None:
    if stat.S_ISDIR(facts.st_mode):
        raise UnreadableError("is a directory")
    if not stat.S_ISREG(facts.st_mode):
        raise UnreadableError("is a pipe or a device, not a file")
    if facts.st_size > most:
        raise UnreadableError(f"larger than {_amount(most)}")


def _amount(size: int) -> str:
    return f"{size >> 20} MiB" if size >= 1 << 20 else f"{size >> 10} KiB"
