"""Killed at random moments: nothing half-written, and the same command ends with the same numbers."""

import hashlib
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.campaign.conftest import TINY, Attacks, places
from tests.predicting.scans import head

pytestmark = pytest.mark.exhaustive
MAIN = Path(__file__).parents[2] / "main.py"
LAST = 180  # seconds; for a busy machine
Command = Callable[[Path], Sequence[str]]


def started(words: Sequence[str], home: Path) -> "subprocess.Popen[str]":
    """Start main.py in a process of its own."""
    environment = os.environ | {"OMP_NUM_THREADS": "1", "MPLBACKEND": "Agg"}
    return subprocess.Popen(
        [sys.executable, str(MAIN), *words], cwd=home, env=environment, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip


def finished(words: Sequence[str], home: Path) -> float:
    """Run main.py to its end and give the seconds it took."""
    begin = time.monotonic()
    process = started(words, home)
    out, err = process.communicate(timeout=LAST)
    assert process.returncode == 0, f"{words}\n{out}\n{err}"
    assert not err.strip(), err
    return time.monotonic() - begin


def numbers(folder: Path) -> dict[str, str]:
    """Give the hash of every file of results that holds no time, and no path."""
    kept = ("cases.csv", "slices.csv", "split.csv", "masks.npz", "pairs.csv")
    files = [path for path in folder.rglob("*") if path.name in kept or path.name.endswith("_mask.nii.gz")]
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(files)}


def compare(home: Path) -> Sequence[str]:
    return ["--compare", "--comparison", "killed", *places(home), *TINY.split()]


def predict(home: Path) -> Sequence[str]:
    return ["--predict", str(home / "many"), "--output", str(home / "runs" / "masks"), "--model_path",
            str(home / "mine")]  # fmt: skip


def report(home: Path) -> Sequence[str]:
    return ["--report", "--comparison", "tiny", *places(home)]


def explore(home: Path) -> Sequence[str]:
    """Pack a data set that is not packed."""
    return ["--explore", "--output", str(home / "runs" / "explored"), *places(home)[:2], "--cache_dir", str(home / "p")]


@pytest.mark.parametrize(("command", "number"), [(compare, 2), (predict, 4), (report, 2), (explore, 2)])
@pytest.mark.parametrize("by", [signal.SIGKILL, signal.SIGTERM])
def test_killed_at_any_moment(
    command: Command, number: int, by: signal.Signals, home: Path, attacks: Attacks,
    record_property: Callable[..., None],
) -> None:  # fmt: skip
    for place in range(12):
        head(home / "many" / f"s{place:02}_flair.nii.gz")
    before = home.with_name("before")
    shutil.copytree(home, before)
    seconds = finished(command(home), home)
    expected = numbers(home / "runs")
    rng, killed = random.Random(f"{command.__name__} {by.name}"), 0
    for attempt in attacks(number):
        shutil.rmtree(home)
        shutil.copytree(before, home)
        process = started(command(home), home)
        time.sleep(rng.uniform(0.1, seconds))
        os.killpg(process.pid, by)
        out, err = process.communicate(timeout=LAST)
        killed += process.returncode not in (0, None)
        told = f"attempt {attempt}: {process.returncode}\n{out}\n{err}"
        if by == signal.SIGTERM:
            assert process.returncode in (0, 143, -signal.SIGTERM), told
            assert "Traceback" not in err and "internal error" not in err, told
            if process.returncode == 143:
                assert not unfinished(home), told
        finished(command(home), home)
        assert numbers(home / "runs") == expected, told
        assert not unfinished(home), told
    record_property("campaign", f"{command.__name__}: {len(attacks(number))} times {by.name}, {killed} before its end")


def unfinished(home: Path) -> list[Path]:
    return [path for pattern in (".writing-*", ".packing-*") for path in home.rglob(pattern)]
