"""What the results table of a comparison says, before it is laid out: its numbers, and the notes beside them."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from headtohead.options.comparison import BASELINE
from headtohead.readers.sequence_names import sequence_title
from headtohead.reporting.entrant_names import schedule_order
from headtohead.reporting.notes.footnotes import footnotes_of
from headtohead.reporting.notes.seeds import one_training
from headtohead.reporting.notes.warnings import warnings_of
from headtohead.runs.ledger import Ledger
from headtohead.runs.run import Run
from headtohead.scoring.counts import FAILED_BELOW, mean_dice
from headtohead.statistics.intervals import Interval, MedianInterval, mean_interval, median_interval
from headtohead.statistics.matrix import entrant_name, holds_lesion, score_matrix
from headtohead.statistics.targets import TARGET, each_target, over_targets, sum_up_without_lesion
from headtohead.statistics.trainings import trainings, with_seeds

Cell = tuple[str, str]  # schedule, model


@dataclass(frozen=True)
class Training:
    """One experiment in the second table; None where a training has no such number."""

    name: str
    parameters: int | None
    mean: float
    median: float
    failed: int
    epochs: int | None
    best_epoch: int | None
    seconds: float | None


@dataclass(frozen=True)
class Summary:
    """The numbers and footnotes of a comparison.

    Attributes:
        title: name of the comparison.
        schedules: rows of the main table.
        models: its columns.
        cells: (schedule, model) -> interval of the mean Dice per case, seeds averaged within each case first.
        medians: the same of the median, the baseline's among them.
        seed_sds: number of seeds and the SD over seeds of the mean over cases, where there are several.
        about: what stands before the table: whether it is about models or about single trainings.
        ranges: the lowest and the highest Dice of a case, the baseline's among them.
        by_target: of several targets, entrant -> target -> interval of its mean Dice over the cases that hold it.
        without_lesion: by entrant, what it did on the cases without a lesion; empty where every case has one.
        gaps: (schedule, model) -> why there is no number: failed or unfinished.
        baseline: the threshold on the primary sequence, if it was scored.
        sequence: what that threshold is on.
        rows: one per finished experiment.
        footnotes: what a reader must know, one paragraph each.
    """

    title: str
    schedules: list[str]
    models: list[str]
    cells: dict[Cell, Interval]
    medians: dict[Cell, MedianInterval]
    seed_sds: dict[Cell, tuple[int, float]]
    about: str
    ranges: dict[Cell, tuple[float, float]]
    by_target: dict[str, dict[str, Interval]]
    without_lesion: pd.DataFrame
    gaps: dict[Cell, str]
    baseline: Interval | None
    sequence: str
    rows: list[Training]
    footnotes: list[str]


def summarise(ledger: Ledger) -> Summary:
    """Work out the table of a comparison from its ledger."""
    counted, tested = ledger.counted, ledger.comparable
    cases = over_targets(tested)
    matrix = score_matrix(cases)
    trained = trainings(cases, "dice", holds_lesion(cases)).reindex(matrix.columns)
    seed_sds: dict[Cell, tuple[int, float]] = {}
    cells: dict[Cell, Interval] = {}
    medians: dict[Cell, MedianInterval] = {}
    ranges: dict[Cell, tuple[float, float]] = {}
    for schedule, model in sorted(set(zip(cases["schedule"], cases["model"], strict=True))):
        scores = matrix[entrant_name(model, schedule)]
        training = trained.loc[entrant_name(model, schedule)]
        cells[schedule, model] = with_seeds(mean_interval(scores), training, fraction=True)
        medians[schedule, model] = median_interval(scores)
        if training["seeds"] > 1:
            seed_sds[schedule, model] = (int(training["seeds"]), float(training["seed_sd"]))
        ranges[schedule, model] = (float(scores.min()), float(scores.max()))
    baseline = next((interval for (_, model), interval in cells.items() if model == BASELINE), None)
    cells = {cell: interval for cell, interval in cells.items() if cell[1] != BASELINE}
    gaps = {cell: word for run, word in _without_scores(ledger) if (cell := _cell(run)) not in cells}
    gaps = {cell: word for cell, word in gaps.items() if cell[1] != BASELINE}
    return Summary(
        title=ledger.folder.name,
        schedules=sorted({schedule for schedule, _ in cells | gaps}, key=schedule_order),
        models=sorted({model for _, model in cells | gaps}),
        cells=cells,
        medians=medians,
        seed_sds=seed_sds,
        about=" ".join(one_training(ledger)),
        ranges=ranges,
        by_target=_by_target(tested),
        without_lesion=sum_up_without_lesion(tested),
        gaps=gaps,
        baseline=baseline,
        sequence="the image" if ledger.task.unnamed else sequence_title(ledger.task.primary),
        rows=[_row(run, ledger.tables[run.name], run in counted) for run in ledger.finished],
        footnotes=footnotes_of(ledger) + [note for note in warnings_of(ledger) if note not in one_training(ledger)],
    )


def _by_target(tested: pd.DataFrame) -> dict[str, dict[str, Interval]]:
    found: dict[str, dict[str, Interval]] = {}
    for target, rows in each_target(tested).items() if TARGET in tested else ():
        trained = trainings(rows, "dice", holds_lesion(rows))
        for entrant, scores in score_matrix(rows).items():
            interval = with_seeds(mean_interval(scores), trained.loc[str(entrant)], fraction=True)
            found.setdefault(str(entrant), {})[target] = interval
    return found


def _cell(run: Run) -> Cell:
    return str(run.experiment["schedule"]), str(run.experiment["model"])


def _without_scores(ledger: Ledger) -> list[tuple[Run, str]]:
    named = [(run, "unfinished") for run in ledger.unfinished] + [(run, "failed") for run in ledger.failed]
    return [(run, ledger.partial[run.entrant]) for run in ledger.finished if run.entrant in ledger.partial] + named


def _row(run: Run, table: pd.DataFrame, counted: bool) -> Training:
    table = over_targets(table)
    scores = table.loc[holds_lesion(table), "dice"].to_numpy(float)
    return Training(
        name=run.name if counted else f"{run.name} (left out)",
        parameters=run.record.get("parameters"),
        mean=mean_dice(scores),
        median=float(np.median(scores)) if scores.size else float("nan"),
        failed=int(np.sum(scores < FAILED_BELOW)),
        epochs=run.record.get("epochs"),
        best_epoch=run.record.get("best_epoch"),
        seconds=run.record.get("seconds"),
    )
