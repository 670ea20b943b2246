"""One experiment: what it leaves on disk, that it can be repeated, and that a killed one ends as if never killed."""

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from headtohead import options as option_table
from headtohead.batches.recipe import InputRecipe
from headtohead.cohort import Cohort, open_cohort
from headtohead.comparing import training
from headtohead.comparing.experiment import Experiment, prepare
from headtohead.comparing.training import run_test, run_training
from headtohead.errors import UserError
from headtohead.learning.checkpoint import load_trained
from headtohead.learning.module import SegmentationModule, pl
from headtohead.options import GROUPS, declarations
from headtohead.runs.ledger import read_ledger

SOURCE = Path(training.__file__).parents[2]
EPOCHS = 3

KILLED = """
import json, os, signal, sys
from headtohead import options
from headtohead.comparing import training
from headtohead.learning.module import SegmentationModule

step = SegmentationModule.training_step

def deadly(self, batch, index):
    if self.current_epoch == 1 and index == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return step(self, batch, index)

SegmentationModule.training_step = deadly
training.train(options.from_flat(json.loads(sys.argv[1])))
"""

PREDICTING = """
import sys
from pathlib import Path
import torch
from headtohead.learning.checkpoint import load_trained

trained = load_trained(Path(sys.argv[1]))
with torch.inference_mode():
    print(trained.model(torch.ones(1, 5, 32, 32)).double().sum().item())
print([name for name in sys.modules if "lightning" in name])
"""


def run_python(code: str, *words: str) -> "subprocess.CompletedProcess[str]":
    """Run a script in a process of its own."""
    # Its path is given by hand: the package need not be installed.
    return subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(SOURCE)!r})\n{code}", *words],
        capture_output=True,
        text=True,
        check=False,
    )


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


