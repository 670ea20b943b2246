"""`--predict` killed at random moments, several times over: the same command ends with the same masks and numbers."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from headtohead.predicting.results import journal, summary
from headtohead.predicting.results.written import Written
from tests.campaign.conftest import Attacks
from tests.campaign.leaving import unfinished
from tests.predicting.scans import INSIDE, files_in, head, summary_of

pytestmark = pytest.mark.exhaustive
MAIN = Path(__file__).parents[2] / "main.py"
LAST = 180  # seconds; for a busy machine
SCANS, KILLS = 40, 2


def started(home: Path, output: str) -> "subprocess.Popen[str]":
    """Start the command in a process of its own."""
    flags = ["--model_path", str(home / "mine"), "--save_probability", "--outputs", "0:_brain.nii"]
    words: Sequence[str] = ["--predict", str(home / "many"), "--output", str(home / output), *flags]
    return subprocess.Popen(
        [sys.executable, str(MAIN), *words], cwd=home, env=os.environ | {"OMP_NUM_THREADS": "1"}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip


def finished(home: Path, output: str) -> float:
    """Run the command to its end and give the seconds it took."""
    begin = time.monotonic()
    process = started(home, output)
    out, err = process.communicate(timeout=LAST)
    assert (process.returncode, err) == (0, ""), f"{out}\n{err}"
    return time.monotonic() - begin


def results(folder: Path) -> tuple[dict[str, bytes], dict[str, dict[str, str]]]:
    """Give the bytes of all files, and the summary without its times."""
    contents = {name: (folder / name).read_bytes() for name in files_in(folder) - {"summary.csv"}}
    return contents, {name: row | {"seconds": ""} for name, row in summary_of(folder).items()}


@pytest.mark.parametrize("by", [signal.SIGKILL, signal.SIGTERM], ids=["kill", "term"])
def test_killed_at_any_moment(
    by: signal.Signals, home: Path, attacks: Attacks, record_property: Callable[..., None]
) -> None:
    for place in range(SCANS):
        head(home / "many" / f"{place % 3}" / f"s{place:02}_flair.nii.gz", np.roll(INSIDE, place % 7, axis=0))
    whole = finished(home, "whole")
    expected = results(home / "whole")
    rng, killed, between = random.Random(f"predict {by.name}"), 0, 0
    for attempt in attacks(3):
        shutil.rmtree(home / "out", ignore_errors=True)
        for _ in range(KILLS):
            process = started(home, "out")
            time.sleep(rng.uniform(0.3 * whole, 0.9 * whole))
            os.killpg(process.pid, by)
            out, err = process.communicate(timeout=LAST)
            told = f"attempt {attempt}: {process.returncode}\n{out}\n{err}"
            assert process.returncode in (0, 143, -by), told
            assert "Traceback" not in err and "internal error" not in err, told
            # Struck while Python puts everything away, all is done.
            ended = (home / "out" / summary.FILE).is_file() and not (home / "out" / journal.FILE).exists()
            killed += not ended
            there = [path for path in (home / "out").rglob("*_*.*") if path.parent.name.isdigit()]
            between += bool(there) and not ended
            assert all(map(Written(home / "out").ours, there)), told
            if ended:
                break
            if process.returncode == 143:
                assert not unfinished(home), told
        else:
            finished(home, "out")
        assert results(home / "out") == expected, told
        assert not unfinished(home), told
    record_property("campaign", f"predict: {killed} times {by.name}, {between} of them with some results there")
    assert between
