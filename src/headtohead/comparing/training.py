"""Train one experiment, resume it if it was interrupted, score it on its test cases."""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from headtohead import machine
from headtohead.comparing.costs import cost_of_net, cost_of_training
from headtohead.comparing.experiment import (
    Experiment,
    as_trained,
    made_since,
    open_experiment,
    refuse_other_run,
    settings_of,
    trained_model,
)
from headtohead.comparing.external import other_cohort, test_elsewhere
from headtohead.comparing.keeping import keep_model
from headtohead.comparing.lone_slices import refuse_lone_slice
from headtohead.comparing.model_settings import with_own_settings
from headtohead.comparing.outcome import outcome, scores_in_words
from headtohead.comparing.provenance import now, provenance
from headtohead.comparing.starting import start_training
from headtohead.comparing.trainer import batches_of, build_trainer
from headtohead.comparing.weights_of_targets import named_weights
from headtohead.errors import UserError
from headtohead.learning.callbacks import val_dice_of
from headtohead.learning.checkpoint import network_weights, read_checkpoint
from headtohead.learning.module import SegmentationModule
from headtohead.learning.pace import PaceOfTest
from headtohead.learning.recording import CaseRecorder
from headtohead.options.flags import as_flags
from headtohead.options.table import Options
from headtohead.options.training import TENSORBOARD
from headtohead.records.regular import UnreadableError
from headtohead.records.table_reader import read_table
from headtohead.reporting.rewriting import write_row
from headtohead.reporting.tensorboard import write_hparams, write_pr_curves
from headtohead.runs.holding import comparison_held
from headtohead.saving import remove_folder
from headtohead.scoring.protocol import PROTOCOL, same_predictions

if TYPE_CHECKING:
    import pytorch_lightning as pl


def train(options: Options) -> Path:
    """Carry out `--train`: train one experiment, or say that it is trained. Returns the run folder."""
    machine.pick_device(options.machine.gpus)
    experiment = open_experiment(with_own_settings(options, options.model.architecture))
    print(experiment.split.describe(experiment.cohort))
    before = experiment.folder.made()
    with experiment.folder.held(wait=True):
        run_training(experiment, before)
    return experiment.folder.path


def test(options: Options) -> Path:
    """Carry out `--test`: score the best checkpoint of one experiment, then the table. Returns the run folder.

    On other data than the run's own it is an external test, whose folder is returned.
    """
    machine.pick_device(options.machine.gpus)
    if (cohort := other_cohort(options)) is not None:
        return test_elsewhere(options, cohort)
    if options.comparison.overwrite and not options.verbs.train:
        raise UserError("`overwrite`: a test of the run's own data replaces the earlier one as it is; leave it out")
    experiment = open_experiment(as_trained(with_own_settings(options, trained_model(options))))
    with experiment.folder.held(wait=True):
        run_test(experiment)
    print(f"{experiment.name}: {scores_in_words(pd.read_csv(experiment.folder.cases))}")
    write_row(experiment.folder.path)
    return experiment.folder.path


def run_training(experiment: Experiment, before: tuple[Any, ...] | None = None) -> None:
    """Train, or resume from last.ckpt, or do nothing where the training is done. The caller holds the folder.

    `before` is how the folder was made when the command began: --overwrite spares what was trained since.

    Raises:
        UserError: the folder holds a run made under other options or data, which is kept.
    """
    folder, options = experiment.folder, experiment.options
    anew = options.comparison.overwrite and not (before is not None and made_since(experiment, before))
    if not anew:
        refuse_other_run(experiment)
        if folder.record().get("status") in ("trained", "finished"):
            print(f"{experiment.name}: already trained, kept (--overwrite trains it again)")
            return
    resumed = folder.last.is_file() and not anew
    step = read_checkpoint(folder.last)["global_step"] if resumed else 0  # refuses a damaged one in a line
    # What may refuse a setting comes before anything is removed or written.
    refuse_lone_slice(experiment)
    module, trainer = build_trainer(experiment, fitting=True, step=step)
    started = start_training(experiment, module, resumed)
    if anew and folder.path.exists():
        with comparison_held(folder.path.parent):  # a report may be reading it
            remove_folder(folder.path)
    if weights := named_weights(experiment, module.hparams["pos_weight"]):
        print(f"{experiment.name}: pos_weight {', '.join(f'{weight:g} ({name})' for name, weight in weights.items())}")
    _note_start(experiment, module, trainer, started)
    try:
        trainer.fit(module, batches_of(experiment), ckpt_path=str(folder.last) if resumed else None, weights_only=True)
    except Exception as fault:
        folder.note_failure(
            status="failed", error=as_flags(f"{type(fault).__name__}: {fault}").splitlines()[0], ended=now()
        )
        raise
    _note_end(experiment, trainer)
    keep_model(experiment)


