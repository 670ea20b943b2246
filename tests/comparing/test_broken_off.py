"""A training that the system stops, and a comparison on a disk that is full: the same command goes on."""

import errno
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from headtohead import cli, saving
from headtohead.cohort import Cohort
from headtohead.comparing import grid
from headtohead.comparing.experiment import Experiment, open_experiment
from headtohead.learning.module import SegmentationModule
from headtohead.options import table as option_table
from headtohead.options.table import Options
from headtohead.runs.folder import RunFolder


def flags(options: Options) -> list[str]:
    """Write the options of a training as flags, where they are not the defaults."""
    default = option_table.flat(Options())
    given = {name: value for name, value in option_table.flat(options).items() if value != default[name]}
    words = {
        name: ",".join(map(str, value)) if isinstance(value, list) else str(value) for name, value in given.items()
    }
    return [f"--{name}={value}" for name, value in words.items()]


def unfinished(folder: Path) -> list[Path]:
    return list(folder.rglob(".writing-*"))


def test_terminated_in_its_second_epoch_it_says_so_and_goes_on(
    finished: Experiment,
    options_for: Any,
    phantom_cohort: Cohort,
    tmp_path: Path,
    same_weights: Any,
    metrics_of: Any,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    stopped = open_experiment(options_for(tmp_path), phantom_cohort)
    step, steps = SegmentationModule.training_step, []

    def terminated(self: Any, batch: Any, index: int) -> Any:
        steps.append(self.current_epoch)
        if steps == [0] * steps.count(0) + [1]:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(0.2)
        return step(self, batch, index)

    monkeypatch.setattr(SegmentationModule, "training_step", terminated)
    command = ["--train", *flags(options_for(tmp_path))]
    assert cli.main(command) == 143
    assert capsys.readouterr().err == "stopped; what was finished is kept\n"
    assert stopped.folder.record()["status"] == "running" and len(metrics_of(stopped)) == 1
    assert not unfinished(tmp_path)
    steps.append(-1)
    assert cli.main(command) == 0
    assert set(steps[steps.index(-1) + 1 :]) == {1, 2}, "the first epoch must not be trained again"
    assert capsys.readouterr().err == "" and not unfinished(tmp_path)
    assert same_weights(finished, stopped) and same_weights(finished, stopped, "best")
    pd.testing.assert_frame_equal(metrics_of(finished), metrics_of(stopped))
    assert finished.folder.cases.read_text() == stopped.folder.cases.read_text()


def test_a_full_disk_takes_no_other_experiment_down(
    options_for: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Full once the first training has begun, for its record as well; with room for the second, and for the report."""
    tiny = {"models": ["buda", "unet"], "schedules": ["none"], "num_epochs": 1, "batch_size": 32, "comparison": "tiny"}
    of_one_run = {"model": "", "lr_scheduler": Options().training.lr_scheduler}
    command = ["--compare", *flags(options_for(tmp_path, **of_one_run, **tiny))]
    doomed, other = (RunFolder(tmp_path / "tiny" / f"{model}-none-s0-f0") for model in ("buda", "unet"))
    claimed = saving.claimed

    def full(folder: Path, *given: Any) -> Iterator[Path]:
        if folder.is_relative_to(doomed.path) and (doomed.path / "run.json").exists():
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder))
        return claimed(folder, *given)

    monkeypatch.setattr(saving, "claimed", full)
    assert cli.main(command) == 2
    printed = capsys.readouterr()
    line = "error: --compare: 1 of 2 experiments failed; the first error: no space left on "
    assert printed.err.startswith(line) and str(doomed.path) in printed.err and len(printed.err.splitlines()) == 1
    assert "buda-none-s0-f0: its failure is not recorded: no space left on " in printed.out
    assert doomed.record()["status"] == "running" and other.record()["status"] == "finished"
    assert set(pd.read_csv(tmp_path / "tiny" / "results.csv")["entrant"]) == {"unet none", "flair-threshold"}
    assert not unfinished(tmp_path)

    monkeypatch.undo()
    monkeypatch.setattr(grid, "write_reports", lambda *_, **__: None)
    before = other.made()
    assert cli.main(command) == 0
    assert doomed.record()["status"] == "finished" and other.made() == before
