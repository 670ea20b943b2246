"""A reader's desk: a folder laid out like the checkout, fewer patients, a download that asks nobody, a small net."""

import os
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import nibabel
import numpy as np
import pytest

from headtohead import cli
from headtohead.cohort.phantom import writing
from headtohead.models.registry import MODELS
from tests.pages.finding import ROOT

PATIENTS = 10  # the first of those that `--make_phantoms` draws
REAL_CASE = "TCGA_CS_4941_19960909"  # which the pages name, with its slice 12
LATER = 6  # by which the slices of a made-up patient are renumbered, so that there is a slice 12


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a folder that looks like the checkout, with volumes of a user's own beside it."""
    place = tmp_path_factory.mktemp("checkout")
    for name in ("main.py", "src", "configs", "Makefile", "requirements.txt", "requirements-dev.txt"):
        (place / name).symlink_to(ROOT / name)
    write_volumes(place / "data")
    return place


def write_volumes(data: Path) -> None:
    """Write what a user of volumes has: scans of any kind to predict, and scans with masks to train on."""
    rng = np.random.default_rng(0)
    names = [
        ("scans", "a.nii"),
        ("scans", "deep/b.nii.gz"),
        *(("nifti", f"sub-{one:02}_T2w.nii.gz") for one in range(6)),
    ]
    for folder, name in names:
        path = data / folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        mask = np.zeros((24, 28, 6), np.uint8)
        mask[8:16, 9:20, 1:5] = 1
        values = rng.integers(20, 60, mask.shape) + 100 * mask
        affine = np.diag([1.0, 1.0, 3.0, 1.0])
        nibabel.save(nibabel.Nifti1Image(values.astype(np.int16), affine), path)
        if folder == "nifti":
            nibabel.save(nibabel.Nifti1Image(mask, affine), path.with_name(name.replace("_T2w", "_T2w_mask")))
            write_results_of_nnunet(data, name.removesuffix("_T2w.nii.gz"), values, mask, affine)


def write_results_of_nnunet(data: Path, case: str, values: np.ndarray, mask: np.ndarray, affine: np.ndarray) -> None:
    """Write a test case of nnU-Net and what it predicted, with the files that it leaves beside its predictions."""
    described = '{"channel_names": {"0": "T2"}, "labels": {"background": 0, "ball": 1}, "file_ending": ".nii.gz"}'
    raw = data / "Dataset001_X"
    for name, one in {
        raw / "imagesTs" / f"{case}_0000.nii.gz": values.astype(np.int16),
        raw / "labelsTs" / f"{case}.nii.gz": mask,
        data / "new_scans" / f"{case}_0000.nii.gz": values.astype(np.int16),
        data / "predictions" / f"{case}.nii.gz": np.roll(mask, 1, axis=0),
        data / "human2" / f"{case}.nii.gz": np.roll(mask, 1, axis=1),
        data / "human3" / f"{case}.nii.gz": mask,
    }.items():
        name.parent.mkdir(parents=True, exist_ok=True)
        nibabel.save(nibabel.Nifti1Image(one, affine), name)
    for name in (raw / "dataset.json", data / "predictions" / "dataset.json"):
        name.write_text(described)
    for name in ("plans.json", "predict_from_raw_data_args.json", "summary.json"):
        (data / "predictions" / name).write_text("{}")


@pytest.fixture
def reader(place: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Sit down in that folder: commands run in this process, which has imported everything already."""
    monkeypatch.chdir(place)
    monkeypatch.setenv("MPLBACKEND", "Agg")
    monkeypatch.setattr(cli.machine, "tune_allocator", lambda: None)
    small = {"builder": MODELS["unet"].builder, "width": 4, "encoder": ""}
    monkeypatch.setitem(MODELS, "resnext", replace(MODELS["resnext"], **small))
    drawn = writing.plan_cases
    monkeypatch.setattr(writing, "plan_cases", lambda parameters: drawn(parameters)[:PATIENTS])
    monkeypatch.setitem(sys.modules, "kagglehub", SimpleNamespace(dataset_download=fetch))
    return place


def fetch(handle: str, output_dir: str) -> str:
    """Unpack made-up patients where Kaggle's archive would be; one has the name that the pages use."""
    archive = Path(output_dir) / "kaggle_3m"
    cases = sorted(Path("data/phantoms").glob("TCGA_*"))
    for case in cases:
        shutil.copytree(case, archive / case.name, copy_function=os.link)
    first = (archive / cases[0].name).rename(archive / REAL_CASE)
    for path in list(first.iterdir()):
        number, *mask = path.stem.removeprefix(f"{cases[0].name}_").split("_")
        path.rename(first / f"{'_'.join([REAL_CASE, str(int(number) + LATER), *mask])}.tif")
    shutil.copy("data/phantoms/data.csv", archive)
    return output_dir
