"""The commands of the page on external validation, run as printed; copies are made by the shell."""

import re
from pathlib import Path

import pandas as pd
import pytest

from headtohead import cli
from tests.pages import conftest
from tests.pages.finding import ROOT, commands_of
from tests.pages.running import SHORT, run

PAGE = "docs/how-to/external-validation.md"


@pytest.mark.exhaustive
def test_every_command(reader: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conftest, "PATIENTS", 24)  # of each site some
    found = list(commands_of(PAGE, (ROOT / PAGE).read_text(encoding="utf-8")))
    assert len(found) > 9
    for command in found:
        if command.words[:2] != ["python", "main.py"]:
            run(["bash", "-c", command.text], reader)
            continue
        short = SHORT if re.search("--(train|compare)", command.text) else []
        short = [*short, *(["--case_gifs", "none"] if re.search("--(compare|report)", command.text) else [])]
        assert cli.main([*command.words[2:], *short]) == 0, f"{command}\n{capsys.readouterr().err}"
    for comparison, cohort in (("du", "other_sites"), ("not_du", "site_du")):
        scores = pd.read_csv(reader / "runs" / comparison / "external.csv")
        assert scores["cohort"].tolist() == [cohort] and scores["n"].item() > 0
        assert "External tests" in (reader / "runs" / comparison / "report.html").read_text()
    assert "cross-validation by site" in (reader / "runs" / "sites" / "results.md").read_text()
