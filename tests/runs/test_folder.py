"""The run folder: where its files are, its record, and that one process at a time works in it."""

import errno
import re
import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock

from headtohead.errors import UserError
from headtohead.runs.folder import RunFolder


@pytest.fixture
def folder(comparison: Path) -> RunFolder:
    return RunFolder(comparison / "unet-none-s0-f0")


def test_nothing_is_made_by_asking(folder: RunFolder) -> None:
    assert folder.record() == {} and folder.read_config() == {}
    assert not folder.path.exists()


def test_places(folder: RunFolder) -> None:
    places = [folder.best, folder.last, folder.config, folder.metrics, folder.cases, folder.slices, folder.masks]
    places += [folder.probabilities, folder.split, folder.figures]
    assert [str(place.relative_to(folder.path)) for place in places] == [
        "checkpoints/best.ckpt", "checkpoints/last.ckpt", "config.yaml", "metrics.csv", "cases.csv", "slices.csv",
        "masks.npz", "probabilities.npz", "split.csv", "figures",
    ]  # fmt: skip


def test_facts_are_added(folder: RunFolder) -> None:
    folder.note(status="running", seed=0)
    folder.note(status="trained", best_epoch=3)
    assert folder.record() == {"status": "trained", "seed": 0, "best_epoch": 3}


@pytest.mark.parametrize("fault", [OSError(errno.ENOSPC, "no space left"), UserError("no space left on /disk")])
def test_a_failure_that_cannot_be_recorded_is_said_and_does_not_fail_itself(
    folder: RunFolder, fault: Exception, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: object) -> None:
        raise fault

    monkeypatch.setattr("headtohead.runs.folder.write_json", full)
    folder.note_failure(status="failed", error="out of memory")
    assert re.fullmatch(r"unet-none-s0-f0: its failure is not recorded: .*no space left.*\n", capsys.readouterr().out)


def test_a_damaged_record_is_said_in_a_line(folder: RunFolder) -> None:
    folder.note(status="running")
    path = folder.path / "run.json"
    path.write_text(path.read_text()[:9])
    with pytest.raises(UserError) as caught:
        folder.record()
    line = str(caught.value)
    assert line.startswith(f"{path}: damaged (") and "; restore it, or delete the folder " in line and "\n" not in line


def test_config_comes_back(folder: RunFolder) -> None:
    values = {"model": "unet", "seeds": [0, 1], "learning_rate": 5e-4, "overwrite": False, "comparison": "1"}
    folder.write_config(values)
    assert folder.read_config() == values
    assert list(folder.read_config()) == list(values)


def test_an_empty_config(folder: RunFolder) -> None:
    folder.write_config({})
    folder.config.write_text("")
    assert folder.read_config() == {}


def test_one_at_a_time(folder: RunFolder) -> None:
    with folder.held(wait=False) as first:
        with folder.held(wait=False) as second:
            assert (first, second) == (True, False)
        with RunFolder(folder.path.parent / "another").held(wait=False) as third:
            assert third
    with folder.held(wait=False) as again:
        assert again


def test_let_go_after_a_fault(folder: RunFolder) -> None:
    with pytest.raises(RuntimeError, match="fault"), folder.held(wait=True):
        raise RuntimeError("fault")
    with folder.held(wait=False) as held:
        assert held


def test_holding_makes_no_run(folder: RunFolder) -> None:
    with folder.held(wait=True):
        assert not folder.path.exists()


def test_a_process_that_dies_lets_go(folder: RunFolder) -> None:
    lock = folder.path.parent / f".{folder.path.name}.lock"
    code = "import os, sys; from filelock import FileLock; FileLock(sys.argv[1]).acquire(); print('held'); os._exit(9)"
    run = subprocess.run([sys.executable, "-c", code, str(lock)], capture_output=True, text=True, check=False)
    assert run.stdout == "held\n"
    with folder.held(wait=False) as held:
        assert held
        with pytest.raises(TimeoutError):
            FileLock(lock).acquire(timeout=0)


@pytest.mark.parametrize("content", ["{", "- 1", "text"])
def test_damaged_options_are_said_to_be_damaged(tmp_path: Path, content: str) -> None:
    (tmp_path / "config.yaml").write_text(content)
    with pytest.raises(UserError, match=r"config\.yaml: damaged.*; restore it, or delete the folder"):
        RunFolder(tmp_path).read_config()
