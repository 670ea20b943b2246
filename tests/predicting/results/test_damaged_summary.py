"""A summary.csv that cannot be read is refused before anything is predicted, not after."""

import os
from dataclasses import fields
from pathlib import Path

import pytest

from headtohead.errors import UserError
from headtohead.predicting.results.summary import FILE, Row, read_summary, write_summary

HEADER = ",".join(one.name for one in fields(Row))


@pytest.mark.parametrize(
    "content",
    [b"", b"\xff", f"{HEADER}\na.nii,1\n".encode(), f"{HEADER}\n{',' * 40}\n".encode(), b"file\na\n",
     f'{HEADER}\n"{"x" * 200_000}'.encode(), None],
)  # fmt: skip
def test_it_is_refused_in_a_line(tmp_path: Path, content: bytes | None) -> None:
    if content is None:
        os.mkfifo(tmp_path / FILE)
    else:
        (tmp_path / FILE).write_bytes(content)
    with pytest.raises(UserError, match=r"summary\.csv: not written by `predict`"):
        read_summary(tmp_path / FILE)


def test_what_was_written_is_read(tmp_path: Path) -> None:
    write_summary([Row("a.nii", voxels=3), Row("odd\udcff.nii")], tmp_path)
    assert [line["file"] for line in read_summary(tmp_path / FILE)] == ["a.nii", "odd\udcff.nii"]
    assert read_summary(tmp_path / "nowhere.csv") == []
