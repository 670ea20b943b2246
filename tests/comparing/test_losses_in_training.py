"""A loss and its weights reach the training, are recorded, are kept by a resumed run, and are refused in a line."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from headtohead.batches.datamodule import SliceDataset
from headtohead.cohort import Cohort
from headtohead.cohort.cases import PackedCases
from headtohead.comparing.experiment import Experiment, open_experiment
from headtohead.comparing.grid import experiments_of
from headtohead.comparing.training import run_test, run_training
from headtohead.comparing.weights_of_targets import weights_of_targets
from headtohead.errors import UserError
from headtohead.learning.module import SegmentationModule
from headtohead.options import table as option_table
from headtohead.options.flags import as_flags
from headtohead.parsing import parse
from headtohead.trained.engines.torch_engine import load_net
from headtohead.trained.facts import read_facts
from headtohead.trained.source import Source
from tests.several_targets import CLASSED, NESTED, relabelled


class Ended(Exception):
    """What ends a training."""


def break_off(experiment: Experiment, epoch: int) -> None:
    """Begin the training, and end it at the first step of an epoch."""
    step = SegmentationModule.training_step

    def deadly(self: SegmentationModule, *given: Any) -> Any:
        if self.current_epoch == epoch:
            raise Ended
        return step(self, *given)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SegmentationModule, "training_step", deadly)
        with pytest.raises(Ended):
            run_training(experiment)


@pytest.mark.exhaustive
def test_a_resumed_training_goes_on_with_its_loss(
    options_for: Any, phantom_cohort: Cohort, tmp_path: Path, same_weights: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    chosen = {"loss": "focal", "pos_weight": "auto", "deep_supervision": True, "num_epochs": 2}
    whole, broken = (
        open_experiment(options_for(tmp_path / name, **chosen), phantom_cohort) for name in ("whole", "broken")
    )
    run_training(whole)
    said = capsys.readouterr().out
    break_off(broken, 1)
    run_training(broken)
    assert same_weights(whole, broken)
    record = broken.folder.record()
    assert (record["loss"], record["pos_weight"]) == ("focal", "auto")
    ((name, weight),) = record["pos_weights"].items()
    assert f"pos_weight {weight:g} ({name})" in said
    stored = torch.load(broken.folder.last, weights_only=True)
    assert (stored["hyper_parameters"]["loss"], stored["hyper_parameters"]["pos_weight"]) == ("focal", [weight])
    assert not [key for key in stored["state_dict"] if not key.startswith("model.")]
    assert [key for key in stored["state_dict"] if key.startswith("model.deep_heads.")]
    other = open_experiment(option_table.replace(broken.options, loss="bce"), phantom_cohort)
    with pytest.raises(UserError, match="made with `loss` focal, now bce; use the same"):
        run_training(other)
    is_tested_and_predicts_without_its_deep_heads(broken)


def is_tested_and_predicts_without_its_deep_heads(experiment: Experiment) -> None:
    run_test(experiment)
    record = experiment.folder.record()
    assert record["status"] == "finished" and record["onnx"].startswith("agrees with PyTorch")
    source = Source(read_facts(experiment.folder.path), experiment.folder.path)
    net = load_net(source)
    assert net.deep_heads is None and not [name for name in source.weights() if "deep_heads" in name]
    assert record["parameters"] == sum(one.numel() for one in net.parameters())
    stored = torch.load(experiment.folder.best, weights_only=True)
    module = SegmentationModule(**stored["hyper_parameters"])
    module.load_state_dict(stored["state_dict"])
    image = torch.randn(1, module.hparams["in_channels"], 32, 32)
    with torch.inference_mode():
        assert torch.equal(net(image), module.eval().model(image))


def test_a_run_from_before_there_were_losses_is_one_of_the_default(
    copied: Experiment, phantom_cohort: Cohort, capsys: pytest.CaptureFixture[str]
) -> None:
    config = copied.folder.read_config()
    copied.folder.write_config({name: value for name, value in config.items() if name not in ("loss", "pos_weight")})
    run_training(copied)
    assert "already trained, kept" in capsys.readouterr().out
    with pytest.raises(UserError, match="made with `loss` bce_dice, now dice"):
        run_training(open_experiment(option_table.replace(copied.options, loss="dice"), phantom_cohort))


def test_a_checkpoint_from_before_there_were_losses_has_the_default(copied: Experiment) -> None:
    stored = torch.load(copied.folder.best, weights_only=True)
    for name in ("loss", "pos_weight"):
        del stored["hyper_parameters"][name]
    torch.save(stored, copied.folder.best)
    module = SegmentationModule.load_from_checkpoint(copied.folder.best, weights_only=True)
    assert module.hparams["loss"] == "bce_dice" and module.loss.pos_weight is None


@pytest.mark.parametrize("targets", [None, NESTED, CLASSED])
@pytest.mark.parametrize("changes", [{}, {"empty_slices": 0.25}, {"preparation": "volume"}])
def test_auto_is_what_the_batches_of_an_epoch_hold(
    options_for: Any, phantom_cohort: Cohort, tmp_path: Path, targets: Any, changes: dict[str, Any]
) -> None:
    cohort = relabelled(phantom_cohort, tmp_path / "cohort", targets) if targets else phantom_cohort
    changes = {"empty_slices": 1.0} | changes
    experiment = open_experiment(options_for(tmp_path, pos_weight="auto", **changes), cohort)
    dataset = SliceDataset(cohort, experiment.recipe)
    shown = dataset.cases.shown(experiment.split.train)
    masks = np.stack([dataset[(0, int(number))]["mask"] for number in shown]).astype(np.int64)
    empty = ~masks.any(axis=(1, 2, 3)) & ~dataset.cases.has_lesion(shown)
    held = masks.sum(axis=(0, 1, 2))
    pixels = (len(masks) - empty.sum() + np.ceil(changes["empty_slices"] * empty.sum())) * 32 * 32
    assert weights_of_targets(experiment) == pytest.approx(((pixels - held) / held).tolist(), rel=1e-4)


def test_a_number_is_that_of_all_targets(options_for: Any, phantom_cohort: Cohort, tmp_path: Path) -> None:
    cohort = relabelled(phantom_cohort, tmp_path / "cohort", NESTED)
    opened = [open_experiment(options_for(tmp_path, pos_weight=one), cohort) for one in ("25", "1", "1.0")]
    assert [weights_of_targets(one) for one in opened] == [[25.0, 25.0], None, None]


def test_auto_of_a_target_that_no_training_slice_holds_is_refused(
    options_for: Any, phantom_cohort: Cohort, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PackedCases, "has_lesion", lambda cases, numbers: np.zeros(len(numbers), bool))
    experiment = open_experiment(options_for(tmp_path, pos_weight="auto"), phantom_cohort)
    with pytest.raises(UserError, match=r"`pos_weight` auto: no training slice holds .*; give a number"):
        run_training(experiment)
    assert not experiment.folder.path.exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--train --loss lovas", "--loss lovas: no such loss; did you mean lovasz?"),
        ("--compare --models unet --model_settings unet.loss=dise", "--model_settings unet.loss dise: no such loss"),
        (
            "--train --loss dice --pos_weight 25",
            "--pos_weight 25: loss dice has no cross-entropy; leave it out, or use",
        ),
        (
            "--compare --models unet,buda --pos_weight auto --model_settings unet.loss=dice,buda.loss=lovasz",
            "--pos_weight auto: loss dice has no cross-entropy",
        ),
        (
            "--compare --models unet,buda --model_settings unet.loss=dice,unet.pos_weight=25",
            "--model_settings unet.pos_weight 25: loss dice has no cross-entropy",
        ),
        ("--train --model resnext --deep_supervision", "--deep_supervision: resnext has no heads at lower levels"),
        (
            "--compare --models unet,resnext --model_settings resnext.deep_supervision=True",
            "--model_settings resnext.deep_supervision: resnext has no such setting",
        ),
        ("--train --pos_weight 0", "--pos_weight 0: takes a number above 0, or the word auto"),
        ("--train --pos_weight -1", "--pos_weight -1: takes a number above 0"),
        ("--train --pos_weight nan", "--pos_weight nan: takes a number above 0"),
        ("--train --pos_weight inf", "--pos_weight inf: takes a number above 0"),
        ("--train --pos_weight much", "--pos_weight much: takes a number above 0"),
        ("--predict x --output y --loss dice", "--loss: has no effect with --predict; it is for --train"),
    ],
)
def test_what_cannot_be_is_refused_in_a_line(words: str, said: str) -> None:
    with pytest.raises(UserError) as caught:
        parse(words.split())
    assert said in as_flags(caught.value) and "\n" not in str(caught.value)


def test_of_a_comparison_those_train_lower_levels_that_can(options_for: Any, tmp_path: Path) -> None:
    grid = experiments_of(options_for(tmp_path, models=["resnext", "buda"], image_size=64, deep_supervision=True))
    assert {one.model.model: one.training.deep_supervision for one in grid} == {"resnext": False, "buda": True}


def test_models_of_a_comparison_may_have_their_own(options_for: Any, tmp_path: Path) -> None:
    """A loss without a cross-entropy goes without the weight of the others."""
    settings = ["buda.loss=dice"]
    grid = options_for(tmp_path, models=["unet", "buda"], pos_weight="25", model_settings=settings)
    seen = {one.model.model: (one.training.loss, one.training.pos_weight) for one in experiments_of(grid)}
    assert seen == {"unet": ("bce_dice", "25"), "buda": ("dice", "1")}
