"""A comparison of masks is added to and scored again: what is there is kept unless the command says otherwise."""

import json
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from headtohead import cli
from headtohead.entrants import score
from tests.entrants.conftest import Scored, eroded, write_masks


def test_other_masks_under_one_name(data_set: Path, masks: Path, score_in: Scored, tmp_path: Path) -> None:
    assert score_in(f"a={masks}")[0] == 0
    before = (tmp_path / "runs" / "c" / "a" / "cases.csv").read_bytes()
    status, _, said = score_in(f"a={data_set / 'eroded'}")
    assert status == 2 and "other masks of this name were scored before" in said and "--overwrite" in said
    assert (tmp_path / "runs" / "c" / "a" / "cases.csv").read_bytes() == before
    assert score_in(f"a={data_set / 'eroded'}", "--overwrite")[0] == 0
    assert (tmp_path / "runs" / "c" / "a" / "cases.csv").read_bytes() != before


def test_another_truth(data_set: Path, masks: Path, score_in: Scored, tmp_path: Path) -> None:
    assert score_in(f"a={masks}")[0] == 0
    other = write_masks(tmp_path / "other", eroded)
    status, _, said = score_in(f"b={masks}", truth=other)
    assert status == 2 and "was tested on another truth" in said
    status, _, said = score_in(f"b={masks}", "--overwrite", truth=other)  # the first one stays
    assert status == 2 and "was tested on another truth" in said
    assert score_in(f"a={masks}", "--overwrite", truth=other)[0] == 0
    assert json.loads((tmp_path / "runs" / "c" / "a" / "run.json").read_text())["data"]["root"] == str(other)


def test_an_entrant_is_added_with_less_said(data_set: Path, score_in: Scored, tmp_path: Path) -> None:
    """What the first command said of the truth, and the description beside its masks, holds for the second."""
    truth = Path(shutil.copytree(data_set / "labelsTs", tmp_path / "truth"))
    assert score_in(f"nnunet={data_set / 'nnunet'}", "--images", str(data_set / "imagesTs"), truth=truth)[0] == 0
    assert score_in(f"human={data_set / 'eroded'}", truth=truth)[0] == 0
    said = [json.loads(path.read_text())["data"] for path in (tmp_path / "runs" / "c").glob("*/run.json")]
    assert len(said) == 2 and said[0] == said[1] and said[0]["labels"] == "ball=1"


def test_a_folder_that_appears_while_masks_are_scored_is_kept(
    masks: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    score_in: Scored,
) -> None:
    other = tmp_path / "runs" / "c" / "a" / "run.json"
    write = score.write_entrant

    def meanwhile(*about: Any) -> None:
        write(*about)
        other.parent.mkdir(parents=True)
        other.write_text('{"experiment": {"model": "unet", "schedule": "poly"}}')

    monkeypatch.setattr(score, "write_entrant", meanwhile)
    status, _, said = score_in(f"a={masks}")
    assert status == 2 and "is no folder of masks" in said
    assert [path.name for path in other.parent.iterdir()] == ["run.json"]


def test_a_corrected_truth_is_scored_again_with_overwrite(
    masks: Path,
    tmp_path: Path,
    cache_dir: Path,
    score_in: Scored,
    capsys: pytest.CaptureFixture[str],
) -> None:
    truth = write_masks(tmp_path / "truth")
    assert score_in(f"a={masks}", truth=truth)[0] == 0
    write_masks(truth, eroded)
    place = ["--runs_dir", str(tmp_path / "runs"), "--cache_dir", str(cache_dir), "--comparison", "c"]
    assert cli.main(["--report", *place]) == 2
    assert "score again with --score --overwrite" in capsys.readouterr().err
    assert cli.main(["--score", "--masks", f"a={masks}", *place]) == 2
    assert cli.main(["--score", "--masks", f"a={masks}", "--overwrite", *place]) == 0, capsys.readouterr().err
    assert (pd.read_csv(tmp_path / "runs" / "c" / "a" / "cases.csv")["dice"] < 1).all()
