"""The same patients in the folders of BraTS and of nnU-Net: the same scores of the same regions, in any test."""

import json
import shutil
from pathlib import Path

import nibabel
import numpy as np
import pandas as pd
import pytest

from headtohead import cli
from headtohead.cohort.phantom import make_brats_phantoms
from headtohead.comparing.training import test as score
from headtohead.comparing.training import train
from headtohead.options.table import from_flat
from headtohead.records.table_reader import read_rows

CHANNELS = {"t1": "T1", "t1ce": "T1ce", "t2": "T2", "flair": "FLAIR"}
REGIONS = {"whole tumour": [1, 2, 4], "tumour core": [1, 4], "enhancing tumour": [4]}


def as_nnunet(brats: Path, root: Path, ward: str = "") -> None:
    """Copy the cases of a folder of BraTS into the layout of nnU-Net; those of a ward under other names."""
    for folder in ("imagesTr", "labelsTr"):
        (root / folder).mkdir(parents=True)
    for case in (path.name for path in brats.iterdir() if path.is_dir()):
        name = f"{ward}_{case[-3:]}" if ward else case
        for number, end in enumerate(CHANNELS):
            shutil.copy(brats / case / f"{case}_{end}.nii.gz", root / f"imagesTr/{name}_{number:04d}.nii.gz")
        shutil.copy(brats / case / f"{case}_seg.nii.gz", root / f"labelsTr/{name}.nii.gz")
    described = {
        "channel_names": {str(number): name for number, name in enumerate(CHANNELS.values())},
        "labels": {"background": 0, **REGIONS, "enhancing tumour": 4},
        "regions_class_order": [2, 1, 4],
        "file_ending": ".nii.gz",
    }
    (root / "dataset.json").write_text(json.dumps(described))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the same cases in both layouts, and in runs-brats and runs-nnunet the run of each. Read only."""
    place = tmp_path_factory.mktemp("layouts")
    make_brats_phantoms(place / "brats", 6, 0, 32, (4, 5))
    as_nnunet(place / "brats", place / "nnunet")
    for data in ("brats", "nnunet"):
        options = from_flat(
            {"data": data, "root_dir": str(place / data), "cache_dir": str(place / "packed"), "gpus": "cpu",
             "runs_dir": str(place / f"runs-{data}"), "model": "buda", "width": 4, "image_size": 32,
             "num_epochs": 1, "num_workers": 0, "threshold": 0.2}
        )  # fmt: skip
        train(options)
        score(options)
    return place


def run_in(runs: Path) -> Path:
    """Find the one run below a folder."""
    [record] = runs.glob("*/*/run.json")
    return record.parent


def test_either_layout_gives_the_same_scores(place: Path) -> None:
    found = {}
    for data in ("brats", "nnunet"):
        folder = run_in(place / f"runs-{data}")
        found[data] = {name: (folder / name).read_bytes() for name in ("cases.csv", "slices.csv")}
        rows = read_rows(folder / "cases.csv", ("case", "target", "tp"))
        assert [row["target"] for row in rows[:3]] == list(REGIONS)
        assert any(int(row["tp"]) for row in rows)
    assert found["brats"] == found["nnunet"]


@pytest.mark.exhaustive
def test_a_model_of_one_layout_is_tested_on_others_in_the_other(
    place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_brats_phantoms(tmp_path / "made", 4, 9, 32, (4, 5))
    as_nnunet(tmp_path / "made", tmp_path / "ward", "ward")
    shutil.copytree(place / "runs-brats", tmp_path / "runs")
    run = run_in(tmp_path / "runs")
    choice = ["--runs_dir", str(tmp_path / "runs"), "--comparison", run.parent.name, "--run_name", run.name]
    more = ["--cache_dir", str(place / "packed"), "--gpus", "cpu"]
    assert cli.main(["--test", *choice, *more, "--data", "nnunet", "--root_dir", str(tmp_path / "ward")]) == 0
    masks = ["--predict", str(tmp_path / "ward" / "imagesTr"), "--output", str(tmp_path / "masks"), "--gpus", "cpu"]
    assert cli.main([*masks, *choice]) == 0, capsys.readouterr().err

    folder = run / "external" / "ward"
    cases = pd.read_csv(folder / "cases.csv").set_index(["case", "target"])
    assert list(cases.index.unique("case")) == [f"ward_{number:03d}" for number in range(1, 5)]
    dice = {}
    for case in cases.index.unique("case"):
        truth, mask = (
            np.asarray(nibabel.load(one).dataobj)  # type: ignore[attr-defined]
            for one in (tmp_path / "ward" / "labelsTr" / f"{case}.nii.gz", *(tmp_path / "masks").rglob(f"{case}*mask*"))
        )
        for target, labels in REGIONS.items():
            true, found = np.isin(truth, labels), np.isin(mask, labels)
            dice[case, target] = 2 * (true & found).sum() / (true.sum() + found.sum()) if true.any() else np.nan
    assert cases["dice"].to_dict() == pytest.approx(dice, nan_ok=True, abs=1e-6)
    assert np.nanmean(list(dice.values())) > 0 and len(set(dice.values())) > 3, "or this shows little"
    record = json.loads((folder / "run.json").read_text())
    means = {target: np.nanmean([dice[one] for one in dice if one[1] == target]) for target in REGIONS}
    assert record["test_dice_of_targets"] == pytest.approx(means)
    assert record["external"]["unseen_by"] == "patients and pixels"

    assert cli.main(["--report", *choice[:4], *more[:2], "--case_gifs", "none"]) == 0
    external = pd.read_csv(run.parent / "external.csv").iloc[0]
    primary = pd.Series(dice).groupby(level=0).mean().dropna()
    assert (external["n"], external["mean"]) == (len(primary), pytest.approx(primary.mean()))
    assert "with a whole tumour" in set(pd.read_csv(run.parent / "populations.csv")["property"])
