"""What trains and tests one experiment: its batches, its module and Lightning's trainer."""

import logging
import sys
import warnings

import torch

from headtohead import machine
from headtohead.batches.datamodule import SliceDataModule
from headtohead.cohort.cases import PreparedCases, cases_of
from headtohead.comparing.experiment import Experiment, settings_of
from headtohead.comparing.weights_of_targets import weights_of_targets
from headtohead.learning.callbacks import EpochTable, WholeFiles, checkpoints
from headtohead.learning.module import SegmentationModule
from headtohead.learning.pace import Pace
from headtohead.learning.validation_images import ValidationImages
from headtohead.models.asking import has_batch_norm
from headtohead.reporting.loggers import open_loggers

machine.mend_torchvision()

import pytorch_lightning as pl  # noqa: E402  imports torchvision
from pytorch_lightning.callbacks import EarlyStopping  # noqa: E402


def batches_of(experiment: Experiment) -> SliceDataModule:
    """Make the batches of an experiment."""
    training = experiment.options.training
    return SliceDataModule(
        experiment.cohort,
        experiment.split,
        experiment.recipe,
        batch_size=training.batch_size,
        augmentation=training.augmentation,
        sequence_dropout=training.sequence_dropout,
        empty_slices=training.empty_slices,
        sampling=training.sampling,
        test_flips=training.test_flips,
        seed=training.seed,
        num_workers=experiment.options.machine.num_workers,
    )


def build_trainer(experiment: Experiment, fitting: bool, step: int = 0) -> tuple[SegmentationModule, pl.Trainer]:
    """Build the module and a trainer: for `fitting`, with checkpoints and with curves from `step`; else to predict."""
    options, folder = experiment.options, experiment.folder
    accelerator, devices = machine.pick_device(options.machine.gpus)
    precision = machine.pick_precision(options.machine.precision, accelerator)
    _quiet()
    pl.seed_everything(options.training.seed, workers=True, verbose=False)
    module = SegmentationModule(
        model=options.model.architecture,
        width=options.model.width,
        in_channels=experiment.recipe.channels,
        recipe=experiment.recipe.to_dict(),
        targets=experiment.cohort.task.targets.to_dict(),
        threshold=options.prediction.threshold,
        cases=len(experiment.cohort),
        learning_rate=options.training.learning_rate,
        optimizer=options.training.optimizer,
        lr_scheduler=options.training.lr_scheduler,
        loss=options.training.loss,
        pos_weight=weights_of_targets(experiment) if fitting else None,
        deep_supervision=options.training.deep_supervision and fitting,
        encoder_weights=options.model.encoder_weights if fitting else "none",
        arguments=options.model.model_arguments,
    )
    cases = cases_of(experiment.cohort, experiment.recipe)
    if isinstance(cases, PreparedCases):
        module.restore_with(cases.restore, experiment.cohort.labels)
    if machine.prefers_channels_last(accelerator, precision, has_batch_norm(module.model)):
        module.arrange(torch.channels_last)
    if accelerator == "cuda":
        module.model.compile()
    on_terminal = sys.stderr.isatty()
    loggers, remembering = open_loggers(options.training.loggers, folder.path, step, settings_of(options))
    trainer = pl.Trainer(
        accelerator=accelerator,
        devices=devices,
        precision=precision,  # type: ignore[arg-type]
        max_epochs=options.training.num_epochs,
        gradient_clip_val=options.training.gradient_clip or None,
        callbacks=[*_callbacks(experiment, say=not on_terminal), *remembering] if fitting else [],
        logger=loggers if fitting else False,
        plugins=[WholeFiles()],
        enable_checkpointing=fitting,
        enable_progress_bar=on_terminal,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        log_every_n_steps=5,
        use_distributed_sampler=False,
    )
    return module, trainer


def _callbacks(experiment: Experiment, say: bool) -> list[pl.Callback]:
    folder, training = experiment.folder, experiment.options.training
    callbacks: list[pl.Callback] = [EpochTable(folder.metrics, experiment.name, say), Pace(), ValidationImages()]
    if training.early_stopping:
        callbacks.append(EarlyStopping("dice/val", mode="max", patience=training.early_stopping, check_finite=False))
    return callbacks + checkpoints(folder.best.parent)


def _quiet() -> None:
    """Silence what Lightning tells its developers, not our users."""
    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module=r"pytorch_lightning\..*")
