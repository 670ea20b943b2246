"""One experiment: train a model under a schedule and a seed, go on where it was killed, score it on its test cases."""

import logging
import math
import shutil
import sys
import time
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from headtohead import machine
from headtohead import options as option_table
from headtohead.batches.datamodule import SliceDataModule
from headtohead.batches.recipe import InputRecipe
from headtohead.batches.splits import Split, make_split
from headtohead.cohort import Cohort, open_cohort
from headtohead.comparing.provenance import now, provenance
from headtohead.errors import UserError
from headtohead.learning.callbacks import EpochTable, checkpoints
from headtohead.learning.checkpoint import read_checkpoint
from headtohead.learning.module import SegmentationModule
from headtohead.models.registry import MODELS, check_image_size
from headtohead.options import Options
from headtohead.reporting.tensorboard import RunLogger, ValidationImages, write_hparams
from headtohead.runs.folder import RunFolder
from headtohead.saving import atomic_path
from headtohead.scoring.counts import CaseCounts

machine.mend_torchvision()

import pytorch_lightning as pl  # noqa: E402  imports torchvision
from pytorch_lightning.callbacks import EarlyStopping  # noqa: E402

PLACES = ("root_dir", "cache_dir", "runs_dir", "output", "comparison", "run_name")
WITHOUT_EFFECT = frozenset((*PLACES, "models", "schedules", "seeds", "gpus", "num_workers"))
"""Options that may differ between two commands on one run folder: they do not change what is learned.

The data itself is compared by its key, wherever it lies.
"""


@dataclass(frozen=True)
class Experiment:
    """One training under its options, and the data it sees."""

    options: Options
    cohort: Cohort
    split: Split
    recipe: InputRecipe

    @property
    def name(self) -> str:
        """Name of the run folder."""
        model, training = self.options.model, self.options.training
        own = f"{model.model}-{training.lr_scheduler}-s{training.seed}-f0"
        return self.options.comparison.run_name or own

    @property
    def folder(self) -> RunFolder:
        """Where its results go."""
        comparison = self.options.comparison
        return RunFolder(Path(comparison.runs_dir) / comparison.comparison / self.name)

    @property
    def identity(self) -> dict[str, Any]:
        """Model, schedule, seed and fold: its place in the table."""
        training = self.options.training
        return {
            "model": self.options.model.model,
            "schedule": training.lr_scheduler,
            "seed": training.seed,
            "fold": 0,
            "name": self.name,
        }


def prepare(options: Options, cohort: Cohort | None = None) -> Experiment:
    """Open the data, split it and settle the input recipe.

    Raises:
        UserError: the data set is missing or damaged, or the image size does not suit the model.
    """
    check_image_size(options.model.model, options.input.image_size)
    cohort = cohort or open_cohort(Path(options.data.root_dir), Path(options.data.cache_dir))
    split = make_split(cohort, options.data.split, options.data.split_seed)
    recipe = InputRecipe(options.input.image_size, options.input.normalise, options.input.neighbours)
    return Experiment(options, cohort, split, recipe)


def train(options: Options) -> Path:
    """Carry out `--train`: train one experiment, or say that it is trained. Returns the run folder."""
    machine.pick_device(options.machine.gpus)
    experiment = prepare(options)
    print(experiment.split.describe(experiment.cohort))
    with experiment.folder.held(wait=True):
        run_training(experiment)
    return experiment.folder.path


def test(options: Options) -> Path:
    """Carry out `--test`: score the best checkpoint of one experiment. Returns the run folder."""
    machine.pick_device(options.machine.gpus)
    experiment = prepare(options)
    with experiment.folder.held(wait=True):
        run_test(experiment)
    score, cases = experiment.folder.record()["test_dice"], experiment.split.cases(experiment.cohort, "test")
    said = "undefined" if score is None else f"{score:.3f}"
    print(f"{experiment.name}: mean Dice per case on {len(cases)} test cases {said}")
    return experiment.folder.path


def run_training(experiment: Experiment) -> None:
    """Train, or go on from last.ckpt, or do nothing where the training is done. The caller holds the folder.

    Raises:
        UserError: the folder holds a run made under other options or data, which is kept.
    """
    folder, options = experiment.folder, experiment.options
    if options.comparison.overwrite and folder.path.exists():
        shutil.rmtree(folder.path)
    refuse_other_run(experiment)
    if folder.record().get("status") in ("trained", "finished"):
        print(f"{experiment.name}: already trained, kept (--overwrite trains it again)")
        return
    resumed = folder.last.is_file()
    if resumed:
        read_checkpoint(folder.last)  # refuses a damaged one in a line
    module, trainer = _build(experiment, fitting=True)  # may refuse a setting; nothing is written before
    folder.path.mkdir(parents=True, exist_ok=True)
    folder.write_config(settings_of(options))
    experiment.split.write(experiment.cohort, folder.split)
    facts = provenance(experiment.cohort, experiment.split, experiment.recipe, options.comparison.comparison)
    folder.note(
        **facts,
        status="running",
        experiment=experiment.identity,
        seed=options.training.seed,
        threshold=options.prediction.threshold,
        device=str(trainer.strategy.root_device),
        precision=str(trainer.precision),
        parameters=sum(weight.numel() for weight in module.model.parameters() if weight.requires_grad),
        started=folder.record().get("started") or now(),
        error=None,
    )
    clock, before = time.monotonic(), folder.record().get("seconds", 0.0) if resumed else 0.0
    last = str(folder.last) if resumed else None
    try:
        trainer.fit(module, _batches(experiment), ckpt_path=last, weights_only=True)
    except Exception as fault:
        folder.note(status="failed", error=f"{type(fault).__name__}: {fault}".splitlines()[0], ended=now())
        raise
    finally:
        folder.note(seconds=round(before + time.monotonic() - clock, 1))
    best = read_checkpoint(folder.best)["epoch"]
    best_dice = pd.read_csv(folder.metrics)["val_dice"].get(best)
    folder.note(
        status="trained", epochs=trainer.current_epoch, best_epoch=best + 1, best_val_dice=best_dice, ended=now()
    )


