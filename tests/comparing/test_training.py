"""Training: resumed, kept, refused, made anew, recorded when it fails; and the test that follows it."""

import dataclasses
import json
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from headtohead.cohort import Cohort, open_cohort
from headtohead.comparing import training
from headtohead.comparing.experiment import Experiment, as_trained, prepare, refuse_other_run
from headtohead.comparing.training import run_test, run_training
from headtohead.errors import UserError
from headtohead.learning.callbacks import WholeFiles
from headtohead.learning.checkpoint import load_trained
from headtohead.learning.module import SegmentationModule
from headtohead.options import table as option_table
from headtohead.options.table import Options
from headtohead.runs.folder import RunFolder
from headtohead.scoring.protocol import PROTOCOL, SAME_PREDICTIONS_SINCE

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


def test_same_seed_same_weights_and_the_threshold_changes_only_scores(
    finished: Experiment, options_for: Any, phantom_cohort: Cohort, tmp_path: Path, same_weights: Any, metrics_of: Any
) -> None:
    other = prepare(options_for(tmp_path, threshold=0.6), phantom_cohort)
    run_training(other)
    run_test(other)
    assert same_weights(finished, other)
    here, there = metrics_of(finished), metrics_of(other)
    assert here["train_loss"].tolist() == there["train_loss"].tolist()
    assert here["train_dice"].tolist() != there["train_dice"].tolist()
    assert here["val_dice"].tolist() != there["val_dice"].tolist()
    predicted = [pd.read_csv(one.folder.cases)[["tp", "fp"]].sum(axis=None) for one in (finished, other)]
    assert predicted[0] > predicted[1]
    assert load_trained(other.folder.best).threshold == other.folder.record()["threshold"] == 0.6


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
    killed = prepare(options_for(tmp_path), phantom_cohort)
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
    timeless = {"seconds", "started", "ended", "tested", "command", "git_commit"}
    records = [
        {key: value for key, value in one.folder.record().items() if key not in timeless} for one in (finished, killed)
    ]
    assert records[0] == records[1]


def changed(experiment: Experiment, **changes: Any) -> Experiment:
    return prepare(option_table.replace(experiment.options, **changes), experiment.cohort)


def test_the_best_checkpoint_is_scored_not_the_last(copied: Experiment) -> None:
    """A best one that answers 1 everywhere, beside a last one that does not."""
    best = torch.load(copied.folder.best, weights_only=True)
    best["state_dict"]["model.conv.weight"].zero_()
    best["state_dict"]["model.conv.bias"].fill_(5)
    torch.save(best, copied.folder.best)
    run_test(copied)
    cases = pd.read_csv(copied.folder.cases)
    assert (cases["tp"] + cases["fp"]).sum() == len(copied.split.test) * 64 * 64
    assert cases["fn"].sum() == 0


