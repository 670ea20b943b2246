"""The grid of a comparison: every model under every schedule and seed, one after the other, on one split."""

import traceback
from itertools import product
from pathlib import Path

from headtohead import machine
from headtohead import options as option_table
from headtohead.cohort import open_cohort
from headtohead.comparing.baseline import run_baseline
from headtohead.comparing.experiment import Experiment, prepare, refuse_other_run, run_test, run_training
from headtohead.comparing.provenance import provenance
from headtohead.errors import UserError
from headtohead.models.registry import find_spec
from headtohead.options import Options
from headtohead.reporting.curves import write_curves
from headtohead.reporting.table import print_table, write_table


def experiments_of(options: Options) -> list[Options]:
    """List the options of every experiment of the grid, model by model."""
    wanted = options.comparison
    grid = []
    for model, schedule, seed in product(wanted.models, wanted.schedules, wanted.seeds):
        spec = find_spec(model)
        changes = {
            "model": model,
            "lr_scheduler": schedule,
            "seed": seed,
            "run_name": "",
            # What a model has no use for must not stop the others of the grid.
            "width": options.model.width if spec.width else 0,
            "encoder_weights": options.model.encoder_weights if spec.encoder else "none",
        }
        grid.append(option_table.replace(options, **changes))
    return grid


def compare(options: Options) -> Path:
    """Carry out the grid: train and score what is not finished, then the no-learning baseline.

    A finished experiment is kept, a killed one goes on, one that fails is recorded and the others go on. One that
    another process is training is left to it, and waited for at the end.

    Returns:
        The folder of the comparison.

    Raises:
        UserError: before anything is trained, if a setting or a run folder does not fit; after all, if every
            experiment failed.
    """
    machine.pick_device(options.machine.gpus)
    cohort = open_cohort(Path(options.data.root_dir), Path(options.data.cache_dir))
    experiments = [prepare(own, cohort) for own in experiments_of(options)]
    if not options.comparison.overwrite:
        for experiment in experiments:
            refuse_other_run(experiment)
    first = experiments[0]
    print(first.split.describe(cohort))
    folder = first.folder.path.parent
    run_baseline(
        cohort, first.split, folder, provenance(cohort, first.split, first.recipe, options.comparison.comparison)
    )

    busy = [experiment for experiment in experiments if not _carry_out(experiment, wait=False)]
    for experiment in busy:
        print(f"{experiment.name}: another process is at it; waiting")
        _carry_out(experiment, wait=True)
    write_table(folder)
    print_table(folder)
    if all(experiment.folder.record().get("status") == "failed" for experiment in experiments):
        raise UserError(
            f"--compare: all {len(experiments)} experiments failed; the first: {first.folder.record()['error']}"
        )
    write_curves(folder)
    print(f"curves: tensorboard --logdir {folder}")
    return folder


def _carry_out(experiment: Experiment, wait: bool) -> bool:
    """Train and score one experiment; False if another process holds it."""
    with experiment.folder.held(wait) as held:
        if not held:
            return False
        if experiment.folder.record().get("status") == "finished" and not experiment.options.comparison.overwrite:
            print(f"{experiment.name}: finished, kept")
            return True
        try:
            run_training(experiment)
            run_test(experiment)
        except Exception as fault:
            if experiment.options.machine.debug:
                traceback.print_exc()
            reason = str(fault) if isinstance(fault, UserError) else f"{type(fault).__name__}: {fault}"
            experiment.folder.note(status="failed", experiment=experiment.identity, error=reason.splitlines()[0])
            print(f"{experiment.name}: FAILED, {reason.splitlines()[0]}")
    return True
