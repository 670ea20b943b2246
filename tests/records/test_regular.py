"""Files are read whole, bounded, and in no more memory than they need."""

import os
import tracemalloc
from pathlib import Path

import pytest

from headtohead.records.regular import UnreadableError, read_regular


def test_a_small_file_takes_little_memory_however_much_is_allowed(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(b"x" * 1000)
    tracemalloc.start()
    try:
        assert read_regular(path, 2 << 30) == b"x" * 1000
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("growth", [0, 1, 500, 1000, 1001])
def test_a_file_that_grows_while_it_is_read_is_read_to_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, growth: int
) -> None:
    path = tmp_path / "metrics.csv"
    path.write_bytes(b"a" * 1000)
    fstat = os.fstat

    def then_grown(handle: int) -> os.stat_result:
        facts = fstat(handle)
        with path.open("ab") as file:
            file.write(b"b" * growth)
        return facts

    monkeypatch.setattr("headtohead.records.regular.os.fstat", then_grown)
    if growth > 1000:
        with pytest.raises(UnreadableError, match="larger than"):
            read_regular(path, 2000)
    else:
        assert read_regular(path, 2000) == b"a" * 1000 + b"b" * growth
