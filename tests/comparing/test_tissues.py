"""Five tissues of real heads, as classes: read, trained, scored, reported, predicted, and scored by others again."""

from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import pytest

from headtohead.cli import main
from tests.tissues import TISSUES, write_tissues

pytestmark = pytest.mark.exhaustive

CASES = 6
NET = "--models buda --schedules none --width 4 --image_size 48 --num_epochs 6 --batch_size 8 --learning_rate 0.01"


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `data` and `runs/tissues`, two folds. Read only."""
    folder = tmp_path_factory.mktemp("tissues")
    others = write_tissues(folder / "data", CASES, step=6)
    targets = [f"{tissue}={','.join(map(str, labels))}" for tissue, labels in TISSUES.items()]
    labels = ";".join([*targets, f"background={','.join(map(str, others))}"])
    words = ["--compare", "--comparison", "tissues", "--root_dir", str(folder / "data"), "--labels", labels]
    words += ["--runs_dir", str(folder / "runs"), "--cache_dir", str(folder / "packed"), "--folds", "2", *NET.split()]
    assert main([*words, "--case_gifs", "none"]) == 0
    return folder


def dice_of(truth: Path, prediction: Path) -> dict[str, float]:
    """Dice of each tissue, from two label maps, without us."""
    one, other = (np.asarray(nib.load(path).dataobj) for path in (truth, prediction))
    pairs = {tissue: (np.isin(one, labels), np.isin(other, labels)) for tissue, labels in TISSUES.items()}
    return {tissue: 2 * (a & b).sum() / (a.sum() + b.sum()) for tissue, (a, b) in pairs.items()}


def test_it_learns_and_every_tissue_is_scored_in_every_case(compared: Path) -> None:
    cases = pd.read_csv(compared / "runs" / "tissues" / "cases.csv")
    ours = cases[cases["model"] == "buda"]
    assert len(ours) == CASES * len(TISSUES) and set(ours["target"]) == set(TISSUES)
    assert ours.groupby("target")["dice"].mean()["white matter"] > 0.2
    page = (compared / "runs" / "tissues" / "report.html").read_text()
    assert all(tissue in page for tissue in TISSUES)


def test_a_report_takes_the_labels_of_the_runs(compared: Path, capsys: pytest.CaptureFixture[str]) -> None:
    where = ["--comparison", "tissues", "--runs_dir", str(compared / "runs"), "--cache_dir", str(compared / "packed")]
    before = (compared / "runs" / "tissues" / "results.csv").read_bytes()
    assert main(["--report", *where, "--case_gifs", "none"]) == 0, capsys.readouterr().err
    assert (compared / "runs" / "tissues" / "results.csv").read_bytes() == before


def test_predicted_label_maps_have_the_dice_of_the_table(compared: Path, tmp_path: Path) -> None:
    where = ["--runs_dir", str(compared / "runs"), "--comparison", "tissues", "--run_name", "buda-none-s0-f0"]
    words = ["--predict", str(compared / "data"), "--output", str(tmp_path / "out"), "--mask_suffix", "_tissues.nii.gz"]
    assert main([*words, *where]) == 0
    table = pd.read_csv(compared / "runs" / "tissues" / "buda-none-s0-f0" / "cases.csv")
    assert len(set(table["case"])) == CASES // 2
    for case, rows in table.groupby("case"):
        found = dice_of(compared / "data" / f"{case}_dseg.nii.gz", tmp_path / "out" / f"{case}_tissues.nii.gz")
        assert rows.set_index("target")["dice"].to_dict() == pytest.approx(found, abs=0.002)
