"""The baseline's run folder: a threshold on the primary sequence, beside the models and on the same test cases."""

import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from headtohead.batches.splits import Split
from headtohead.cohort import Cohort
from headtohead.comparing.outcome import outcome
from headtohead.comparing.provenance import now
from headtohead.options.comparison import baseline_on
from headtohead.readers.sequence_names import sequence_title
from headtohead.readers.tasks import EARLIER_BASELINE
from headtohead.runs.folder import RunFolder
from headtohead.saving import write_json
from headtohead.scoring.baseline import Histograms, apply_threshold, fit_thresholds, primary_histograms
from headtohead.task import Task

NORMALISE = "inner"


def run_baseline(
    cohort: Cohort,
    split: Split,
    comparison_folder: Path,
    provenance: dict[str, Any],
    counted: Sequence[Histograms] | None = None,
) -> Path:
    """Fit a threshold for each target on the training slices, score it on the test slices and write the run folder.

    It takes seconds, so it is repeated by every comparison and never goes stale. The run folder, which is given, has
    cases.csv and run.json as a trained model has them. Where a split by patient is one of many, `counted` are
    histograms of all slices of the cohort, so that no fold reads its training slices again.

    Raises:
        UserError: no training case has a lesion.
    """
    started, clock = now(), time.perf_counter()
    statistics = cohort.statistics(NORMALISE)[:, cohort.task.primary_channel]
    thresholds = fit_thresholds(_training_histograms(cohort, split, counted), statistics)
    targets = cohort.task.targets

    model, name = baseline_on(cohort.task.primary), baseline_name(split, cohort.task, comparison_folder)
    folder = RunFolder(comparison_folder / name)
    with outcome(folder, cohort, split) as found:
        for case in split.cases(cohort, "test"):
            places = found.tested(case)
            grey, inner = cohort.primary(case)[places], cohort.inner_heads(case)[places]
            over = np.stack([apply_threshold(grey, inner, statistics[case], one) for one in thresholds])
            found.add(int(case), targets.encode(targets.decode(over)))
    sequence = sequence_title(cohort.task.primary)
    unit = f"{sequence} of the inner head above the case's centre, in its scales ({NORMALISE} statistics)"
    # Last, because a status of "finished" promises that cases.csv is there.
    record = {
        **provenance,
        "status": "finished",
        "experiment": {"model": model, "schedule": "-", "seed": None, "fold": split.fold, "name": name},
        **_recorded(thresholds, targets.names),
        "threshold_unit": unit,
        "seconds": round(time.perf_counter() - clock, 3),
        "started": started,
        "ended": now(),
        "error": None,
    }
    folder.record_if_sound()
    write_json(folder.path / "run.json", record)
    return folder.path


def _recorded(thresholds: list[float], names: tuple[str, ...]) -> dict[str, Any]:
    """What run.json says of the thresholds; None for a target that no training case has."""
    if len(thresholds) == 1:
        return {"threshold": thresholds[0]}
    return {"thresholds": {n: None if math.isinf(one) else one for n, one in zip(names, thresholds, strict=True)}}


def _training_histograms(cohort: Cohort, split: Split, counted: Sequence[Histograms] | None) -> tuple[Histograms, ...]:
    if counted is not None and split.kind == "patient":
        cases = split.cases(cohort, "train")
        return tuple(one.of_cases(cases) for one in counted)
    return primary_histograms(cohort, split.train)


def baseline_name(split: Split, task: Task, comparison_folder: Path) -> str:
    """Name of the baseline's run folder under a split; one that an earlier version made keeps its name."""
    ending = f"-f{split.fold}" if split.folds > 1 else ""
    earlier = f"{EARLIER_BASELINE}{ending}"
    return earlier if (comparison_folder / earlier).is_dir() else f"{baseline_on(task.primary)}{ending}"
