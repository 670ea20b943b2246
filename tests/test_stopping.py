"""SIGTERM in any verb: one line, status 143, and nothing left behind."""

import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from headtohead import cli
from headtohead.cohort import pack
from headtohead.cohort.phantom import writing
from headtohead.options.table import Options
from headtohead.stopping import tidy_on_terminate

LINE = "stopped; what was finished is kept\n"


def terminate(*arguments: Any) -> None:
    """Be terminated as by the system."""
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(0.2)


def test_making_phantoms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    really = writing.draw_case

    def draw(case: Any, size: int) -> Any:
        if case.patient.endswith("9001"):
            assert [path.name[:8] for path in tmp_path.iterdir()] == [".making-"]
            terminate()
        return really(case, size)

    monkeypatch.setattr(writing, "draw_case", draw)
    assert cli.main(["--make_phantoms", str(tmp_path / "p")]) == 143
    assert capsys.readouterr().err == LINE
    assert not list(tmp_path.iterdir())


def test_packing(
    phantom_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def measure(images: Any) -> None:
        assert [path for path in tmp_path.iterdir() if path.name.startswith(".packing-")]
        terminate()

    monkeypatch.setattr(pack, "head_mask", measure)
    command = ["--explore", "--root_dir", str(phantom_root), "--cache_dir", str(tmp_path)]
    assert cli.main([*command, "--output", str(tmp_path / "out")]) == 143
    assert capsys.readouterr().err == LINE
    assert not [path for path in tmp_path.iterdir() if path.suffix != ".lock"]


def test_an_exit_that_a_library_swallows_still_ends_the_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def deaf(verb: str, options: Options) -> None:
        try:
            terminate()
        except SystemExit:
            raise ImportError("cannot import name") from None

    monkeypatch.setattr(cli, "run_verb", deaf)
    assert cli.main(["--make_phantoms", "p"]) == 143
    assert capsys.readouterr().err == LINE


def test_a_second_signal_does_not_interrupt_the_tidying() -> None:
    with tidy_on_terminate() as terminated:
        with pytest.raises(SystemExit):
            terminate()
        terminate()
        assert terminated()


def test_a_thread_leaves_the_signal_alone() -> None:
    before, found = signal.getsignal(signal.SIGTERM), []

    def body() -> None:
        with tidy_on_terminate() as terminated:
            found.append((signal.getsignal(signal.SIGTERM), terminated()))

    thread = threading.Thread(target=body)
    thread.start()
    thread.join()
    assert found == [(before, False)]
