"""Schedules of the learning rate, as functions and in a real training."""

from typing import Any

import numpy as np
import pytest
import torch

from headtohead.batches.datamodule import SliceDataModule
from headtohead.batches.splits import Split
from headtohead.cohort import Cohort
from headtohead.learning.module import SegmentationModule, pl
from headtohead.learning.schedules import OPTIMIZERS, START, build_optimizer, build_schedule, cosine, ramp
from headtohead.options.declaring import description_of
from headtohead.options.table import OPTIONS
from headtohead.options.training import SCHEDULES
from headtohead.preparing.recipe import InputRecipe

RATE = 2e-3
EPOCHS = 2


class RateRecorder(pl.Callback):
    """Notes the rate each step is taken with, and how often the optimiser and its schedule are built."""

    def __init__(self) -> None:
        self.rates: list[float] = []
        self.schedulers: set[int] = set()

    def on_train_batch_start(self, trainer: Any, pl_module: Any, batch: Any, batch_idx: int) -> None:
        self.rates.append(trainer.optimizers[0].param_groups[0]["lr"])
        self.schedulers |= {id(config.scheduler) for config in trainer.lr_scheduler_configs}


def train(cohort: Cohort, schedule: str) -> RateRecorder:
    """A real training on few slices, some ten steps an epoch."""
    parts = (np.arange(20), np.arange(20, 24), np.arange(24, 28))
    recipe = InputRecipe(16, "unit", 0)
    batches = SliceDataModule(cohort, Split("slice", 0, *parts), recipe, batch_size=2, num_workers=0)
    module = SegmentationModule(
        model="unet",
        width=2,
        in_channels=3,
        recipe=recipe.to_dict(),
        threshold=0.5,
        cases=len(cohort),
        learning_rate=RATE,
        lr_scheduler=schedule,
    )
    recorder = RateRecorder()
    trainer = pl.Trainer(
        accelerator="cpu",
        max_epochs=EPOCHS,
        callbacks=[recorder],
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        use_distributed_sampler=False,
    )
    trainer.fit(module, batches)
    assert len(recorder.rates) == EPOCHS * 10
    return recorder


def test_none_keeps_the_rate(phantom_cohort: Cohort) -> None:
    recorder = train(phantom_cohort, "none")
    assert set(recorder.rates) == {RATE}
    assert not recorder.schedulers


def test_cosine_is_built_once_and_decays_to_nothing(phantom_cohort: Cohort) -> None:
    recorder = train(phantom_cohort, "cosine")
    rates = np.array(recorder.rates) / RATE
    assert len(recorder.schedulers) == 1
    assert rates[0] == pytest.approx(START)
    assert rates.max() == pytest.approx(1)
    peak = int(rates.argmax())
    assert peak == 1, "the warm-up takes a twentieth of the training"
    assert (np.diff(rates[peak:]) < 0).all(), "the second epoch must not begin anew"
    assert rates[-1] < 0.01


def test_restarting_warm_up_climbs_anew_in_every_epoch(phantom_cohort: Cohort) -> None:
    rates = np.array(train(phantom_cohort, "restarting_warmup").rates).reshape(EPOCHS, 10) / RATE
    for epoch in rates:
        assert epoch == pytest.approx(np.linspace(START, 1, 10))


def test_plateau_halves_after_three_epochs_without_a_better_dice() -> None:
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    config = build_schedule("plateau", optimizer, 10, 5)
    assert config is not None
    assert (config["monitor"], config["interval"]) == ("dice/val", "epoch")
    rates = []
    for dice in (0.5, 0.6, 0.5, 0.55, 0.6, 0.59, 0.7):
        config["scheduler"].step(dice)
        rates.append(optimizer.param_groups[0]["lr"])
    assert rates == [1, 1, 1, 1, 1, 0.5, 0.5]


def test_plateau_runs_in_a_training(phantom_cohort: Cohort) -> None:
    assert train(phantom_cohort, "plateau").rates == [RATE] * EPOCHS * 10


@pytest.mark.parametrize("steps", [1, 2, 19, 20, 21, 1000])
def test_cosine_is_within_bounds_and_ends_at_zero(steps: int) -> None:
    shares = [cosine(step, steps) for step in range(steps + 1)]
    assert all(0 <= share <= 1 for share in shares)
    assert shares[0] == START
    assert shares[-1] == pytest.approx(0 if steps > 1 else 1)


def test_cosine_by_hand() -> None:
    assert cosine(25, 1000) == pytest.approx(START + (1 - START) / 2)
    assert cosine(50, 1000) == 1
    assert cosine(525, 1000) == pytest.approx(0.5)


def test_ramp_by_hand() -> None:
    assert [ramp(step, 3) for step in range(6)] == pytest.approx([START, (1 + START) / 2, 1] * 2)
    assert ramp(0, 1) == ramp(5, 1) == START


def test_options_offer_exactly_what_can_be_built() -> None:
    assert sorted(description_of(OPTIONS["optimizer"]).choices) == sorted(OPTIMIZERS)
    for name in SCHEDULES:
        config = build_schedule(name, torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0), 10, 2)
        assert (config is None) == (name == "none")


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_each_optimizer_takes_a_step_of_its_own(name: str) -> None:
    def after_two_steps(optimizer_name: str, rate: float) -> list[float]:
        weight = torch.nn.Parameter(torch.tensor([1.0, -2.0]))
        optimizer = build_optimizer(optimizer_name, [weight], rate)
        for _ in range(2):
            optimizer.zero_grad()
            (weight**2).sum().backward()
            optimizer.step()
        return weight.tolist()

    here = after_two_steps(name, 0.1)
    assert here[0] < 1 and here[1] > -2
    assert here != after_two_steps(name, 0.05)
    assert all(here != after_two_steps(other, 0.1) for other in OPTIMIZERS if other not in (name, "adam", "adamax"))
