"""The grid of a comparison: every model under every schedule, seed and fold, one after the other."""

import traceback
from contextlib import ExitStack, suppress
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from headtohead import machine
from headtohead.batches.folds import Folds, read_folds
from headtohead.cohort import Cohort, open_data
from headtohead.comparing.baseline import baseline_name, run_baseline
from headtohead.comparing.ensemble import run_ensembles
from headtohead.comparing.experiment import Experiment, folds_of, made_since, open_experiment, refuse_other_run
from headtohead.comparing.lone_slices import refuse_lone_slice
from headtohead.comparing.model_settings import check_models, own_settings
from headtohead.comparing.own_loss import ALIKE
from headtohead.comparing.provenance import provenance, split_facts
from headtohead.comparing.starting import refuse_start
from headtohead.comparing.trainer import build_trainer
from headtohead.comparing.training import run_test, run_training
from headtohead.comparing.variants import variants_of
from headtohead.disk_faults import line_of
from headtohead.errors import UserError
from headtohead.learning.losses.registry import find_loss
from headtohead.models.registry import find_spec
from headtohead.options import table as option_table
from headtohead.options.comparison import GRID
from headtohead.options.flags import as_flags
from headtohead.options.table import Options, RunOptions
from headtohead.reporting.margin import margin_of
from headtohead.reporting.rescoring import rescore
from headtohead.reporting.rewriting import write_reports
from headtohead.reporting.tensorboard import write_layout
from headtohead.runs.agreement import refuse_unlike
from headtohead.runs.finding import READY
from headtohead.runs.folder import DamagedRecordError
from headtohead.runs.holding import comparison_held
from headtohead.runs.ledger import FOLD_FILE
from headtohead.runs.reading import read_ledger
from headtohead.scoring.baseline import primary_histograms


def experiments_of(options: RunOptions, folds: int = 1) -> list[RunOptions]:
    """List the options of every experiment of the grid: model by model, fold by fold.

    Raises:
        UserError: an unknown model, or a setting of one model that cannot be.
    """
    check_models(options.comparison, options.input.image_size)
    wanted, weight = options.comparison, options.training.pos_weight
    entrants = [("", model, own_settings(wanted.model_settings, model)) for model in wanted.models]
    entrants += variants_of(wanted, options.input.image_size)
    grid = []
    for (name, model, own), schedule, seed, fold in product(entrants, wanted.schedules, wanted.seeds, range(folds)):
        spec = find_spec(model, "`models`")
        changes = {
            "model": model,
            "entrant": name,
            "lr_scheduler": schedule,
            "seed": seed,
            "fold": fold,
            "comparison": wanted.comparison or GRID,
            "run_name": "",
            # What a model has no use for must not stop the others of the grid.
            "width": options.model.width if spec.width else 0,
            "model_arguments": (),
            "encoder_weights": options.model.encoder_weights if spec.encoder else "none",
            "deep_supervision": options.training.deep_supervision and spec.deep_supervision,
            "pos_weight": weight if find_loss(own.get("loss", options.training.loss)).weighs else ALIKE,
            **own,
        }
        grid.append(option_table.replace(options, **changes))
    return grid


def compare(options: Options) -> Path:
    """Carry out the grid: the no-learning baseline, then train and score what is not finished, then the table.

    Where there are several seeds, their ensembles are scored before the table is made. Gives the comparison's folder.

    A finished experiment is kept, a killed one goes on, one that fails is recorded and the others go on. One that
    another process is training is left to it, and waited for at the end; even with --overwrite, what another process
    finished under the same options since this one began is not made again.

    Raises:
        UserError: before anything is trained, if a setting or a run folder does not fit; after the table is
            written, if an experiment failed.
    """
    machine.pick_device(options.machine.gpus)
    data = options.data
    cohort = open_data(data)
    folds = folds_of(data, cohort)
    experiments = [open_experiment(own, cohort, folds) for own in experiments_of(options, len(folds) if folds else 1)]
    first = experiments[0]
    folder = first.folder.path.parent
    facts = provenance(cohort, first.split, first.recipe, folder.name)
    before = {experiment.name: experiment.folder.made() for experiment in experiments}
    _refuse_misfits(experiments, facts, options.comparison.overwrite)
    for experiment in experiments:
        refuse_start(experiment, lambda one: build_trainer(one, fitting=False)[0])
        if not experiment.recipe.whole and not _is_trained(experiment):  # volumes are prepared by their own training
            refuse_lone_slice(experiment)
    with comparison_held(folder):
        if folds:
            keep_folds(folds, folder / FOLD_FILE, cohort, options.comparison.overwrite)
        _run_baselines(experiments, facts)

    failures = _carry_out_all(experiments, before)
    not_averaged = run_ensembles(experiments)
    write_reports(folder, cohort, options.comparison.case_gifs, margin=margin_of(options))
    if all(failures):
        raise UserError(f"`compare`: every experiment failed; the first error: {failures[0]}")
    write_layout(folder, cohort.task.targets.names)
    print(f"curves: tensorboard --logdir {folder}")
    if failed := [reason for reason in failures if reason]:
        raise UserError(
            f"`compare`: {len(failed)} of {len(experiments)} experiments failed; the first error: {failed[0]}; "
            "rerun the same command to try them again"
        )
    if not_averaged:
        raise UserError(
            f"`compare`: the seeds were not averaged: {not_averaged[0]}; rerun the same command to try again"
        )
    return folder


