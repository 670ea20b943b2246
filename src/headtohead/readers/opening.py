"""Refuse what is no file to read, before any library opens it: folders, loops of links, empty files, no permission."""

import errno
from pathlib import Path

from headtohead.errors import UserError, printable

REASONS = {
    errno.ELOOP: "a symbolic link to itself; remove or correct it",
    errno.ENOENT: "no such file",
    errno.EACCES: "no permission to read it; change its permissions",
}


def first_bytes(path: Path) -> bytes:
    """Read the first four bytes of a file.

    Raises:
        UserError: it is not there, not a file, empty or not readable.
    """
    try:
        if path.is_dir():
            list(path.iterdir())  # fails where the folder may not be read
            raise UserError(f"{printable(path)}: a folder with the name of an image file; rename or remove it")
        path.stat()
        if not path.is_file():  # opening a pipe would wait for ever
            raise UserError(f"{printable(path)}: not a regular file; remove it")
        with path.open("rb") as file:
            start = file.read(4)
    except OSError as fault:
        raise UserError(f"{printable(path)}: {_reason(path, fault)}") from fault
    if not start:
        raise UserError(f"{printable(path)}: an empty file; restore or remove it")
    return start


def _reason(path: Path, fault: OSError) -> str:
    if fault.errno == errno.ENOENT and path.is_symlink():
        return "a symbolic link to a file that is not there; fetch the file or remove the link"
    return REASONS.get(fault.errno or 0, f"cannot be read ({fault.strerror})")
