"""The commands of the page on masks of other programs, one after the other."""

from pathlib import Path

import pytest

from tests.pages.finding import ROOT, commands_of
from tests.pages.running import run_main

PAGE = "docs/how-to/score-masks.md"


@pytest.mark.exhaustive  # the first command is the README's, too
def test_every_command_runs(reader: Path, capsys: pytest.CaptureFixture[str]) -> None:
    commands = list(commands_of(PAGE, (ROOT / PAGE).read_text(encoding="utf-8")))
    assert len(commands) == 4
    for command in commands:
        run_main(command.words[2:], reader, capsys)
    assert "human3" in (reader / "runs" / "raters" / "report.html").read_text()
