"""Trainings that cannot end well are refused: a batch of one slice under batch norm, and a loss that is no number."""

from pathlib import Path
from typing import Any

import pytest

from headtohead.batches.datamodule import SliceDataModule
from headtohead.cohort import Cohort
from headtohead.comparing.experiment import open_experiment
from headtohead.comparing.grid import compare
from headtohead.comparing.lone_slices import refuse_lone_slice, slices_of_epoch
from headtohead.comparing.trainer import batches_of
from headtohead.comparing.training import run_training
from headtohead.errors import UserError

ONE_PIXEL = {"model": "segnet", "image_size": 16}  # what five poolings leave


@pytest.mark.parametrize("sampling", [{}, {"sampling": "lesion_weighted", "empty_slices": 1.0}])
def test_an_epoch_is_counted_as_it_is_drawn(
    sampling: dict[str, Any], options_for: Any, phantom_cohort: Cohort, tmp_path: Path
) -> None:
    experiment = open_experiment(options_for(tmp_path, **sampling), phantom_cohort)
    batches: SliceDataModule = batches_of(experiment)
    sampler = batches.training_sampler(batches_dataset(batches))
    assert slices_of_epoch(experiment) == sum(map(len, sampler))


def batches_dataset(batches: SliceDataModule) -> Any:
    from headtohead.cohort.cases import cases_of

    return cases_of(batches.cohort, batches.recipe)


def test_a_last_batch_of_one_slice_is_refused_before_anything_is_written(
    options_for: Any, phantom_cohort: Cohort, tmp_path: Path
) -> None:
    count = slices_of_epoch(open_experiment(options_for(tmp_path, **ONE_PIXEL), phantom_cohort))
    lone = next(size for size in range(2, count) if count % size == 1)
    experiment = open_experiment(options_for(tmp_path, **ONE_PIXEL, batch_size=lone), phantom_cohort)
    with pytest.raises(UserError, match=rf"^`batch_size` {lone}: the last batch .* Expected more than 1 value.*write "):
        run_training(experiment)
    with pytest.raises(UserError, match=r"^`batch_size` 1: every batch"):
        compare(options_for(tmp_path, **ONE_PIXEL | {"models": ["segnet"], "schedules": ["none"]}, batch_size=1))
    assert not any(tmp_path.rglob("run.json"))


def test_other_batches_and_other_nets_are_not_refused(options_for: Any, phantom_cohort: Cohort, tmp_path: Path) -> None:
    for changes in (ONE_PIXEL, {"image_size": 32, "batch_size": 1}, {"model": "unet", "batch_size": 1}):
        own = {"batch_size": 2 + slices_of_epoch(open_experiment(options_for(tmp_path), phantom_cohort))} | changes
        refuse_lone_slice(open_experiment(options_for(tmp_path, **own), phantom_cohort))


def test_a_loss_that_is_no_number_ends_the_training_and_is_not_the_best(
    options_for: Any, phantom_cohort: Cohort, tmp_path: Path
) -> None:
    wild = {"model": "unet", "learning_rate": 1e30, "optimizer": "sgd", "num_epochs": 1}
    experiment = open_experiment(options_for(tmp_path, **wild), phantom_cohort)
    with pytest.raises(UserError, match=r"^loss is not a number in epoch 1; give less `learning_rate`$"):
        run_training(experiment)
    assert not experiment.folder.best.exists() and experiment.folder.record()["status"] == "failed"
