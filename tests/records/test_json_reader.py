"""JSON of others: one object within bounds, or a few words that say why not."""

import os
from pathlib import Path

import pytest

from headtohead.records.json_reader import DEEPEST, MOST_DIGITS, read_json
from headtohead.records.regular import UnreadableError

ODD = {
    "null": (b"null", "not a JSON object"),
    "list": (b"[]", "not a JSON object"),
    "text": (b'"text"', "not a JSON object"),
    "number": (b"1", "not a JSON object"),
    "empty": (b"", "line 1: not valid JSON"),
    "cut short": (b'{\n"a": ', "line 2: not valid JSON"),
    "not UTF-8": (b'{\n\n"a": "\xff"}', "line 3: not UTF-8"),
    "NUL": (bytes(10), "line 1: not valid JSON"),
    "deep lists": (b'{"a": ' + b"[" * 100_000, f"nested more than {DEEPEST} deep"),
    "deep objects": (b'{"a": ' * (DEEPEST + 1) + b"1" + b"}" * (DEEPEST + 1), f"nested more than {DEEPEST} deep"),
    "digits": (b'{"a": ' + b"9" * (MOST_DIGITS + 1) + b"}", f"a number of more than {MOST_DIGITS} digits"),
    "too large": (b'{"a": "' + bytes(2048) + b'"}', "larger than 1 KiB"),
    "pipe": (None, "is a pipe or a device, not a file"),
    "directory": (None, "is a directory"),
}


@pytest.mark.parametrize("name", ODD)
def test_what_is_wrong_is_said(name: str, tmp_path: Path) -> None:
    path, (content, why) = tmp_path / "a.json", ODD[name]
    if name == "pipe":
        os.mkfifo(path)
    elif name == "directory":
        path.mkdir()
    else:
        path.write_bytes(content or b"")
    with pytest.raises(UnreadableError, match=f"^{why}"):
        read_json(path, 1024 if name == "too large" else 1 << 20)


def test_a_device_is_not_read() -> None:
    with pytest.raises(UnreadableError, match="is a pipe or a device"):
        read_json(Path("/dev/zero"))


def test_what_is_within_the_bounds_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    deep = b'{"a": ' * (DEEPEST - 1) + b"{}" + b"}" * (DEEPEST - 1)
    for content in (b"{}", b'\xef\xbb\xbf{"a": 1}', deep, b'{"a": ' + b"9" * MOST_DIGITS + b"}"):
        path.write_bytes(content)
        assert isinstance(read_json(path), dict)
    with pytest.raises(FileNotFoundError):
        read_json(tmp_path / "none.json")
    with pytest.raises(FileNotFoundError):
        read_json(path / "below.json")
