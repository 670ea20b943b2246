"""Volumes with masks are trained on, compared, reported and explored as LGG is, with distances in mm."""

import json
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pandas as pd
import pytest

from headtohead.batches.splits import make_split
from headtohead.cohort import open_cohort
from headtohead.comparing.grid import compare
from headtohead.errors import UserError
from headtohead.exploring.explore import explore
from headtohead.options import table as option_table
from headtohead.options.table import Options
from headtohead.options.training import TrainingOptions
from headtohead.readers.lgg import TASK as LGG_TASK
from headtohead.readers.nifti import TASK as NIFTI_TASK
from headtohead.reporting.augmentation_sheet import legend_of, policy_lines, view_augmentation
from headtohead.reporting.report import report

SIDES = (20, 24, 6)


def make_volumes(root: Path, subjects: int) -> Path:
    """Write bright balls in noise with their masks; each volume is stored another way and has its own spacing."""
    rng = np.random.default_rng(0)
    place = np.stack(np.meshgrid(*(np.linspace(-1, 1, size) for size in SIDES), indexing="ij"))
    for number in range(subjects):
        inside = (np.linalg.norm(place, axis=0) < 0.4 + 0.06 * number).astype(np.uint8)
        values = (inside * 500.0 + rng.uniform(0, 200, SIDES)).astype(np.float32)
        affine = np.diag([1.0, 1.0 + (number == 5), 3.0 + number % 2, 1])
        folder = root / f"sub-{number:02d}" / "anat"
        folder.mkdir(parents=True)
        turn = np.array([[number % 3, 1], [(number + 1) % 3, -1], [(number + 2) % 3, 1]])
        for name, array in (("T2w", values), ("T2w_desc-brain_mask", inside)):
            image = nibabel.Nifti1Image(array, affine).as_reoriented(turn)
            nibabel.save(image, folder / f"sub-{number:02d}_{name}.nii.gz")
    return root