class TestFinishedRun:
    """What a run folder holds."""

    def test_files(self, finished: Experiment) -> None:
        names = {path.name for path in finished.folder.path.rglob("*") if path.is_file()}
        events = {name for name in names if name.startswith("events.out.tfevents.")}
        tables = {"config.yaml", "run.json", "metrics.csv", "cases.csv", "split.csv"}
        assert names - events == tables | {"best.ckpt", "last.ckpt"}
        assert finished.folder.path.name == "buda-cosine-s0-f0"

    def test_metrics(self, finished: Experiment) -> None:
        table = pd.read_csv(finished.folder.metrics)
        assert list(table.columns) == [
            "epoch", "train_loss", "train_dice", "val_loss", "val_dice", "learning_rate", "seconds"
        ]  # fmt: skip
        assert table["epoch"].tolist() == [0, 1, 2]
        assert table.notna().all(axis=None)
        assert table["learning_rate"].iloc[-1] == pytest.approx(0, abs=1e-6)

    def test_record(self, finished: Experiment, phantom_cohort: Cohort) -> None:
        record = finished.folder.record()
        assert record["status"] == "finished"
        assert record["error"] is None
        assert record["experiment"] == {
            "model": "buda", "schedule": "cosine", "seed": 0, "fold": 0, "name": "buda-cosine-s0-f0"
        }  # fmt: skip
        assert record["data"]["key"] == phantom_cohort.key
        assert record["split"]["key"] == finished.split.key
        assert record["split"]["leaking_patients"] == 0
        assert record["recipe"] == finished.recipe.to_dict()
        assert (record["threshold"], record["seed"], record["epochs"]) == (0.3, 0, EPOCHS)
        assert record["parameters"] == sum(
            weight.numel() for weight in load_trained(finished.folder.best).model.parameters()
        )
        metrics = pd.read_csv(finished.folder.metrics)
        assert record["best_epoch"] == metrics["val_dice"].argmax() + 1
        assert record["best_val_dice"] == metrics["val_dice"].max()
        assert {
            "comparison", "protocol", "command", "versions", "hardware", "git_commit", "device", "precision",
            "started", "ended", "seconds", "test_dice",
        } <= record.keys()  # fmt: skip

    def test_test_dice_is_the_mean_over_cases_not_batches(self, finished: Experiment, phantom_cohort: Cohort) -> None:
        cases = pd.read_csv(finished.folder.cases)
        own = finished.split.cases(phantom_cohort, "test")
        assert cases["case"].tolist() == phantom_cohort.table["case"].iloc[own].tolist()
        assert cases["lesion_voxels"].tolist() == phantom_cohort.table["lesion_voxels"].iloc[own].tolist()
        assert cases["slices"].sum() == len(finished.split.test)
        assert (2 * cases["tp"] / (2 * cases["tp"] + cases["fp"] + cases["fn"])).tolist() == cases["dice"].tolist()
        assert finished.folder.record()["test_dice"] == pytest.approx(cases["dice"].sum() / len(cases))

    def test_scores_are_those_of_the_best_checkpoint(self, finished: Experiment, phantom_cohort: Cohort) -> None:
        trained, found = load_trained(finished.folder.best), np.zeros(3, int)
        for number in finished.split.test:
            case, index = phantom_cohort.case_of(int(number))
            volume, truth = phantom_cohort.images(case), phantom_cohort.masks(case)[index].astype(bool)
            view, statistics = trained.recipe.view(volume, index), trained.recipe.measure(volume)
            image = trained.recipe.scale(view, trained.recipe.channel_statistics(statistics))
            with torch.inference_mode():
                logits = trained.model(torch.from_numpy(image.transpose(2, 0, 1))[None])
            predicted = trained.recipe.back(logits.sigmoid()[0, 0].numpy(), *truth.shape) >= trained.threshold
            found += [(predicted & truth).sum(), (predicted & ~truth).sum(), (~predicted & truth).sum()]
        cases = pd.read_csv(finished.folder.cases)
        assert cases[["tp", "fp", "fn"]].sum().tolist() == pytest.approx(found.tolist(), abs=20)

    def test_config_round_trips(self, finished: Experiment) -> None:
        written = yaml.safe_load(finished.folder.config.read_text())
        assert option_table.from_flat(written) == finished.options
        verbs = {one.name for one in declarations(GROUPS["verbs"])}
        assert not written.keys() & (verbs | {"overwrite", "debug", "config", "print_config"})

    def test_split_is_written(self, finished: Experiment) -> None:
        parts = pd.read_csv(finished.folder.split)["part"].value_counts().to_dict()
        assert parts == {part: len(getattr(finished.split, part)) for part in ("train", "val", "test")}

    def test_the_ledger_reads_it(self, finished: Experiment) -> None:
        ledger = read_ledger(finished.folder.path.parent)
        assert [run.name for run in ledger.finished] == [finished.name]
        assert not ledger.notes

    def test_events(self, finished: Experiment) -> None:
        """What a user finds in TensorBoard."""
        events = EventAccumulator(str(finished.folder.path), size_guidance={"scalars": 0, "images": 0}).Reload()
        scalars = set(events.Tags()["scalars"])
        assert {"loss/train", "loss/val", "dice/train", "dice/val", "learning_rate", "hparams/test_dice"} <= scalars
        table = pd.read_csv(finished.folder.metrics)
        for tag, column in (("loss/train", "train_loss"), ("dice/train", "train_dice"), ("dice/val", "val_dice")):
            assert [event.value for event in events.Scalars(tag)] == pytest.approx(table[column].tolist())
        rates = [event.value for event in events.Scalars("learning_rate")]
        assert len(rates) >= 2 and rates == sorted(rates, reverse=True), "after its warm-up a cosine only falls"
        images = [tag for tag in events.Tags()["images"] if tag.startswith("validation/TCGA_")]
        assert images and all(len(events.Images(tag)) == EPOCHS for tag in images)
        assert events.Scalars("hparams/test_dice")[0].value == pytest.approx(finished.folder.record()["test_dice"])
        session = events.PluginTagToContent("hparams")["_hparams_/session_start_info"]
        assert b"learning_rate" in session and b"cosine" in session

    def test_predicts_without_lightning(self, finished: Experiment) -> None:
        run = run_python(PREDICTING, str(finished.folder.best))
        assert run.returncode == 0, run.stderr
        answer, lightning = run.stdout.splitlines()
        with torch.inference_mode():
            expected = load_trained(finished.folder.best).model(torch.ones(1, 5, 32, 32)).double().sum().item()
        assert float(answer) == pytest.approx(expected, rel=1e-4)
        assert lightning == "[]"

    def test_checkpoint_says_how_to_predict(self, finished: Experiment) -> None:
        trained = load_trained(finished.folder.best)
        assert (trained.name, trained.recipe, trained.threshold) == ("buda", InputRecipe(32, "inner", 1), 0.3)


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
    finished: Experiment, options_for: Any, phantom_cohort: Cohort, tmp_path: Path, same_weights: Any, metrics_of: Any
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
    timeless = {"seconds", "started", "ended", "command", "git_commit"}
    records = [
        {key: value for key, value in one.folder.record().items() if key not in timeless} for one in (finished, killed)
    ]
    assert records[0] == records[1]


@pytest.fixture
def copied(finished: Experiment, options_for: Any, phantom_cohort: Cohort, tmp_path: Path) -> Experiment:
    """A copy of the finished run that a test may change."""
    experiment = prepare(options_for(tmp_path), phantom_cohort)
    shutil.copytree(finished.folder.path, experiment.folder.path)
    return experiment


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
    assert said in str(caught.value) and "--overwrite" in str(caught.value)
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
    with pytest.raises(UserError, match=r"made from another data \(.*--overwrite"):
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


def trainer_fact(name: str) -> Callable[[dict[str, Any]], Any]:
    return lambda noted: getattr(noted["trainer"], name)


def module_fact(name: str) -> Callable[[dict[str, Any]], Any]:
    return lambda noted: noted["module"].hparams[name]


