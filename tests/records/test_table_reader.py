"""Tables of others: read within bounds, or a few words that say why not."""

import os
from pathlib import Path

import pytest

from headtohead.records.regular import UnreadableError
from headtohead.records.table_reader import read_rows, read_table

ODD = {
    "not UTF-8": (b"case\n\xff\n", "line 2: not UTF-8"),
    "fields without a name": (b"case,part\na,b,c\n", "rows (have more fields|are not as long)"),
    "a field too few": (b"case,part\na\n", "rows are not as long as the header"),
    "no such column": (b"name,part\na,b\n", "no column case"),
    "a column twice": (b"case,part,case\na,b,c\n", "two columns case"),
    "a field beyond every bound": (b'case,part\n"' + b"x" * 200_000 + b'",b\n', "line .*field larger"),
    "pipe": (None, "is a pipe or a device, not a file"),
    "directory": (None, "is a directory"),
}


@pytest.mark.parametrize("name", ODD)
def test_what_is_wrong_is_said(name: str, tmp_path: Path) -> None:
    path, (content, why) = tmp_path / "a.csv", ODD[name]
    if content is not None:
        path.write_bytes(content)
    else:
        os.mkfifo(path) if name == "pipe" else path.mkdir()
    with pytest.raises(UnreadableError, match=f"^{why}"):
        read_rows(path, ("case", "part"))
    if name in ("not UTF-8", "fields without a name", "pipe", "directory"):
        with pytest.raises(UnreadableError, match=f"^{why}"):
            read_table(path)


def test_a_table_is_read_as_text_and_as_numbers(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"\xef\xbb\xbfcase,slices\n001,7\n")
    assert read_rows(path, ("case",)) == [{"case": "001", "slices": "7"}]
    assert read_table(path, dtype={"case": str}).to_dict("records") == [{"case": "001", "slices": 7}]
    with pytest.raises(FileNotFoundError):
        read_rows(tmp_path / "none.csv")


def test_what_is_empty_or_no_table_is_refused_by_pandas_in_a_line(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    for content in (b"", b'"' * 5_000 + b"\n,", b"case\nx\n"):
        path.write_bytes(content)
        with pytest.raises(UnreadableError) as caught:
            read_table(path, dtype={"case": int})
        assert len(str(caught.value).splitlines()) == 1
