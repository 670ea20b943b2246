"""Masks of other programs become a comparison with all that a report has."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from headtohead import cli
from headtohead.runs.reading import read_ledger
from tests.entrants.conftest import CASES, eroded, shifted, truth_of


def dice_of(one: np.ndarray, other: np.ndarray) -> float:
    return 2 * float((one & other).sum()) / float(one.sum() + other.sum())


def test_scores_without_pytorch(scored: tuple[Path, str]) -> None:
    printed = scored[1]
    loaded = set(printed.split("loaded ")[1].split())
    assert "status 0" in printed and {"pandas", "scipy"} < loaded
    assert not {"torch", "torchvision", "pytorch_lightning", "lightning", "torchmetrics"} & loaded


def test_dice_is_that_of_the_arrays(scored: tuple[Path, str]) -> None:
    for name, distort in {"equal": lambda mask: mask, "eroded": eroded, "nnunet": shifted}.items():
        table = pd.read_csv(scored[0] / name / "cases.csv").set_index("case")["dice"]
        due = {f"case_{n:03}": dice_of(distort(truth_of(n)), truth_of(n)) for n in range(CASES)}
        assert table.to_dict() == pytest.approx(due)


def test_the_verdict_is_the_one_that_the_construction_demands(scored: tuple[Path, str]) -> None:
    page = (scored[0] / "report.html").read_text()
    assert "equal scores higher than each of the other 2 entrants" in page
    pairs = pd.read_csv(scored[0] / "pairs.csv").query("family == 'primary'").set_index(["a", "b"])
    assert pairs["different"].all()
    assert pairs.loc[("equal", "eroded"), "wins"] == pairs.loc[("equal", "nnunet"), "wins"] == CASES


def test_a_run_folder_says_whose_masks_it_holds(scored: tuple[Path, str], data_set: Path) -> None:
    record = json.loads((scored[0] / "nnunet" / "run.json").read_text())
    identity = {"model": "nnunet", "schedule": "-", "seed": None, "fold": 0, "name": "nnunet"}
    assert record["status"] == "finished" and record["experiment"] == identity
    assert record["masks"]["folder"] == str(data_set / "nnunet") and record["masks"]["files"] == CASES
    assert not (scored[0] / "nnunet" / "checkpoints").exists()
    assert [run.entrant[0] for run in read_ledger(scored[0]).counted] == ["equal", "eroded", "nnunet"]


def test_the_page_says_where_masks_are_from_and_nothing_of_trainings(scored: tuple[Path, str], data_set: Path) -> None:
    page, table = (scored[0] / "report.html").read_text(), (scored[0] / "results.md").read_text()
    assert f"masks from {data_set / 'eroded'}" in page and "ball" in page
    for word in ("training time", "seed SD", "-threshold", "ONE SEED", "ensemble of"):
        assert word not in page.split('id="provenance"')[0].split("<main")[1]
    assert "masks as given" in table and "Each training" not in table and "no patient is in both" not in table
    assert "lesion means ball; distances" in page and "whatever the masks mark" not in page + table
    assert "data:image/webp" in page  # the images of the other folder


def test_raters_agree_as_their_arrays_do(scored: tuple[Path, str]) -> None:
    found = pd.read_csv(scored[0] / "agreement.csv").set_index(["a", "b"])
    due = np.mean([dice_of(eroded(truth_of(n)), shifted(truth_of(n))) for n in range(CASES)])
    assert found.loc[("eroded", "nnunet"), "mean"] == pytest.approx(due)
    assert (found["n"] == CASES).all() and len(found) == 3
    assert "Agreement" in (scored[0] / "report.html").read_text()


def files_of(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.exhaustive
def test_the_same_masks_are_kept_and_their_report_has_the_same_bytes(
    scored: tuple[Path, str], data_set: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, before = scored[0], files_of(scored[0])
    masks = f"equal={data_set / 'equal'},nnunet={data_set / 'nnunet'}"
    place = ["--runs_dir", str(folder.parent), "--cache_dir", str(folder.parents[1] / "packed"), "--case_gifs", "none"]
    assert cli.main(["--score", "--masks", masks, *place]) == 0  # the truth is that of the runs
    assert capsys.readouterr().out.count("scored before, kept") == 2
    assert files_of(folder) == before


@pytest.mark.exhaustive
def test_a_report_on_it_has_the_same_bytes(scored: tuple[Path, str]) -> None:
    folder, before = scored[0], files_of(scored[0])
    cache = str(folder.parents[1] / "packed")
    assert cli.main(["--report", "--runs_dir", str(folder.parent), "--cache_dir", cache, "--case_gifs", "none"]) == 0
    assert files_of(folder) == before