def batches_fact(name: str) -> Callable[[dict[str, Any]], Any]:
    return lambda noted: getattr(noted["batches"], name)


def first_weight(noted: dict[str, Any]) -> Any:
    return next(noted["module"].model.parameters()).flatten()[:3].tolist()


REACHES: dict[str, tuple[Any, Callable[[dict[str, Any]], Any]]] = {
    "image_size": (48, lambda noted: noted["batches"].recipe.image_size),
    "normalise": ("unit", lambda noted: noted["batches"].recipe.normalise),
    "neighbours": (0, lambda noted: noted["module"].hparams["in_channels"]),
    "model": ("unet", lambda noted: type(noted["module"].model).__name__),
    "width": (4, lambda noted: sum(one.numel() for one in noted["module"].model.parameters())),
    "num_epochs": (5, trainer_fact("max_epochs")),
    "batch_size": (3, batches_fact("batch_size")),
    "learning_rate": (0.5, module_fact("learning_rate")),
    "optimizer": ("sgd", module_fact("optimizer")),
    "lr_scheduler": ("plateau", module_fact("lr_scheduler")),
    "augmentation": ("flips", batches_fact("augmentation")),
    "sequence_dropout": (0.75, batches_fact("sequence_dropout")),
    "empty_slices": (0.7, batches_fact("empty_slices")),
    "early_stopping": (2, lambda noted: [type(one).__name__ for one in noted["trainer"].callbacks]),
    "gradient_clip": (0.5, trainer_fact("gradient_clip_val")),
    "seed": (3, first_weight),
    "threshold": (0.4, module_fact("threshold")),
    "precision": ("bf16", trainer_fact("precision")),
    "num_workers": (2, lambda noted: noted["batches"].train_dataloader().num_workers),
    "split": ("slice", lambda noted: noted["batches"].split.test.tolist()),
    "split_seed": (1, lambda noted: noted["batches"].split.test.tolist()),
    "comparison": ("other", lambda noted: str(noted["trainer"].loggers[0].log_dir)),
    "run_name": ("mine", lambda noted: str(noted["trainer"].loggers[0].log_dir)),
}
ELSEWHERE = {
    "encoder_weights": "tests/models/test_pretrained.py",
    "gpus": "tests/test_machine.py",
    "debug": "tests/cli/test_verbs.py",
    "config": "tests/cli/test_config.py",
    "print_config": "tests/cli/test_config.py",
}
"""Options whose effect is under test in other files."""


def test_every_option_of_a_training_is_listed() -> None:
    groups = ("input", "model", "training", "machine")
    assert {one.name for group in groups for one in declarations(GROUPS[group])} <= REACHES.keys() | ELSEWHERE.keys()
    assert all((Path(__file__).parents[2] / path).is_file() for path in ELSEWHERE.values())


@pytest.mark.parametrize("name", REACHES)
def test_option_reaches_the_training(
    name: str, options_for: Any, phantom_cohort: Cohort, tmp_path: Path, spared: dict[str, Any]
) -> None:
    value, fact = REACHES[name]
    facts = []
    for overwrite, change in ((False, {}), (True, {name: value})):
        with pytest.raises(spared["exception"]):
            run_training(prepare(options_for(tmp_path, overwrite=overwrite, **change), phantom_cohort))
        facts.append(fact(spared))
    assert facts[0] != facts[1]


def test_image_size_must_suit_the_model(options_for: Any, phantom_cohort: Cohort, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="--image_size 40"):
        prepare(options_for(tmp_path, image_size=40), phantom_cohort)


def test_verbs_train_and_test(
    finished: Experiment, options_for: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The two functions the command line calls, on slices this time: the leak is said aloud."""
    options = options_for(tmp_path, num_epochs=1, split="slice", batch_size=32, lr_scheduler="none")
    folder = tmp_path / "single" / "buda-none-s0-f0"
    assert training.train(options) == training.test(options) == folder
    said = capsys.readouterr().out
    assert "patients leak from training into validation or test" in said
    record = json.loads((folder / "run.json").read_text())
    assert record["split"]["leaking_patients"] > 0
    assert (
        f"mean Dice per case on {len(pd.read_csv(folder / 'cases.csv'))} test cases {record['test_dice']:.3f}" in said
    )


def test_a_test_needs_no_option_of_the_training_again(options_for: Any, tmp_path: Path) -> None:
    options = options_for(tmp_path, num_epochs=1)
    folder = training.train(options)
    places = {name: getattr(options.data, name) for name in ("root_dir", "cache_dir")}
    short = option_table.replace(
        option_table.Options(), **places, runs_dir=str(tmp_path), comparison=options.comparison.comparison,
        run_name=folder.name,
    )  # fmt: skip
    assert training.test(short) == folder
    with pytest.raises(UserError, match="made with --width 2, now 4"):
        training.test(option_table.replace(short, width=4))