@pytest.fixture(scope="module")
def volumes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six made-up subjects."""
    return make_volumes(tmp_path_factory.mktemp("volumes"), 6)


@pytest.fixture(scope="module")
def options(volumes: Path, tmp_path_factory: pytest.TempPathFactory) -> Options:
    """A small comparison of them."""
    place = tmp_path_factory.mktemp("place")
    chosen: dict[str, Any] = {
        "data": "nifti",
        "patient_pattern": "sub-..",  # no less than what the names say; a report has to find it again
        "root_dir": str(volumes),
        "cache_dir": str(place / "packed"),
        "runs_dir": str(place / "runs"),
        "comparison": "masks",
        "models": ["buda"],
        "schedules": ["none"],
        "folds": "2",
        "width": 4,
        "image_size": 32,
        "num_epochs": 2,
        "batch_size": 4,
        "learning_rate": 0.02,
        "gpus": "cpu",
        "precision": "32",
        "num_workers": 0,
    }
    return option_table.from_flat(chosen)


@pytest.fixture(scope="module")
def compared(options: Options) -> Path:
    """The folder of the comparison, carried out."""
    return compare(options)


def test_every_case_is_scored_in_mm_and_ml(compared: Path, options: Options, volumes: Path) -> None:
    cohort = open_cohort(volumes, Path(options.data.cache_dir), "nifti")
    cases = pd.read_csv(compared / "cases.csv", keep_default_na=False)
    assert {"hd95_mm", "surface_dice_mm", "lesion_ml", "volume_error_ml"} <= set(cases.columns)
    assert not [name for name in cases.columns if name.endswith("_px")]
    assert set(cases["case"]) == set(cohort.table["case"])
    assert set(cases["patient"]) == {f"sub-{number:02d}" for number in range(6)}
    voxel_ml = {case: 1.0 * (3 + number % 2) / 1000 for number, case in enumerate(cohort.table["case"])}
    for row in cases.to_dict("records"):
        assert row["lesion_ml"] == pytest.approx(row["lesion_voxels"] * voxel_ml[row["case"]])
        assert row["volume_error_ml"] == pytest.approx(row["volume_error"] * voxel_ml[row["case"]])


def test_results_and_page_speak_of_volumes(compared: Path) -> None:
    scores = set(pd.read_csv(compared / "results.csv")["score"])
    assert {"hd95_mm", "surface_dice_mm", "volume_error_ml", "absolute_volume_error_ml"} <= scores
    table, page = (compared / "results.md").read_text(), (compared / "report.html").read_text()
    for text in (table, page):
        assert "whatever the masks mark" in text
        assert "flair" not in text.lower() and "TCGA" not in text
    assert "threshold on the image" in table
    assert "Slices of the worst" in page
    groups = pd.read_csv(compared / "subgroups.csv")["group"].unique().tolist()
    assert groups == ["lesion size"], "there is one site, no grade, and no sequence is missing"
    assert pd.read_csv(compared / "subgroups.csv")["level"].str.endswith(" ml").all()
    assert list((compared / "figures").glob("plate-*.png")) and list((compared / "figures").glob("case-*.gif"))


def test_run_json_says_what_was_read(compared: Path) -> None:
    for path in compared.glob("*/run.json"):
        assert json.loads(path.read_text())["data"]["kind"] == "nifti"
    record = json.loads((compared / "image-threshold-f0" / "run.json").read_text())
    assert record["threshold_unit"].startswith("image of the inner head")


def test_a_report_finds_the_volumes_again(compared: Path, options: Options, volumes: Path, tmp_path: Path) -> None:
    """Nobody has to say `--data` again, wherever the volumes lie."""
    before = (compared / "report.html").read_bytes()
    (compared / "report.html").unlink()
    changes = {"runs_dir": options.comparison.runs_dir, "comparison": "masks", "cache_dir": options.data.cache_dir}
    assert report(option_table.from_flat(changes)) == compared
    assert (compared / "report.html").read_bytes() == before
    moved = tmp_path / "moved"
    moved.symlink_to(volumes)
    report(option_table.from_flat(changes | {"root_dir": str(moved)}))
    assert (compared / "report.html").read_bytes() == before


def test_volumes_are_explored(options: Options, tmp_path: Path) -> None:
    (tmp_path / "missing.png").write_bytes(b"of an earlier look")
    text = explore(option_table.replace(options, output=str(tmp_path))).read_text()
    assert text.startswith("# What the data set holds\n\n6 cases of 6 patients, 36 slices; data ")
    assert "whatever the masks mark" in text
    # One file has pixels of 1 x 2 mm, which are packed as squares of 1 mm.
    assert "As packed, where pixels are made square" in text
    assert (
        "slices lie 3.50 (3.00 to 4.00) mm apart, rows 1.00 (1.00 to 1.00) mm, columns 1.00 (1.00 to 1.00) mm" in text
    )
    assert "Image contrast: by how much" in text
    for word in ("FLAIR", "pre-contrast", "Missing sequences", "missing.png"):
        assert word not in text
    figures = {path.name for path in tmp_path.glob("*.png")}
    assert {"classes.png", "patients.png", "intensity.png"} <= figures
    assert "missing.png" not in figures
    cases = pd.read_csv(tmp_path / "cases.csv")
    assert {"spacing_slices", "lesion_ml", "image_median", "lesion_image_median", "image_contrast"} <= set(cases)
    assert not [name for name in cases if "flair" in name or "post" in name]


def test_augmented_volumes_are_shown(options: Options, tmp_path: Path) -> None:
    assert view_augmentation(option_table.replace(options, output=str(tmp_path))).stat().st_size > 1000
    assert "sequence dropout" not in " ".join(policy_lines(TrainingOptions(), NIFTI_TASK))
    assert "FLAIR" in legend_of(LGG_TASK) and "sequence dropout" in policy_lines(TrainingOptions(), LGG_TASK)[0]


def test_too_few_patients_are_told_what_to_do(tmp_path: Path) -> None:
    cohort = open_cohort(make_volumes(tmp_path / "one", 1), tmp_path / "packed", "nifti")
    with pytest.raises(UserError, match=r"1 patient cannot be split into three parts; add patients, .*`split=slice`"):
        make_split(cohort, "patient", 0)
    assert make_split(cohort, "slice", 0).leaking_patients(cohort) == 1


def test_data_of_the_other_kind_say_so(volumes: Path, phantom_root: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="add `data=nifti`"):
        open_cohort(volumes, tmp_path)
    with pytest.raises(UserError, match="leave `data` out"):
        open_cohort(phantom_root, tmp_path, "nifti")
