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
from headtohead.statistics.matrix import holds_lesion
from headtohead.statistics.means import sum_up
from headtohead.statistics.targets import each_target, over_targets, sum_up_without_lesion

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
        means: by entrant, as `means.sum_up` gives them, the baseline's among them.
        about: what stands before the table: whether it is about models or about single trainings.
        by_target: the same of each of several targets, over the cases that hold it.
        without_lesion: by entrant, what it did on the cases without a lesion; empty where every case has one.
        gaps: (schedule, model) -> why there is no number: failed or unfinished.
        sequence: what the baseline's threshold is on.
        rows: one per finished experiment.
        footnotes: what a reader must know, one paragraph each.
    """

    title: str
    schedules: list[str]
    models: list[str]
    means: pd.DataFrame
    about: str
    by_target: dict[str, pd.DataFrame]
    without_lesion: pd.DataFrame
    gaps: dict[Cell, str]
    sequence: str
    rows: list[Training]
    footnotes: list[str]


def summarise(ledger: Ledger) -> Summary:
    """Work out the table of a comparison from its ledger."""
    counted, tested = ledger.counted, ledger.comparable
    cells = {_cell(run) for run in counted if run.entrant[0] != BASELINE}
    gaps = {cell: word for run, word in _without_scores(ledger) if (cell := _cell(run)) not in cells}
    gaps = {cell: word for cell, word in gaps.items() if cell[1] != BASELINE}
    return Summary(
        title=ledger.folder.name,
        schedules=sorted({schedule for schedule, _ in cells | gaps.keys()}, key=schedule_order),
        models=sorted({model for _, model in cells | gaps.keys()}),
        means=sum_up(over_targets(tested)),
        about=" ".join(one_training(ledger)),
        by_target={target: sum_up(rows) for target, rows in each_target(tested).items() if target},
        without_lesion=sum_up_without_lesion(tested),
        gaps=gaps,
        sequence="the image" if ledger.task.unnamed else sequence_title(ledger.task.primary),
        rows=[_row(run, ledger.tables[run.name], run in counted) for run in ledger.finished],
        footnotes=footnotes_of(ledger) + [note for note in warnings_of(ledger) if note not in one_training(ledger)],
    )


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