def _note_start(
    experiment: Experiment, module: SegmentationModule, trainer: "pl.Trainer", started: dict[str, Any]
) -> None:
    """Make the run folder, and note what is about to be trained."""
    folder, options = experiment.folder, experiment.options
    folder.path.mkdir(parents=True, exist_ok=True)
    folder.write_config(settings_of(options))
    experiment.split.write(experiment.cohort, folder.split)
    facts = provenance(experiment.cohort, experiment.split, experiment.recipe, options.comparison.home.name)
    folder.note(
        **facts,
        **started,
        status="running",
        experiment=experiment.identity,
        seed=options.training.seed,
        **({"net": dict(experiment.net)} if experiment.net else {}),
        threshold=options.prediction.threshold,
        batch_size=options.training.batch_size,
        learning_rate=options.training.learning_rate,
        loss=options.training.loss,
        pos_weight=options.training.pos_weight,
        sampling=options.training.sampling,
        deep_supervision=options.training.deep_supervision,
        pos_weights=named_weights(experiment, module.hparams["pos_weight"]),
        test_flips=options.training.test_flips,
        **({"test_postprocessing": str(experiment.clean_up)} if experiment.clean_up else {}),
        device=str(trainer.strategy.root_device),
        precision=str(trainer.precision),
        parameters=module.learned(),
        **cost_of_net(module.model, experiment.recipe.channels, experiment.recipe.image_size),
        started=folder.record().get("started") or now(),
        error=None,
    )


def _note_end(experiment: Experiment, trainer: "pl.Trainer") -> None:
    """Note what was trained."""
    folder = experiment.folder
    best = read_checkpoint(folder.best)["epoch"]
    try:
        table = read_table(folder.metrics)
        dice = [name for name in table if name.startswith("val_dice")]
        table = table.astype(dict.fromkeys((*dice, "val_dice", "seconds"), float))
    except (UnreadableError, ValueError, LookupError) as fault:
        raise UserError(f"{folder.metrics}: damaged ({fault}); train again with `overwrite`") from fault
    best_dice = table["val_dice"].get(best, math.nan)
    names = experiment.cohort.task.targets.names
    each = {name: table[column].get(best, math.nan) for name in names if (column := val_dice_of(name)) in table}
    folder.note(
        status="trained",
        epochs=trainer.current_epoch,
        best_epoch=best + 1,
        best_val_dice=_known(best_dice),
        **({"best_val_dice_of_targets": {name: _known(dice) for name, dice in each.items()}} if each else {}),
        # Of all epochs, whatever commands they ran under.
        seconds=round(table["seconds"].sum(), 1),
        **cost_of_training(trainer),
        ended=now(),
    )


def _known(score: float) -> float | None:
    return None if math.isnan(score) else float(score)


def run_test(experiment: Experiment) -> None:
    """Score the best checkpoint on the test cases and finish the run folder. The caller holds the folder.

    Raises:
        UserError: nothing is trained here, or under other options or data.
    """
    folder = experiment.folder
    refuse_other_run(experiment, trains=False)
    record = folder.record()
    if record.get("status") not in ("trained", "finished"):
        raise UserError(f"`test`: {folder.path} holds no trained model; add `train`")
    module, trainer = build_trainer(experiment, fitting=False)
    module.model.load_state_dict(network_weights(read_checkpoint(folder.best), folder.best))
    with outcome(folder, experiment.cohort, experiment.split, experiment.clean_up) as found:
        testing = PaceOfTest()
        module.recorder = CaseRecorder(testing.spare(found.add))
        trainer.test(module, batches_of(experiment), verbose=False)
        pace = testing.slices_per_second(len(experiment.split.test))
    scores = found.facts()
    score = math.nan if scores["test_dice"] is None else scores["test_dice"]
    if TENSORBOARD in experiment.options.training.loggers:
        write_hparams(folder.path, settings_of(experiment.options), score)
        write_pr_curves(folder.path, dict(zip(experiment.cohort.task.targets.names, found.histograms, strict=True)))
    keep_model(experiment)
    if same_predictions(record.get("protocol")):
        folder.note(protocol=PROTOCOL)  # trained and predicted as now, and now scored as now
    folder.note(status="finished", **scores, test_slices_per_second=pace, tested=now())
