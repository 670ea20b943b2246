"""Read JSON line by line within bounds: one object a line, as a list that grows is kept."""

from pathlib import Path
from typing import Any

from headtohead.records.json_reader import parse_json
from headtohead.records.regular import UnreadableError, read_regular
from headtohead.records.shape import Check

LARGEST = 256 << 20
"""Bytes. A case in one file takes about 1 KiB, one of 500 slices 60 KiB."""


def read_lines(path: Path, sound: Check) -> list[dict[str, Any]]:
    """Read the sound lines of a file. Others are left out: a kill or a full disk may have cut one short.

    Raises:
        FileNotFoundError: there is none.
        UnreadableError: it is no file, too large, or cannot be read.
    """
    found = []
    for line in read_regular(path, LARGEST).split(b"\n"):
        try:
            one = parse_json(line.decode())
        except (UnreadableError, UnicodeDecodeError):
            continue
        if sound(one) is None:
            found.append(one)
    return found
