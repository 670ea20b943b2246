"""The seeds of one model and schedule as an entrant of its own: their probabilities are averaged and scored again.

Nothing is trained. An ensemble has a run folder as other runs have, but no checkpoint, so that it is never taken for a
trained model; its run.json names the members. It is scored anew where the members changed: seeds that were added, or a
member that was trained again.
"""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headtohead.comparing.experiment import Experiment
from headtohead.comparing.outcome import outcome
from headtohead.comparing.provenance import now, provenance
from headtohead.comparing.trainer import batches_of, build_trainer
from headtohead.learning.averaging import AveragedNets
from headtohead.learning.checkpoint import network_weights, read_checkpoint
from headtohead.learning.recording import CaseRecorder
from headtohead.models.forms import folder_part
from headtohead.options.flags import as_flags
from headtohead.runs.folder import RunFolder
from headtohead.runs.reading import read_ledger
from headtohead.runs.run import Run, ensemble_schedule
from headtohead.scoring.protocol import PROTOCOL

if TYPE_CHECKING:
    import torch

LOSS = ("loss", "pos_weight", "deep_supervision", "sampling")
OF_MEMBERS = ("threshold", "batch_size", "learning_rate", "epochs", "test_flips", *LOSS)
"""What run.json says of the training of its members."""


def run_ensembles(experiments: list[Experiment]) -> list[str]:
    """Score an ensemble for each model, schedule and fold of which two seeds or more have all their folds.

    Seeds of earlier commands on the comparison are members too. An ensemble that another process is scoring is waited
    for, and kept where its members are these. Gives why each of those failed that did, a line each.
    """
    ledger = read_ledger(experiments[0].folder.path.parent)
    failed = []
    for one in {_place(experiment): experiment for experiment in experiments}.values():
        entrant = one.identity["model"], one.identity["schedule"]
        members = [
            run
            for run in ledger.counted
            if (run.entrant, run.experiment["fold"]) == (entrant, one.split.fold)
            and RunFolder(run.folder).best.is_file()
        ]
        if len(members) < 2:
            continue
        try:
            _run_ensemble(one, sorted(members, key=lambda run: run.experiment["seed"]))
        except Exception as fault:  # one that cannot be scored must not stop the others, nor the report
            if away := [run.name for run in members if not RunFolder(run.folder).best.is_file()]:
                name = ensemble_folder(one).path.name
                print(f"{name}: left to the command that trains {' and '.join(away)} again, with --overwrite")
                continue
            reason = " ".join(as_flags(fault).split()) or type(fault).__name__
            failed.append(f"{ensemble_folder(one).path.name}: {reason}")
            print(f"FAILED: {failed[-1]}")
            ensemble_folder(one).record_if_sound()
            ensemble_folder(one).note(status="failed", error=failed[-1])
    return failed


def ensemble_folder(experiment: Experiment) -> RunFolder:
    """Say where the ensemble of an experiment's seeds is: beside them."""
    identity = experiment.identity
    name = f"{folder_part(identity['model'])}-{identity['schedule']}-ensemble-f{experiment.split.fold}"
    return RunFolder(experiment.folder.path.parent / name)


def _place(experiment: Experiment) -> tuple[Any, ...]:
    return tuple(experiment.identity[key] for key in ("model", "schedule", "fold"))


def _run_ensemble(experiment: Experiment, members: list[Run]) -> None:
    """Score the members' mean probability on the test cases of their fold, where that is not done yet."""
    folder = ensemble_folder(experiment)
    with folder.held(wait=True):
        made_from = {run.name: run.fact("ended") for run in members}
        record = folder.record_if_sound()
        same = (record.get("members"), record.get("protocol")) == (made_from, PROTOCOL)
        if record.get("status") == "finished" and same:
            print(f"{folder.path.name}: finished, kept")
            return
        print(f"{folder.path.name}: averaging {', '.join(made_from)}")
        folder.path.mkdir(parents=True, exist_ok=True)
        facts = provenance(
            experiment.cohort, experiment.split, experiment.recipe, experiment.options.comparison.home.name
        )
        clock, first = time.perf_counter(), members[0].record
        folder.note(
            **facts,
            **{name: first.get(name) for name in OF_MEMBERS},
            **({"test_postprocessing": str(experiment.clean_up)} if experiment.clean_up else {}),
            status="running",
            experiment={
                "model": experiment.identity["model"],
                "schedule": ensemble_schedule(experiment.identity["schedule"], len(members)),
                "seed": None,
                "fold": experiment.split.fold,
                "name": folder.path.name,
            },
            members=made_from,
            parameters=sum(run.record.get("parameters") or 0 for run in members),
            started=now(),
            error=None,
        )
        scores = _score(experiment, members, folder)
        folder.note(status="finished", **scores, test_seconds=round(time.perf_counter() - clock, 1), ended=now())


def _score(experiment: Experiment, members: list[Run], folder: RunFolder) -> dict[str, Any]:
    """Write the scores and masks of the ensemble; give what run.json says of its scores."""
    module, trainer = build_trainer(experiment, fitting=False)
    weights = [_weights(RunFolder(run.folder).best) for run in members]
    module.model = AveragedNets(module.model, weights, module.targets.kind)
    with outcome(folder, experiment.cohort, experiment.split, experiment.clean_up) as found:
        module.recorder = CaseRecorder(found.add)
        trainer.test(module, batches_of(experiment), verbose=False)
    return found.facts()


def _weights(checkpoint: Path) -> "dict[str, torch.Tensor]":
    """Leave the weights of a member on disk until they are needed, but refuse a damaged file now."""
    read_checkpoint(checkpoint)
    return network_weights(read_checkpoint(checkpoint, mapped=True), checkpoint)