def run_test(experiment: Experiment) -> None:
    """Score the best checkpoint on the test cases and finish the run folder. The caller holds the folder.

    Raises:
        UserError: nothing is trained here, or under other options or data.
    """
    folder = experiment.folder
    refuse_other_run(experiment)
    record = folder.record()
    if record.get("status") not in ("trained", "finished"):
        raise UserError(f"--test: {folder.path} holds no trained model; add --train")
    module, trainer = _build(experiment, fitting=False)
    module.load_state_dict(read_checkpoint(folder.best)["state_dict"])
    trainer.test(module, _batches(experiment), verbose=False)
    counts = CaseCounts(len(experiment.cohort))
    counts.counts[:] = module.counts.rows.cpu().numpy()
    with atomic_path(folder.cases) as temporary:
        counts.rows(experiment.cohort.table).to_csv(temporary, index=False)
    score = counts.mean_dice()
    write_hparams(folder.path, settings_of(experiment.options), score)
    folder.note(status="finished", test_dice=None if math.isnan(score) else score, ended=now())


def refuse_other_run(experiment: Experiment) -> None:
    """Keep a run folder from being mixed with a run of other options or data under the same name.

    Raises:
        UserError: names the first difference.
    """
    folder = experiment.folder
    mend = "choose another --run_name or --comparison, or --overwrite it"
    before, here = folder.read_config(), settings_of(experiment.options)
    for key in here.keys() & before.keys() - WITHOUT_EFFECT:
        if before[key] != here[key]:
            raise UserError(f"{folder.path}: made with --{key} {before[key]}, now {here[key]}; {mend}")
    record = folder.record()
    facts = {
        "data": (record.get("data", {}).get("key"), experiment.cohort.key),
        "split": (record.get("split", {}).get("key"), experiment.split.key),
    }
    for name, (then, today) in facts.items():
        if then is not None and then != today:
            raise UserError(f"{folder.path}: made from another {name} ({then[:8]}, now {today[:8]}); {mend}")


def settings_of(options: Options) -> dict[str, Any]:
    """List the options a run is made with; not those that would throw it away or only speak about errors."""
    return {name: value for name, value in option_table.flat(options).items() if name not in ("overwrite", "debug")}


def _batches(experiment: Experiment) -> SliceDataModule:
    training = experiment.options.training
    return SliceDataModule(
        experiment.cohort,
        experiment.split,
        experiment.recipe,
        batch_size=training.batch_size,
        augmentation=training.augmentation,
        sequence_dropout=training.sequence_dropout,
        empty_slices=training.empty_slices,
        seed=training.seed,
        num_workers=experiment.options.machine.num_workers,
    )


def _build(experiment: Experiment, fitting: bool) -> tuple[SegmentationModule, pl.Trainer]:
    options, folder = experiment.options, experiment.folder
    accelerator, devices = machine.pick_device(options.machine.gpus)
    precision = machine.pick_precision(options.machine.precision, accelerator)
    _quiet()
    pl.seed_everything(options.training.seed, workers=True, verbose=False)
    module = SegmentationModule(
        model=options.model.model,
        width=options.model.width,
        in_channels=experiment.recipe.channels,
        recipe=experiment.recipe.to_dict(),
        threshold=options.prediction.threshold,
        cases=len(experiment.cohort),
        learning_rate=options.training.learning_rate,
        optimizer=options.training.optimizer,
        lr_scheduler=options.training.lr_scheduler,
        encoder_weights=options.model.encoder_weights if fitting else "none",
    )
    if machine.prefers_channels_last(accelerator, precision, MODELS[options.model.model].batch_norm):
        module.arrange(torch.channels_last)
    if accelerator == "cuda":
        module.model.compile()
    on_terminal = sys.stderr.isatty()
    trainer = pl.Trainer(
        accelerator=accelerator,
        devices=devices,
        precision=precision,  # type: ignore[arg-type]
        max_epochs=options.training.num_epochs,
        gradient_clip_val=options.training.gradient_clip or None,
        callbacks=_callbacks(experiment, say=not on_terminal) if fitting else [],
        logger=RunLogger(folder.path) if fitting else False,
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
    callbacks: list[pl.Callback] = [EpochTable(folder.metrics, experiment.name, say), ValidationImages()]
    if training.early_stopping:
        callbacks.append(EarlyStopping("dice/val", mode="max", patience=training.early_stopping))
    return callbacks + checkpoints(folder.best.parent)


def _quiet() -> None:
    """Silence what Lightning tells its developers, not our users."""
    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module=r"pytorch_lightning\..*")