def _is_trained(experiment: Experiment) -> bool:
    kept = not experiment.options.comparison.overwrite
    try:
        return kept and experiment.folder.record().get("status") in READY
    except DamagedRecordError:  # it fails by itself, and the others go on
        return True


def _refuse_misfits(experiments: list[Experiment], facts: dict[str, Any], overwrite: bool) -> None:
    """Refuse a grid that does not fit the runs of its comparison that stay; old runs are first scored as of now."""
    if not overwrite:
        for experiment in experiments:
            with suppress(DamagedRecordError):  # it fails by itself, and the others go on
                refuse_other_run(experiment)
    folder = experiments[0].folder.path.parent
    replaced = {experiment.name for experiment in experiments} if overwrite else set()
    replaced |= {baseline_name(one.split, one.cohort.task, folder) for one in experiments}
    repeats = {
        (one.identity["model"], one.identity["schedule"]): {"recipe": one.recipe.to_dict(), "net": dict(one.net)}
        for one in experiments
    }
    if folder.is_dir():
        with comparison_held(folder):
            faults = rescore(read_ledger(folder, without=replaced, agreeing=False), experiments[0].cohort)
        for fault in faults.values():
            raise UserError(fault)
        refuse_unlike(read_ledger(folder, without=replaced), facts, repeats)


def keep_folds(folds: Folds, path: Path, cohort: Cohort, overwrite: bool) -> None:
    """Write the table of folds beside the runs, unless another one lies there.

    Raises:
        UserError: the table that is there is another one, or none; it is kept.
    """
    if path.is_file() and not overwrite and read_folds(path, cohort, folds.seed).key != folds.key:
        raise UserError(
            f"{path}: holds other folds than the options ask for; use it with `fold_file`, or add `overwrite`"
        )
    folds.write(path)


def _run_baselines(experiments: list[Experiment], facts: dict[str, Any]) -> None:
    """Score the baseline on every split of the grid. With folds, all slices are counted once for all of them."""
    cohort, folder = experiments[0].cohort, experiments[0].folder.path.parent
    counted = primary_histograms(cohort, np.arange(cohort.n_slices)) if experiments[0].split.plan else None
    for split in {experiment.split.key: experiment.split for experiment in experiments}.values():
        print(split.describe(cohort))
        run_baseline(cohort, split, folder, facts | {"split": split_facts(cohort, split)}, counted)


def _carry_out_all(experiments: list[Experiment], before: dict[str, tuple[Any, ...]]) -> list[str | None]:
    """Train and score the experiments, last those that another process held; give why each failed, as `_carry_out`."""
    failures = [_carry_out(experiment, before[experiment.name], wait=False) for experiment in experiments]
    for place, experiment in enumerate(experiments):
        if failures[place] is None:
            print(f"{experiment.name}: another process is working on it; waiting")
            failures[place] = _carry_out(experiment, before[experiment.name], wait=True)
    return failures


def _note_failure(experiment: Experiment, reason: str) -> None:
    """Record why an experiment failed. Where that fails, too, the others go on all the same."""
    trained = experiment.folder.record_if_sound().get("status") == "trained"
    status = "trained" if trained else "failed"
    experiment.folder.note_failure(status=status, experiment=experiment.identity, error=reason)


def _carry_out(experiment: Experiment, before: tuple[Any, ...], wait: bool) -> str | None:
    """Train and score one experiment; `before` is how its folder was made when the command began.

    Gives why it failed, in a line; empty if it is finished; None if another process holds it and we do not wait.
    """
    with ExitStack() as stack:
        try:
            held = stack.enter_context(experiment.folder.held(wait))
        except OSError as fault:  # no room for the lock
            return f"{line_of(fault) or fault}"
        if not held:
            return None
        overwrite = experiment.options.comparison.overwrite and not made_since(experiment, before)
        try:
            if not overwrite:
                refuse_other_run(experiment)
        except UserError as difference:
            # Made by another command while this one waited: theirs, so nothing is written into it.
            return str(difference)
        if not overwrite and experiment.folder.record().get("status") == "finished":
            print(f"{experiment.name}: finished, kept")
            return ""
        try:
            run_training(experiment, before)
            run_test(experiment)
        except Exception as fault:
            if experiment.options.machine.debug:
                traceback.print_exc()
            reason = as_flags(fault) if isinstance(fault, UserError) else f"{type(fault).__name__}: {fault}"
            reason = reason.splitlines()[0]
            print(f"{experiment.name}: FAILED: {reason}")
            _note_failure(experiment, reason)
            return reason
    return ""
