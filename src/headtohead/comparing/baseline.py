"""The baseline's run folder: a threshold on FLAIR, beside the trained models and scored on the same test cases."""

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from headtohead.batches.splits import Split
from headtohead.cohort import FLAIR, Cohort
from headtohead.runs.ledger import BASELINE
from headtohead.saving import atomic_path, write_json
from headtohead.scoring.baseline import fit_threshold, flair_histograms, score_threshold

NORMALISE = "inner"


def run_baseline(cohort: Cohort, split: Split, comparison_folder: Path, provenance: dict[str, Any]) -> Path:
    """Fit the threshold on the training slices, score it on the test slices and write its run folder.

    It takes seconds, so it is done anew by every comparison and never goes stale.

    Args:
        cohort: the data.
        split: the comparison's split.
        comparison_folder: `runs/<comparison>`; the run folder is made below it.
        provenance: what run.json says of every run of the comparison, as `provenance.provenance` gives it.

    Returns:
        The run folder, with cases.csv and run.json as a trained model has them.

    Raises:
        UserError: if no training case has a lesion.
    """
    started = datetime.now(UTC)
    clock = time.perf_counter()
    statistics = cohort.statistics(NORMALISE)[:, FLAIR]
    threshold = fit_threshold(flair_histograms(cohort, split.train), statistics)
    counts = score_threshold(flair_histograms(cohort, split.test), statistics, threshold)

    folder = comparison_folder / BASELINE
    with atomic_path(folder / "cases.csv") as temporary:
        counts.rows(cohort.table).to_csv(temporary, index=False)
    # Last, because a status of "finished" promises that cases.csv is there.
    record = {
        **provenance,
        "status": "finished",
        "experiment": {"model": BASELINE, "schedule": "-", "seed": None, "fold": 0, "name": BASELINE},
        "threshold": threshold,
        "threshold_unit": f"FLAIR of the inner head above the case's centre, in its scales ({NORMALISE} statistics)",
        "seconds": round(time.perf_counter() - clock, 3),
        "started": started.isoformat(timespec="seconds"),
        "ended": datetime.now(UTC).isoformat(timespec="seconds"),
        "error": None,
    }
    write_json(folder / "run.json", record)
    return folder
