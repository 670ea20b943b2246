"""Runs that hold a trained model are found, others are not."""

import json
import math
from pathlib import Path

import pytest

from headtohead.errors import UserError
from headtohead.runs.finding import named_run, trained_runs, validation_dice


def write(runs_dir: Path, name: str, status: str = "finished", model: bool = True, record: str = "") -> None:
    folder = runs_dir / name
    (folder / "checkpoints").mkdir(parents=True)
    (folder / "run.json").write_text(record or json.dumps({"status": status}))
    if model:
        (folder / "checkpoints" / "best.ckpt").touch()


@pytest.fixture
def runs_dir(tmp_path: Path) -> Path:
    write(tmp_path, "a/one", "trained")
    write(tmp_path, "a/two")
    write(tmp_path, "b/two")
    write(tmp_path, "b/three", "running")
    write(tmp_path, "b/four", model=False)
    write(tmp_path, "b/five", record="{")
    return tmp_path


def test_only_whole_trainings_with_a_readable_record(runs_dir: Path) -> None:
    assert [f"{run.path.parent.name}/{run.path.name}" for run in trained_runs(runs_dir)] == ["a/one", "a/two", "b/two"]
    assert [run.path.name for run in trained_runs(runs_dir, "b")] == ["two"]
    assert trained_runs(runs_dir / "nowhere") == {}


def test_a_named_run(runs_dir: Path) -> None:
    assert named_run(runs_dir, "one").path == runs_dir / "a" / "one"
    assert named_run(runs_dir, "two", "b").path == runs_dir / "b" / "two"
    assert named_run(runs_dir, "three").path == runs_dir / "b" / "three", "named, so also before its training is over"


@pytest.mark.parametrize(
    ("name", "comparison", "said"),
    [
        ("two", "", "there is one in each of a, b; choose with `comparison`"),
        ("six", "a", "no such run in .*a; there are: one, two"),
        ("six", "c", "no such run in .*c; train first: `train`"),
        ("four", "", "holds no trained model yet"),
    ],
)
def test_a_name_that_does_not_decide(runs_dir: Path, name: str, comparison: str, said: str) -> None:
    with pytest.raises(UserError, match=f"^`run_name` {name}: .*{said}"):
        named_run(runs_dir, name, comparison)


@pytest.mark.parametrize(("value", "expected"), [(0.5, 0.5), (1, 1), (None, -1), (math.nan, -1), ("high", -1)])
def test_validation_dice(value: object, expected: float) -> None:
    assert validation_dice({"best_val_dice": value}) == expected
    assert validation_dice({}) == -1
