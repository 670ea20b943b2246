"""Read JSON within bounds: of its size, its depth and the digits of a number."""

import json
from pathlib import Path
from typing import Any

from headtohead.records.regular import UnreadableError, read_utf8

LARGEST = 64 << 20
"""Bytes. model.json names every case of its training: 100,000 of them are 5 MiB."""

DEEPEST = 40
MOST_DIGITS = 400
"""A float of 64 bits written out has up to 309."""


def read_json(path: Path, most: int = LARGEST) -> dict[str, Any]:
    """Read a JSON file of up to so many bytes that holds one object, as all of ours do.

    Raises:
        FileNotFoundError: there is none.
        UnreadableError: it is no file, beyond a bound, not text, not JSON, or another value than an object.
    """
    return parse_json(read_utf8(path, most))


def read_json_list(path: Path) -> list[Any]:
    """Read a JSON file that holds one list, as `read_json` reads an object."""
    found = _parse(read_utf8(path, LARGEST))
    if not isinstance(found, list):
        raise UnreadableError("not a JSON list")
    return found


def parse_json(text: str) -> dict[str, Any]:
    """Read one object from text.

    Raises:
        UnreadableError: beyond a bound, not JSON, or another value than an object.
    """
    found = _parse(text)
    if not isinstance(found, dict):
        raise UnreadableError("not a JSON object")
    return found


def _parse(text: str) -> Any:
    try:
        found = json.loads(text, parse_int=_whole)
    except json.JSONDecodeError as fault:
        raise UnreadableError(f"line {fault.lineno}: not valid JSON: {fault.msg}") from fault
    except RecursionError as fault:
        raise UnreadableError(f"nested more than {DEEPEST} deep") from fault
    _refuse_deep(found)
    return found


def _whole(digits: str) -> int:
    if len(digits) > MOST_DIGITS:
        raise UnreadableError(f"a number of more than {MOST_DIGITS} digits")
    return int(digits)


def _refuse_deep(value: Any) -> None:
    level = [value]
    for _ in range(DEEPEST):
        level = [
            part
            for outer in level
            if isinstance(outer, dict | list)
            for part in (outer.values() if isinstance(outer, dict) else outer)
        ]
        if not level:
            return
    raise UnreadableError(f"nested more than {DEEPEST} deep")
