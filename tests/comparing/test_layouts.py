"""The same patients in the folders of BraTS and of nnU-Net: the same scores of the same regions."""

import json
import shutil
from pathlib import Path

from headtohead.cohort.phantom import make_brats_phantoms
from headtohead.comparing.training import test as score
from headtohead.comparing.training import train
from headtohead.options.table import from_flat
from headtohead.records.table_reader import read_rows

CHANNELS = {"t1": "T1", "t1ce": "T1ce", "t2": "T2", "flair": "FLAIR"}


def as_nnunet(brats: Path, root: Path) -> None:
    """Copy the cases of a folder of BraTS into the layout of nnU-Net."""
    for folder in ("imagesTr", "labelsTr"):
        (root / folder).mkdir(parents=True)
    for case in (path.name for path in brats.iterdir() if path.is_dir()):
        for number, end in enumerate(CHANNELS):
            shutil.copy(brats / case / f"{case}_{end}.nii.gz", root / f"imagesTr/{case}_{number:04d}.nii.gz")
        shutil.copy(brats / case / f"{case}_seg.nii.gz", root / f"labelsTr/{case}.nii.gz")
    described = {
        "channel_names": {str(number): name for number, name in enumerate(CHANNELS.values())},
        "labels": {"background": 0, "whole tumour": [1, 2, 4], "tumour core": [1, 4], "enhancing tumour": 4},
        "regions_class_order": [2, 1, 4],
        "file_ending": ".nii.gz",
    }
    (root / "dataset.json").write_text(json.dumps(described))


def test_either_layout_gives_the_same_scores(tmp_path: Path) -> None:
    make_brats_phantoms(tmp_path / "brats", 6, 0, 32, (4, 5))
    as_nnunet(tmp_path / "brats", tmp_path / "nnunet")
    found = {}
    for data in ("brats", "nnunet"):
        options = from_flat(
            {"data": data, "root_dir": str(tmp_path / data), "cache_dir": str(tmp_path / "packed"), "gpus": "cpu",
             "runs_dir": str(tmp_path / f"runs-{data}"), "model": "buda", "width": 4, "image_size": 32,
             "num_epochs": 1, "num_workers": 0, "threshold": 0.2}
        )  # fmt: skip
        folder = train(options)
        score(options)
        found[data] = {name: (folder / name).read_bytes() for name in ("cases.csv", "slices.csv")}
        rows = read_rows(folder / "cases.csv", ("case", "target", "tp"))
        assert [row["target"] for row in rows[:3]] == ["whole tumour", "tumour core", "enhancing tumour"]
        assert any(int(row["tp"]) for row in rows)
    assert found["brats"] == found["nnunet"]
