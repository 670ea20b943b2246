"""Archives (ZIP) that a library will unpack: refused where they come to more than they hold."""

import struct
import zipfile
from pathlib import Path

from headtohead.records.regular import UnreadableError, opened

FAULTS = (zipfile.BadZipFile, struct.error, ValueError, LookupError, EOFError, RuntimeError, OverflowError)
"""What `zipfile` raises over arbitrary bytes; an encrypted entry is a RuntimeError."""

BEGIN = b"PK\x03\x04"


def refuse_packed(path: Path) -> None:
    """Refuse an archive of PyTorch whose entries come to more than the file: packed ones, or one that is listed often.

    PyTorch writes neither, and would take what they unpack to, a thousandfold of the file. What is no archive passes.

    Raises:
        FileNotFoundError: there is none.
        UnreadableError: it is no file, damaged, or comes to more than it holds.
    """
    try:
        with opened(path) as file:
            if file.read(len(BEGIN)) != BEGIN:  # by which PyTorch tells an archive
                return
            size = file.seek(0, 2)
            with zipfile.ZipFile(file) as archive:
                entries = archive.infolist()
    except FAULTS as fault:
        raise UnreadableError(str(fault).splitlines()[0] if str(fault) else "cut short") from fault
    if sum(entry.file_size for entry in entries) > size:
        raise UnreadableError("its entries come to more than it holds")
