"""Training and the test that follows it: what is scored, what is recorded, what is refused before it begins."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch

from headtohead.cohort import Cohort
from headtohead.comparing import training
from headtohead.comparing.experiment import Experiment, open_experiment
from headtohead.comparing.training import run_test, run_training
from headtohead.errors import UserError
from headtohead.learning.module import SegmentationModule
from tests.trained_nets import load_trained


def test_same_seed_same_weights_and_the_threshold_changes_only_scores(
    finished: Experiment, options_for: Any, phantom_cohort: Cohort, tmp_path: Path, same_weights: Any, metrics_of: Any
) -> None:
    other = open_experiment(options_for(tmp_path, threshold=0.6), phantom_cohort)
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


def test_test_needs_a_trained_model(options_for: Any, phantom_cohort: Cohort, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"`test`: .*buda-cosine-s0-f0 holds no trained model; add `train`"):
        run_test(open_experiment(options_for(tmp_path), phantom_cohort))
    assert not list(tmp_path.iterdir())


def test_a_refused_setting_leaves_nothing_behind(options_for: Any, phantom_cohort: Cohort, tmp_path: Path) -> None:
    """Or the mended command would be refused for differing from the one that never ran."""
    with pytest.raises(UserError, match="`encoder_weights`"):
        run_training(open_experiment(options_for(tmp_path, encoder_weights="nowhere.pth"), phantom_cohort))
    assert not list(tmp_path.iterdir())


def test_a_fault_is_recorded(
    options_for: Any, phantom_cohort: Cohort, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError("out of memory\nand more")

    monkeypatch.setattr(SegmentationModule, "training_step", fail)
    experiment = open_experiment(options_for(tmp_path), phantom_cohort)
    with pytest.raises(RuntimeError, match="out of memory"):
        run_training(experiment)
    record = experiment.folder.record()
    assert (record["status"], record["error"]) == ("failed", "RuntimeError: out of memory")


def test_early_stopping_stops(options_for: Any, phantom_cohort: Cohort, tmp_path: Path) -> None:
    """With a rate too small to change a mask, the first epoch stays the best."""
    wanted = options_for(
        tmp_path, num_epochs=9, early_stopping=2, learning_rate=1e-30, lr_scheduler="none", model="unet"
    )
    experiment = open_experiment(wanted, phantom_cohort)
    run_training(experiment)
    assert experiment.folder.record()["epochs"] == len(pd.read_csv(experiment.folder.metrics)) == 3
    assert experiment.folder.record()["best_epoch"] == 1


def test_image_size_must_suit_the_model(options_for: Any, phantom_cohort: Cohort, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="`image_size` 40"):
        open_experiment(options_for(tmp_path, image_size=40), phantom_cohort)


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
