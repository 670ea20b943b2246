"""Runs of an older protocol are scored again from the masks they keep, without a model."""

import json
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from headtohead.cohort import Cohort
from headtohead.errors import UserError
from headtohead.reporting.report import report
from headtohead.reporting.rescoring import rescore
from headtohead.runs.reading import read_ledger
from headtohead.scoring.protocol import PROTOCOL, same_predictions

OLD = {"version": 3, "clip": PROTOCOL["clip"], "hausdorff_percentile": 95.0, "surface_tolerance": 1.0}


pytestmark = pytest.mark.usefixtures("no_pictures")


@pytest.fixture
def old(copied: Path) -> Path:
    """The comparison as it was under protocol 3: other lesion counts, other protocol, no margin."""
    for path in (copied / "runs" / "made").glob("*/run.json"):
        path.write_text(json.dumps(json.loads(path.read_text()) | {"protocol": OLD}))
        cases = pd.read_csv(path.with_name("cases.csv"))
        cases.assign(lesions_false=77, grade="1").to_csv(path.with_name("cases.csv"), index=False)
    return copied


def test_report_scores_them_again(
    old: Path, scored: Path, report_options: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = report(report_options(old))
    assert "15 runs scored again from their masks, under protocol 4" in capsys.readouterr().out
    for run in folder.glob("*/run.json"):
        assert json.loads(run.read_text())["protocol"] == PROTOCOL
        for name in ("cases.csv", "slices.csv"):
            again, before = (
                pd.read_csv(place / name) for place in (run.parent, scored / "runs/made" / run.parent.name)
            )
            pd.testing.assert_frame_equal(again, before)
    report(report_options(old))
    assert "scored again" not in capsys.readouterr().out


def test_a_half_done_comparison_is_brought_to_one_protocol(old: Path, report_options: Any) -> None:
    """As a command killed between two runs leaves it: the mixture is mended, not refused."""
    first = sorted((old / "runs" / "made").glob("*/run.json"))[0]
    first.write_text(json.dumps(json.loads(first.read_text()) | {"protocol": PROTOCOL}))
    folder = report(report_options(old))
    assert (folder / "report.html").is_file()


def test_without_the_data_set_the_command_is_named(old: Path, report_options: Any) -> None:
    shutil.rmtree(old / "data")
    with pytest.raises(UserError, match=r"older protocol; `report` can score it again .* name it with `root_dir`"):
        report(report_options(old))


@pytest.mark.parametrize(
    ("file", "content", "cause"),
    [
        ("masks.npz", None, "`test` `comparison` made `run_name` unet-none-s0-f0 predicts and scores it again"),
        ("masks.npz", b"PK", "damaged"),
        ("slices.csv", b"case,slice,tp,fp,fn,predicted,truth,largest_tp,largest_fp\nx,1,0,0,0,0,0,0,0\n", "damaged"),
    ],
)
def test_a_run_that_cannot_be_scored_again_is_named(
    old: Path, scored_cohort: Cohort, file: str, content: bytes | None, cause: str, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = old / "runs" / "made"
    path = runs / "unet-none-s0-f0" / file
    path.unlink() if content is None else path.write_bytes(content)
    [(name, fault)] = rescore(read_ledger(runs, agreeing=False), scored_cohort).items()
    assert name == "unet-none-s0-f0" and cause in fault
    assert "14 runs scored again" in capsys.readouterr().out
    kept = pd.read_csv(runs / "unet-none-s0-f0" / "cases.csv")
    assert kept["lesions_false"].eq(77).all(), "nothing of it is half done"


def test_the_others_are_reported(old: Path, report_options: Any, capsys: pytest.CaptureFixture[str]) -> None:
    (old / "runs" / "made" / "unet-none-s0-f0" / "masks.npz").write_bytes(b"PK")
    folder = report(report_options(old))
    said = " ".join(capsys.readouterr().out.split())
    assert "unet-none-s0-f0 left out: " in said
    assert "seed 0 is left out because 2 of its 3 folds are finished" in said
    assert (folder / "report.html").is_file()


def test_where_no_run_can_be_scored_again_the_cause_is_named(old: Path, report_options: Any) -> None:
    for path in (old / "runs" / "made").glob("*/masks.npz"):
        path.write_bytes(b"")
    with pytest.raises(UserError, match=r"masks\.npz: damaged .* run `test` again"):
        report(report_options(old))


def test_only_what_changes_no_prediction_is_scored_again() -> None:
    assert same_predictions(OLD) and same_predictions(PROTOCOL)
    assert not same_predictions(OLD | {"version": 2})
    assert not same_predictions(OLD | {"clip": 3})
    assert not same_predictions(None)
