"""The table that the test of a single run leaves."""

from pathlib import Path
from typing import Any

import pytest

from headtohead.reporting.rewriting import write_row


def test_it_is_printed_and_written(comparison: Path, write_run: Any, capsys: pytest.CaptureFixture[str]) -> None:
    write_run("buda", "cosine")
    tested = write_run("unet", "none")
    write_run("resnext", "none", data={"key": "other"})
    write_row(tested)
    table, printed = (comparison / "results.md").read_text(), capsys.readouterr().out
    assert table in printed and printed.endswith(f"table: {comparison / 'results.md'}\n")
    assert "| unet-none-s0-f0 " in table and "| buda-cosine-s0-f0 " in table and "resnext" not in table


def test_a_report_is_not_contradicted(comparison: Path, write_run: Any, capsys: pytest.CaptureFixture[str]) -> None:
    tested = write_run("unet", "none")
    (comparison / "report.html").touch()
    write_row(tested)
    assert not (comparison / "results.md").exists()
    printed = capsys.readouterr().out
    assert "| unet-none-s0-f0 " in printed
    assert printed.endswith("report.html does not have this test yet: --report --comparison lgg rewrites it\n")
