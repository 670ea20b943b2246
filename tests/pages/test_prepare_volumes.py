"""The commands of the page on whole volumes, as printed but for what makes a training short, on made-up patients."""

import json
from pathlib import Path
from typing import Any

import pytest

from headtohead import cli
from headtohead.reporting import rewriting
from tests.pages import conftest
from tests.pages.finding import ROOT, commands_of

PAGE = "docs/how-to/prepare-volumes.md"
SHORT = ["--root_dir", "data/phantoms", "--num_epochs", "1", "--image_size", "32", "--width", "4"]
SHORT += ["--gpus", "cpu", "--num_workers", "0"]


@pytest.mark.exhaustive
def test_every_command_runs(reader: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conftest, "PATIENTS", 11)  # the published split tests ten
    for name in ("write_pictures", "write_curves"):  # which take longer than the trainings
        monkeypatch.setattr(rewriting, name, lambda *_: None)
    assert cli.main(["--make_phantoms", "data/phantoms"]) == 0
    for command in commands_of(PAGE, (ROOT / PAGE).read_text(encoding="utf-8")):
        fewer = ["--folds", "2"] if "--folds" in command.words else []
        assert cli.main([*command.words[2:], *SHORT, *fewer]) == 0, f"{command}\n{capsys.readouterr().err}"
    runs = ("buda/buda-none-s0-f0", "cropped/unet-none-s0-f0", "buda_folds/buda-none-s0-f1")
    whole, cropped, folds = (record_of(reader, run) for run in runs)
    assert whole["recipe"]["preparation"] == folds["recipe"]["preparation"] == "volume"
    assert cropped["recipe"]["preparation"] == "trim=1,crop=0.1"
    assert (whole["split"]["kind"], folds["split"]["kind"], folds["split"]["folds"]) == ("buda", "patient", 2)
    assert [whole[one] for one in ("loss", "sampling", "test_postprocessing")] == ["dice", "lesion_weighted", "largest"]
    page = (reader / "runs" / "buda" / "report.html").read_text()
    assert "so the scores are flattered" in page and "Masks were cleaned before they were scored" in page


def record_of(place: Path, run: str) -> dict[str, Any]:
    record: dict[str, Any] = json.loads((place / "runs" / run / "run.json").read_text())
    return record
