"""A cross-validation that nobody trained: made-up patients, made-up predictions, real run folders."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from headtohead.batches.folds import make_folds
from headtohead.cohort import Cohort, open_cohort
from headtohead.comparing.baseline import run_baseline
from headtohead.comparing.outcome import outcome
from headtohead.comparing.provenance import provenance
from headtohead.options.table import Options, from_flat
from headtohead.preparing.recipe import InputRecipe
from headtohead.reporting import rewriting
from headtohead.reporting.findings import Findings, findings_of
from headtohead.runs.folder import RunFolder
from headtohead.runs.ledger import FOLD_FILE
from headtohead.runs.reading import read_ledger
from tests.several_targets import NESTED, relabelled

FOLDS = 3
WRONG = {"unet": 0.02, "resnext": 0.05}  # share of the voxels that each predicts wrongly
EPOCHS = 2


@pytest.fixture(scope="session")
def scored(phantom_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `data`, `packed` and the comparison `runs/made`. Read only: a test that changes it takes a copy."""
    place = tmp_path_factory.mktemp("scored")
    shutil.copytree(phantom_root, place / "data")
    score(open_cohort(place / "data", place / "packed"), place / "runs" / "made")
    return place


def score(cohort: Cohort, home: Path) -> None:
    """Write the run folders of two models in two seeds and of the baseline, as a comparison would leave them."""
    folds, targets = make_folds(cohort, str(FOLDS), seed=0), cohort.task.targets
    folds.write(home / FOLD_FILE)
    rng = np.random.default_rng(0)
    for fold in range(FOLDS):
        split = folds.split(cohort, fold)
        facts = provenance(cohort, split, InputRecipe(32, "inner", 1), "made")
        run_baseline(cohort, split, home, facts)
        for model, seed in ((model, seed) for model in WRONG for seed in (0, 1)):
            folder = RunFolder(home / f"{model}-none-s{seed}-f{fold}")
            with outcome(folder, cohort, split) as found:
                for case in split.cases(cohort, "test"):
                    truth = cohort.truth(case)
                    probability = np.where(truth ^ (rng.random(truth.shape) < WRONG[model]), 0.9, 0.1)
                    found.add(int(case), targets.encode(targets.decide(probability, 0.5)), probability)
            experiment = {"model": model, "schedule": "none", "seed": seed, "fold": fold, "name": folder.path.name}
            trained = {"threshold": 0.5, "batch_size": 8, "parameters": 1000, "epochs": EPOCHS, "seconds": 10.0}
            folder.note(**facts, **trained, status="finished", experiment=experiment, error=None)
            metrics = {"epoch": range(EPOCHS), "train_loss": 0.5, "train_dice": 0.5, "val_loss": 0.4, "val_dice": 0.6}
            if len(targets) > 1:
                metrics |= {f"val_dice {name}": 0.7 - 0.1 * place for place, name in enumerate(targets.names)}
            pd.DataFrame(metrics).assign(learning_rate=1e-3, seconds=5.0).to_csv(folder.metrics, index=False)


@pytest.fixture(scope="session")
def scored_cohort(scored: Path) -> Cohort:
    """The patients it was scored on."""
    return open_cohort(scored / "data", scored / "packed")


@pytest.fixture(scope="session")
def scored_findings(scored: Path) -> Findings:
    """What is found in that comparison. Read only."""
    found = findings_of(read_ledger(scored / "runs" / "made"))
    assert found is not None
    return found


@pytest.fixture(scope="session")
def nested(phantom_cohort: Cohort, tmp_path_factory: pytest.TempPathFactory) -> Cohort:
    """The made-up patients with two targets, one within the other."""
    return relabelled(phantom_cohort, tmp_path_factory.mktemp("relabelled") / "packed", NESTED)


@pytest.fixture(scope="session")
def pictured(nested: Cohort, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a comparison on them, pictures and all. Read only."""
    folder = tmp_path_factory.mktemp("pictured") / "runs" / "made"
    score(nested, folder)
    rewriting.write_reports(folder, nested, case_gifs="all")
    return folder


@pytest.fixture
def copied(scored: Path, tmp_path: Path) -> Path:
    """A copy that a test may change, data and all."""
    place = tmp_path / "copy"
    shutil.copytree(scored, place)
    for path in place.glob("runs/made/*/run.json"):
        record = json.loads(path.read_text())
        record["data"]["root"] = str(place / "data")
        path.write_text(json.dumps(record))
    return place


@pytest.fixture
def no_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a report have its tables and its page, and no figures, which take longest."""
    for name in ("write_pictures", "write_curves"):
        monkeypatch.setattr(rewriting, name, lambda *_: None)


@pytest.fixture
def report_options() -> Callable[[Path], Options]:
    """Give `report_options(place)`: the options of `--report` there."""

    def make(place: Path, **changes: Any) -> Options:
        there = {"runs_dir": str(place / "runs"), "cache_dir": str(place / "packed"), "comparison": "made"}
        return from_flat(there | changes)

    return make
