"""Killed, broken off or damaged: a training goes on where it was, and ends as if nothing had happened."""

import json
import signal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from headtohead.cohort import Cohort
from headtohead.comparing import training
from headtohead.comparing.experiment import Experiment, open_experiment
from headtohead.comparing.training import run_test, run_training
from headtohead.errors import UserError
from headtohead.learning.callbacks import WholeFiles
from headtohead.learning.module import SegmentationModule
from headtohead.options import table as option_table

EPOCHS = 3

KILLED = """
import json, os, signal, sys
from headtohead.options import table
from headtohead.comparing import training
from headtohead.learning.module import SegmentationModule

step = SegmentationModule.training_step

def deadly(self, batch, index):
    if self.current_epoch == 1 and index == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return step(self, batch, index)

SegmentationModule.training_step = deadly
training.train(table.from_flat(json.loads(sys.argv[1])))
"""


def test_a_killed_training_goes_on_and_ends_as_if_never_killed(
    run_python: Any,
    finished: Experiment,
    options_for: Any,
    phantom_cohort: Cohort,
    tmp_path: Path,
    same_weights: Any,
    metrics_of: Any,
) -> None:
    """Killed outright in the middle of its second epoch."""
    killed = open_experiment(options_for(tmp_path), phantom_cohort)
    run = run_python(KILLED, json.dumps(option_table.flat(killed.options)))
    assert run.returncode == -signal.SIGKILL, run.stderr
    assert killed.folder.record()["status"] == "running"
    assert len(metrics_of(killed)) == 1
    steps = []
    step = SegmentationModule.training_step
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            SegmentationModule,
            "training_step",
            lambda self, *given: steps.append(self.current_epoch) or step(self, *given),
        )
        run_training(killed)
    run_test(killed)
    assert set(steps) == {1, 2}, "the first epoch must not be trained again"
    assert same_weights(finished, killed) and same_weights(finished, killed, "best")
    pd.testing.assert_frame_equal(metrics_of(finished), metrics_of(killed))
    assert finished.folder.cases.read_text() == killed.folder.cases.read_text()
    timeless = {
        "seconds",
        "training_slices_per_second",
        "test_slices_per_second",
        "started",
        "ended",
        "tested",
        "command",
        "git_commit",
    }
    records = [
        {key: value for key, value in one.folder.record().items() if key not in timeless} for one in (finished, killed)
    ]
    assert records[0] == records[1]


def test_an_epoch_that_was_logged_but_not_kept_has_no_second_point(
    finished: Experiment,
    options_for: Any,
    phantom_cohort: Cohort,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Ended while the checkpoint of an epoch is written: the first time before there is any, then after one."""
    ended = open_experiment(options_for(tmp_path), phantom_cohort)
    save = WholeFiles.save_checkpoint
    for epoch in (0, 1):

        def full(self: Any, checkpoint: Any, path: Any, *given: Any, deadly: int = epoch, **named: Any) -> None:
            if Path(path).name == "last.ckpt" and checkpoint["epoch"] == deadly:
                raise OSError("no space left")
            save(self, checkpoint, path, *given, **named)

        monkeypatch.setattr(WholeFiles, "save_checkpoint", full)
        with pytest.raises(OSError, match="no space left"):
            run_training(ended)
    monkeypatch.undo()
    run_training(ended)
    assert len(list(ended.folder.path.glob("events.out.tfevents.*"))) == 3
    here, there = (EventAccumulator(str(one.folder.path), {"images": 0}).Reload() for one in (ended, finished))
    assert [event.step for event in here.Scalars("dice/val")] == [6, 13, 20]
    for name in ("learning_rate", "loss/train", "dice/train", "dice/val"):
        points = [[(event.step, event.value) for event in one.Scalars(name)] for one in (here, there)]
        assert points[0] == points[1], name
    for name in there.Tags()["images"]:
        assert [event.step for event in here.Images(name)] == [event.step for event in there.Images(name)]


def test_an_epoch_that_was_kept_has_all_its_points(
    finished: Experiment,
    options_for: Any,
    phantom_cohort: Cohort,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Ended as soon as the checkpoint of the second epoch is written."""
    ended = open_experiment(options_for(tmp_path), phantom_cohort)
    save = WholeFiles.save_checkpoint

    def deadly(self: Any, checkpoint: Any, path: Any, *given: Any, **named: Any) -> None:
        save(self, checkpoint, path, *given, **named)
        if Path(path).name == "last.ckpt" and checkpoint["epoch"] == 1:
            raise OSError("the end")

    monkeypatch.setattr(WholeFiles, "save_checkpoint", deadly)
    with pytest.raises(OSError, match="the end"):
        run_training(ended)
    here, there = (EventAccumulator(str(one.folder.path), {"images": 0}).Reload() for one in (ended, finished))
    for name in ("loss/train", "loss/val", "dice/train", "dice/val"):
        points = [[(event.step, event.value) for event in one.Scalars(name)][:2] for one in (here, there)]
        assert points[0] == points[1], name


def test_killed_after_the_last_epoch_trains_no_more(
    copied: Experiment, finished: Experiment, same_weights: Any, metrics_of: Any
) -> None:
    copied.folder.note(status="running")
    run_training(copied)
    assert copied.folder.record()["status"] == "trained"
    assert copied.folder.record()["epochs"] == EPOCHS
    assert same_weights(finished, copied)
    pd.testing.assert_frame_equal(metrics_of(finished), metrics_of(copied))


def test_trained_is_not_trained_again(
    copied: Experiment, spared: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    run_training(copied)
    assert "already trained, kept (--overwrite trains it again)" in capsys.readouterr().out
    assert "trainer" not in spared


@pytest.mark.parametrize(("which", "status"), [("best", "trained"), ("last", "running")])
def test_a_damaged_checkpoint_is_said_in_a_line(copied: Experiment, which: str, status: str) -> None:
    path = getattr(copied.folder, which)
    path.write_bytes(path.read_bytes()[:1000])
    copied.folder.note(status=status)
    with pytest.raises(UserError, match=rf"{which}\.ckpt: not a readable checkpoint"):
        (run_test if status == "trained" else run_training)(copied)


@pytest.mark.parametrize("content", [b"", b"\xff", b"epoch,val_dice\n0,1\n", b"epoch,val_dice,seconds\n0,high,1\n"])
def test_damaged_metrics_are_named(copied: Experiment, content: bytes) -> None:
    copied.folder.metrics.write_bytes(content)
    with pytest.raises(UserError, match=r"metrics\.csv: damaged \(.*\); train again with `overwrite`"):
        training._note_end(copied, 1)
