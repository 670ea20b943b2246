"""What many tests share: a few made-up patients, made once, a few real ones where they can be had, made-up runs."""

import gc
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from filelock import FileLock
from hypothesis import settings

from headtohead.cohort import Cohort, open_cohort
from headtohead.cohort.phantom import make_phantoms
from headtohead.scoring.counts import dice, iou, precision, recall

CHECKOUT = Path(__file__).resolve().parents[1]
SHARED_LGG = CHECKOUT.parent / "shared" / "lgg"

COMMON = {
    "protocol": {"version": 1},
    "data": {"key": "d1"},
    "split": {"kind": "patient", "seed": 0, "key": "s1", "leaking_patients": 0},
    "threshold": 0.5,
}
WriteRun = Callable[..., Path]

# The same examples on every run, and no failure because a machine was busy.
settings.register_profile("steady", derandomize=True, deadline=None)
settings.load_profile("steady")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--attacks", type=int, default=1, help="times as many attacks in tests/campaign; 300 take hours")


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print what the attacks of tests/campaign came to."""
    passed = terminalreporter.stats.get("passed", [])
    lines = [value for report in passed for name, value in report.user_properties if name == "campaign"]
    if lines:
        terminalreporter.write_sep("=", "campaign")
        terminalreporter.write("\n".join(lines) + "\n")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Start with the file that takes longest: of two processes, neither then waits for it at the end."""
    items.sort(key=lambda item: item.path.name != "test_readme.py")


def pytest_collection_finish() -> None:
    """Spare the garbage collector what the modules hold: statsmodels calls it in every correction of p values."""
    gc.freeze()


@pytest.fixture(scope="session")
def phantom_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of twelve small made-up patients. Read only: a test that changes files copies it first."""
    root = tmp_path_factory.mktemp("data") / "phantoms"
    make_phantoms(root, n_cases=12, seed=1, size=64, slices=(6, 9))
    return root


@pytest.fixture(scope="session")
def cache_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where packed copies of the session are kept, so that each data set is packed once."""
    return tmp_path_factory.mktemp("packed")


@pytest.fixture(scope="session")
def phantom_cohort(phantom_root: Path, cache_dir: Path) -> Cohort:
    """The made-up patients as a cohort."""
    return open_cohort(phantom_root, cache_dir)


@pytest.fixture(scope="session")
def shared_lgg(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the real data set, whole: for exhaustive tests. They are skipped where it is not at hand."""
    restore = SHARED_LGG / "restore.py"
    if not restore.is_file():
        pytest.skip("the real data set is not beside this checkout")
    place = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        place = place.parent  # which all processes of the session share
    whole = place / "lgg"
    with FileLock(place / "lgg.lock"):
        if not whole.is_dir():
            partial = place / "lgg.partial"
            subprocess.run([sys.executable, str(restore), str(partial)], check=True, capture_output=True)
            partial.rename(whole)
    return whole / "kaggle_3m"


@pytest.fixture
def comparison(tmp_path: Path) -> Path:
    """The empty folder of a comparison named lgg."""
    folder = tmp_path / "runs" / "lgg"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def write_run(comparison: Path) -> WriteRun:
    """Give `write_run(model, schedule, seed, counts, **run.json)`.

    `counts` is a list of (tp, fp, fn), one a case; `extra` holds further columns of cases.csv.
    """
    return _writer_of_runs(comparison)


@pytest.fixture(scope="session")
def write_run_in() -> Callable[[Path], WriteRun]:
    """Give `write_run_in(folder)`: the same for another comparison."""
    return _writer_of_runs


def _writer_of_runs(comparison: Path) -> WriteRun:
    def write(
        model: str = "unet",
        schedule: str = "none",
        seed: int | None = 0,
        counts: list[tuple[int, int, int]] | None = None,
        name: str = "",
        status: str = "finished",
        val_dice: list[float] | None = None,
        fold: int = 0,
        cases: list[str] | None = None,
        extra: dict[str, Any] | None = None,
        **record: Any,
    ) -> Path:
        folder = comparison / (name or f"{model}-{schedule}-s{seed}-f{fold}")
        folder.mkdir()
        experiment = {"model": model, "schedule": schedule, "seed": seed, "fold": fold, "name": folder.name}
        (folder / "run.json").write_text(json.dumps(COMMON | {"status": status, "experiment": experiment} | record))
        if status == "finished":
            counts = counts or [(5, 1, 1), (6, 2, 2), (7, 9, 9), (1, 0, 9)]
            names = cases or [f"case{place}" for place in range(len(counts))]
            table = pd.DataFrame({"case": names, "site": "NA"}).assign(
                **dict(zip(("tp", "fp", "fn"), zip(*counts, strict=True), strict=True))
            )
            tp, fp, fn = (table[column] for column in ("tp", "fp", "fn"))
            lesion = tp + fn > 0
            scores = {"dice": dice(tp, fp, fn), "iou": iou(tp, fp, fn)}
            scores |= {"precision": np.nan_to_num(precision(tp, fp)), "recall": recall(tp, fn)}
            scores = {name: np.where(lesion, values, np.nan) for name, values in scores.items()}
            table.assign(lesion_voxels=tp + fn, **scores, **(extra or {})).to_csv(folder / "cases.csv", index=False)
        if val_dice:
            loss = 1 - np.array(val_dice)
            columns = {"epoch": range(len(val_dice)), "train_loss": loss, "train_dice": val_dice, "val_loss": loss}
            pd.DataFrame(columns).assign(val_dice=val_dice, learning_rate=0.001, seconds=1).to_csv(
                folder / "metrics.csv", index=False
            )
        return folder

    return write


@pytest.fixture
def save(tmp_path: Path) -> Callable[..., Path]:
    """Give `save(name, values, affine, version)`: a NIfTI or MGH file below `tmp_path`, as other programs write it."""
    import nibabel

    def write(name: str, values: np.ndarray, affine: np.ndarray | None = None, version: int = 1) -> Path:
        kind = nibabel.Nifti1Image if version == 1 else nibabel.Nifti2Image
        kind = nibabel.MGHImage if name.endswith((".mgh", ".mgz")) else kind
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        nibabel.save(kind(values, np.eye(4) if affine is None else affine), tmp_path / name)
        return tmp_path / name

    return write
