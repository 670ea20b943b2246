"""Tiny experiments on the made-up patients, and one that is trained and scored once for all tests that only read."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch

from headtohead.cohort import Cohort
from headtohead.comparing import grid, training
from headtohead.comparing.experiment import Experiment, open_experiment
from headtohead.comparing.training import run_test, run_training
from headtohead.learning.module import pl
from headtohead.options import table as option_table
from headtohead.options.table import Options

EPOCHS = 3
MakeOptions = Callable[..., Options]


@pytest.fixture(scope="session")
def options_for(phantom_root: Path, cache_dir: Path, phantom_cohort: Cohort) -> MakeOptions:
    """Give `options_for(runs_dir, **changes)`: a net of two channels that sees some slices at 32x32."""

    def make(runs_dir: Path, **changes: Any) -> Options:
        tiny = {
            "root_dir": str(phantom_root),
            "cache_dir": str(cache_dir),
            "runs_dir": str(runs_dir),
            "model": "buda",
            "width": 2,
            "image_size": 32,
            "num_epochs": EPOCHS,
            "batch_size": 4,
            "learning_rate": 0.03,
            "threshold": 0.3,  # after three epochs little is above a half yet
            "lr_scheduler": "cosine",
            "empty_slices": 0.1,
            "gpus": "cpu",
            "precision": "32",
            "num_workers": 0,
        }
        return option_table.from_flat(tiny | changes)

    return make


@pytest.fixture(scope="session")
def finished(options_for: MakeOptions, phantom_cohort: Cohort, tmp_path_factory: pytest.TempPathFactory) -> Experiment:
    """An experiment of three epochs, trained without a break and scored. Read only."""
    experiment = open_experiment(options_for(tmp_path_factory.mktemp("runs")), phantom_cohort)
    run_training(experiment)
    run_test(experiment)
    return experiment


@pytest.fixture
def copied(finished: Experiment, options_for: MakeOptions, phantom_cohort: Cohort, tmp_path: Path) -> Experiment:
    """A copy of the finished experiment that a test may change."""
    experiment = open_experiment(options_for(tmp_path), phantom_cohort)
    shutil.copytree(finished.folder.path, experiment.folder.path)
    return experiment


@pytest.fixture(scope="module")
def wanted(
    request: pytest.FixtureRequest, options_for: MakeOptions, tmp_path_factory: pytest.TempPathFactory
) -> Options:
    """Options of the comparison that the tests of a file share: one epoch, one model, and what its `GRID` says."""
    tiny = {"models": ["buda"], "schedules": ["none"], "num_epochs": 1, "batch_size": 16}
    return options_for(tmp_path_factory.mktemp("compared"), **tiny | request.module.GRID)


@pytest.fixture(scope="module")
def compared(wanted: Options) -> Path:
    """Its folder, once it is carried out. Read only."""
    return grid.compare(wanted)


@pytest.fixture
def copied_grid(compared: Path, wanted: Options, tmp_path: Path) -> Options:
    """Options of a copy that a test may change."""
    shutil.copytree(compared, tmp_path / compared.name)
    return option_table.replace(wanted, runs_dir=str(tmp_path))


def weights(experiment: Experiment, which: str = "last") -> dict[str, torch.Tensor]:
    """The weights of a checkpoint."""
    return torch.load(getattr(experiment.folder, which), weights_only=True)["state_dict"]


@pytest.fixture(scope="session")
def same_weights() -> Callable[..., bool]:
    """Give `same_weights(one, other, which="last")`: whether two experiments ended with exactly the same weights."""

    def same(one: Experiment, other: Experiment, which: str = "last") -> bool:
        here, there = weights(one, which), weights(other, which)
        return here.keys() == there.keys() and all(torch.equal(here[name], there[name]) for name in here)

    return same


@pytest.fixture(scope="session")
def metrics_of() -> Callable[[Experiment], pd.DataFrame]:
    """Give metrics.csv without the seconds, the one thing that no two runs share."""
    return lambda experiment: pd.read_csv(experiment.folder.metrics).drop(columns="seconds")


@pytest.fixture
def spared(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Run no training; note what would be trained on what."""
    noted: dict[str, Any] = {}

    class Spared(Exception):
        pass

    def fit(trainer: pl.Trainer, module: Any, batches: Any, **_: Any) -> None:
        noted.update(trainer=trainer, module=module, batches=batches)
        raise Spared

    monkeypatch.setattr(pl.Trainer, "fit", fit)
    monkeypatch.setattr(training, "provenance", lambda *_: {})
    noted["exception"] = Spared
    return noted


@pytest.fixture
def no_report(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let `--compare` end without table and report, which take longer than the training of a tiny net."""
    monkeypatch.setattr(grid, "write_reports", lambda *_, **__: None)


@pytest.fixture
def run_python() -> Callable[..., "subprocess.CompletedProcess[str]"]:
    """Give `run_python(code, *words)`, which runs a script in a process of its own."""
    # Its path is given by hand: the package need not be installed.
    source = str(Path(training.__file__).parents[2])

    def run(code: str, *words: str) -> "subprocess.CompletedProcess[str]":
        code = f"import sys; sys.path.insert(0, {source!r})\n{code}"
        return subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=False)

    return run
