"""SIGTERM on the way through `--predict`, in a process of its own."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np

from headtohead.stopping import tidy_on_terminate

PROGRAM = """
import os, signal, sys, time
from headtohead.cli import main
from headtohead.predicting import predictor
from headtohead.predicting.results import finishing
from tests.predicting.conftest import Brightness

really, written = finishing.write_like, []
def slow(job, values, path, source):
    really(job, values, path, source)
    written.append(path)
    if len(written) == 2:  # a file lies in the temporary folder
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(0.5)

finishing.write_like = slow
predictor.open_predictor = lambda *_: Brightness()
sys.exit(main(sys.argv[1:]))
"""


def test_terminated(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for number in range(9):
        cv2.imwrite(str(tmp_path / "in" / f"{number}.png"), np.full((8, 9), 99, np.uint8))
    command = [sys.executable, "-c", PROGRAM, "--predict", str(tmp_path / "in"), "--output", str(tmp_path / "out")]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert (run.returncode, run.stderr) == (
        143,
        "stopped; what was finished is kept\n",
    )
    found = {path.name for path in (tmp_path / "out").iterdir()}
    assert {"summary.csv", "predicted.sha256", "0_mask.png"} <= found and "8_mask.png" not in found
    assert not [name for name in found if "writing" in name]


def test_the_signal_is_given_back() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with tidy_on_terminate():
        assert signal.getsignal(signal.SIGTERM) is not before
    assert signal.getsignal(signal.SIGTERM) is before