def test_an_epoch_that_was_logged_but_not_kept_has_no_second_point(
    finished: Experiment,
    options_for: Any,
    phantom_cohort: Cohort,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Ended while the checkpoint of an epoch is written: the first time before there is any, then after one."""
    ended = prepare(options_for(tmp_path), phantom_cohort)
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


def test_overwrite_spares_what_was_trained_while_it_waited(
    copied: Experiment, spared: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    anew = dataclasses.replace(copied, options=option_table.replace(copied.options, overwrite=True))
    before = copied.folder.made()
    copied.folder.note(started="later", status="trained")
    run_training(anew, before)
    assert "already trained, kept" in capsys.readouterr().out and "trainer" not in spared
    with pytest.raises(spared["exception"]):
        run_training(anew, copied.folder.made())


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"num_epochs": 9}, "--num_epochs 3, now 9"),
        ({"learning_rate": 0.02}, "--learning_rate 0.03, now 0.02"),
        ({"normalise": "unit"}, "--normalise inner, now unit"),
        ({"threshold": 0.5}, "--threshold 0.3, now 0.5"),
        ({"width": 4}, "--width 2, now 4"),
        ({"augmentation": "none"}, "--augmentation standard, now none"),
    ],
)
@pytest.mark.parametrize("carry_out", [run_training, run_test])
def test_other_options_under_the_same_name_are_refused(
    copied: Experiment, carry_out: Callable[[Experiment], None], change: dict[str, Any], said: str
) -> None:
    before = copied.folder.config.read_bytes()
    with pytest.raises(UserError) as caught:
        carry_out(changed(copied, **change))
    assert said in str(caught.value)
    assert ("--overwrite" in str(caught.value)) == (carry_out is run_training), "--test does not take it"
    assert copied.folder.config.read_bytes() == before


def test_another_split_under_the_same_name_is_refused(copied: Experiment) -> None:
    with pytest.raises(UserError, match=r"made with --split(_seed)? "):
        run_training(changed(copied, split_seed=5))


def test_what_does_not_touch_the_result_may_differ(copied: Experiment, capsys: pytest.CaptureFixture[str]) -> None:
    run_training(changed(copied, num_workers=2, gpus="auto", models=["unet"], seeds=[7], output="x", debug=True))
    assert "already trained" in capsys.readouterr().out


def test_changed_data_are_refused(copied: Experiment, tmp_path: Path, phantom_root: Path) -> None:
    moved = tmp_path / "moved"
    shutil.copytree(phantom_root, moved)
    run_training(prepare(option_table.replace(copied.options, root_dir=str(moved))))  # the same data elsewhere
    masks = sorted(moved.rglob("*_mask.tif"))
    shutil.copyfile(next(mask for mask in masks if mask.read_bytes() != masks[0].read_bytes()), masks[0])
    cohort = open_cohort(moved, Path(copied.options.data.cache_dir))
    assert cohort.key != copied.cohort.key
    with pytest.raises(UserError, match=r"made from other data \(.*--overwrite"):
        run_training(prepare(option_table.replace(copied.options, root_dir=str(moved)), cohort))


def test_overwrite_trains_anew(copied: Experiment, spared: dict[str, Any]) -> None:
    stale = copied.folder.path / "stale"
    stale.touch()
    with pytest.raises(spared["exception"]):
        run_training(changed(copied, overwrite=True, num_epochs=7))
    assert spared["trainer"].max_epochs == 7
    assert not stale.exists() and not copied.folder.last.exists()


def test_test_needs_a_trained_model(options_for: Any, phantom_cohort: Cohort, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"--test: .*buda-cosine-s0-f0 holds no trained model; add --train"):
        run_test(prepare(options_for(tmp_path), phantom_cohort))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("which", "status"), [("best", "trained"), ("last", "running")])
def test_a_damaged_checkpoint_is_said_in_a_line(copied: Experiment, which: str, status: str) -> None:
    path = getattr(copied.folder, which)
    path.write_bytes(path.read_bytes()[:1000])
    copied.folder.note(status=status)
    with pytest.raises(UserError, match=rf"{which}\.ckpt: not a readable checkpoint"):
        (run_test if status == "trained" else run_training)(copied)


def test_a_refused_setting_leaves_nothing_behind(options_for: Any, phantom_cohort: Cohort, tmp_path: Path) -> None:
    """Or the mended command would be refused for differing from the one that never ran."""
    with pytest.raises(UserError, match="--encoder_weights"):
        run_training(prepare(options_for(tmp_path, encoder_weights="nowhere.pth"), phantom_cohort))
    assert not list(tmp_path.iterdir())


def test_a_fault_is_recorded(
    options_for: Any, phantom_cohort: Cohort, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError("out of memory\nand more")

    monkeypatch.setattr(SegmentationModule, "training_step", fail)
    experiment = prepare(options_for(tmp_path), phantom_cohort)
    with pytest.raises(RuntimeError, match="out of memory"):
        run_training(experiment)
    record = experiment.folder.record()
    assert (record["status"], record["error"]) == ("failed", "RuntimeError: out of memory")


def test_early_stopping_stops(options_for: Any, phantom_cohort: Cohort, tmp_path: Path) -> None:
    """With a rate too small to change a mask, the first epoch stays the best."""
    wanted = options_for(
        tmp_path, num_epochs=9, early_stopping=2, learning_rate=1e-30, lr_scheduler="none", model="unet"
    )
    experiment = prepare(wanted, phantom_cohort)
    run_training(experiment)
    assert experiment.folder.record()["epochs"] == len(pd.read_csv(experiment.folder.metrics)) == 3
    assert experiment.folder.record()["best_epoch"] == 1


def test_image_size_must_suit_the_model(options_for: Any, phantom_cohort: Cohort, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="--image_size 40"):
        prepare(options_for(tmp_path, image_size=40), phantom_cohort)


def test_verbs_train_and_test(
    finished: Experiment, options_for: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The two functions the command line calls, on slices this time, with a warning of the leak."""
    options = options_for(tmp_path, num_epochs=1, split="slice", batch_size=32, lr_scheduler="none")
    folder = tmp_path / "single" / "buda-none-s0-f0"
    assert training.train(options) == training.test(options) == folder
    said = capsys.readouterr().out
    assert "patients leak from training into validation or test" in said
    record = json.loads((folder / "run.json").read_text())
    assert record["split"]["leaking_patients"] > 0
    assert f"mean Dice per case {record['test_dice']:.3f} on " in said


def test_a_test_needs_no_option_of_the_training_again(options_for: Any, tmp_path: Path) -> None:
    options = options_for(tmp_path, num_epochs=1)
    folder = training.train(options)
    places = {name: getattr(options.data, name) for name in ("root_dir", "cache_dir")}
    short = option_table.replace(
        option_table.Options(), **places, runs_dir=str(tmp_path), comparison=options.comparison.comparison,
        run_name=folder.name,
    )  # fmt: skip
    record = RunFolder(folder).record()
    RunFolder(folder).note(protocol=record["protocol"] | {"version": SAME_PREDICTIONS_SINCE})
    assert training.test(short) == folder
    assert RunFolder(folder).record()["protocol"] == PROTOCOL, "scored as now, and it says so"
    with pytest.raises(UserError, match="made with --width 2, now 4"):
        training.test(option_table.replace(short, width=4))


def test_a_run_from_before_an_option_came_is_one_made_with_its_default(copied: Experiment) -> None:
    later = ("channel_order", "test_flips", "model_settings", "case_gifs")
    config = {name: value for name, value in copied.folder.read_config().items() if name not in later}
    copied.folder.write_config(config)
    refuse_other_run(changed(copied, model_settings=["unet.seed=1"], case_gifs="all"))
    for name, value in (("test_flips", True), ("channel_order", "bgr")):
        with pytest.raises(
            UserError, match=rf"made with --{name} {not value if value is True else 'rgb'}, now {value}"
        ):
            refuse_other_run(changed(copied, **{name: value}))
    assert as_trained(copied.options).input.channel_order == "rgb"


def test_a_default_that_is_written_out_is_not_taken_from_the_run(copied: Experiment) -> None:
    default = option_table.replace(copied.options, num_epochs=Options().training.num_epochs)
    trained = copied.options.training.num_epochs
    assert as_trained(default).training.num_epochs == trained != default.training.num_epochs
    said = dataclasses.replace(default, given=frozenset({"num_epochs"}))
    with pytest.raises(UserError, match=f"made with --num_epochs {trained}, now {default.training.num_epochs}"):
        refuse_other_run(dataclasses.replace(copied, options=as_trained(said)))


@pytest.mark.parametrize(("name", "value"), [("num_epochs", "many"), ("learning_rate", [1]), ("batch_size", {"a": 1})])
def test_an_option_of_a_wrong_kind_in_the_run_is_named(copied: Experiment, name: str, value: object) -> None:
    copied.folder.write_config(copied.folder.read_config() | {name: value})
    default = option_table.flat(Options())[name]
    with pytest.raises(UserError, match=rf"config\.yaml: {name} .*: takes a"):
        as_trained(option_table.replace(copied.options, **{name: default}))


@pytest.mark.parametrize("content", [b"", b"\xff", b"epoch,val_dice\n0,1\n", b"epoch,val_dice,seconds\n0,high,1\n"])
def test_damaged_metrics_are_named(copied: Experiment, content: bytes) -> None:
    copied.folder.metrics.write_bytes(content)
    with pytest.raises(UserError, match=r"metrics\.csv: damaged \(.*\); train again with --overwrite"):
        training._note_end(copied, 1)
