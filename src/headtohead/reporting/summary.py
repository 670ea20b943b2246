"""What the results table of a comparison says, before it is drawn: its cells, and the notes beside them."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from headtohead.options.comparison import baselines, is_baseline
from headtohead.readers.sequence_names import sequence_title
from headtohead.reporting.entrant_names import in_words, schedule_in_words, schedule_order
from headtohead.reporting.notes.footnotes import footnotes_of
from headtohead.reporting.notes.seeds import one_training
from headtohead.reporting.notes.warnings import warnings_of
from headtohead.runs.ledger import Ledger
from headtohead.runs.run import Run
from headtohead.scoring.counts import FAILED_BELOW, mean_dice
from headtohead.statistics.decimals import with_decimals
from headtohead.statistics.matrix import entrant_name, holds_lesion
from headtohead.statistics.means import sum_up
from headtohead.statistics.targets import TARGET, each_target, over_targets
from headtohead.statistics.without_lesion import sum_up_without_lesion

NOTHING = "–"
Grid = list[list[str]]  # the first line is the header; with no other, the table has nothing to say


@dataclass(frozen=True)
class Summary:
    """The results table of a comparison.

    Attributes:
        about: what stands before the table: whether it is about models or about single trainings.
        means: mean Dice: rows schedule, columns model; the baseline, which is no model, in a column of its own.
        by_target: Dice of each of several targets: rows entrants, columns targets; one column where it is one.
        others: further tables by their titles.
        footnotes: what a reader must know, one paragraph each.
    """

    title: str
    about: str
    means: Grid
    by_target: Grid
    others: dict[str, Grid]
    footnotes: list[str]

    @property
    def titled(self) -> dict[str, Grid]:
        """All tables by their titles, the mean Dice first."""
        first = {f"{self.title}: mean Dice per case": self.means}
        return first | {"Mean Dice per case, target by target": self.by_target} | self.others


def summarise(ledger: Ledger) -> Summary:
    """Work out the table of a comparison from its ledger."""
    tested, about = ledger.comparable, one_training(ledger)
    means = sum_up(over_targets(tested))
    return Summary(
        title=ledger.folder.name,
        about=" ".join(about),
        means=_score_grid(ledger, means),
        by_target=_target_grid({target: sum_up(rows) for target, rows in each_target(tested).items() if target}, means),
        others={
            f"Cases without a {'target' if TARGET in tested else 'lesion'}": _without_lesion_grid(tested),
            "Each training": _run_grid(ledger),
        },
        footnotes=footnotes_of(ledger) + [note for note in warnings_of(ledger) if note not in about],
    )


def summarise_scores(title: str, cases: pd.DataFrame, footnotes: list[str]) -> Summary:
    """Work out the table of scores that were computed elsewhere, rows as in cases.csv without counts."""
    means = sum_up(over_targets(cases))
    ends = ("minimum", "maximum")
    grid = [["entrant", "cases", "mean", "median", "lowest to highest"]]
    for name, row in means.iterrows():
        span = " to ".join(with_decimals(row[end]) for end in ends)
        grid.append([str(name), f"{row['n']:.0f}", _estimate(row), _estimate(row, "median_"), span])
    by_target = {target: sum_up(rows) for target, rows in each_target(cases).items() if target}
    return Summary(title, "", grid, _target_grid(by_target, means), {}, footnotes)


def _score_grid(ledger: Ledger, means: pd.DataFrame) -> Grid:
    cells = {cell for run in ledger.counted if not is_baseline((cell := _cell(run))[1])}
    gaps = {cell: word for run, word in _without_scores(ledger) if (cell := _cell(run)) not in cells}
    cells |= {cell for cell in gaps if not is_baseline(cell[1])}
    models = sorted({model for _, model in cells})
    thresholds = baselines(means.index)
    beside = [NOTHING] * len(thresholds)
    grid = [["schedule", *models, *["no model"] * len(beside)]]
    for schedule in sorted({schedule for schedule, _ in cells}, key=schedule_order):
        names = {model: entrant_name(model, schedule) for model in models}
        rows = {model: means.loc[name] for model, name in names.items() if name in means.index}
        medians = {model: _estimate(row, "median_") for model, row in rows.items()}
        several = {model: row for model, row in rows.items() if row["seeds"] >= 2}
        sds = {model: f"{row['seed_sd']:.4f} ({row['seeds']:.0f} seeds)" for model, row in several.items()}
        spans = {model: [row["minimum"], row["maximum"]] for model, row in rows.items()}
        ranges = {
            model: " to ".join(map(with_decimals, ends)) for model, ends in spans.items() if not math.isnan(ends[0])
        }
        estimates = {model: gaps[schedule, model] for model in models if (schedule, model) in gaps}
        estimates |= {model: _estimate(row) for model, row in rows.items()}
        lines = {"": estimates, ", median": medians, ", seed SD": sds, ", lowest to highest": ranges}
        for kind, line in lines.items():
            if line or kind != ", seed SD":
                numbers = [line.get(model, NOTHING) for model in models]
                grid.append([schedule_in_words(schedule) + kind, *numbers, *beside])
    for name in thresholds:
        sequence = "the image" if ledger.task.unnamed else sequence_title(ledger.task.primary)
        grid.append([f"threshold on {sequence}", *[NOTHING] * len(models), _estimate(means.loc[name])])
    return grid


def _cell(run: Run) -> tuple[str, str]:
    return str(run.experiment["schedule"]), str(run.experiment["model"])


def _without_scores(ledger: Ledger) -> list[tuple[Run, str]]:
    """The runs of which the table has no number, and why."""
    named = [(run, "unfinished") for run in ledger.unfinished] + [(run, "failed") for run in ledger.failed]
    return [(run, ledger.partial[run.entrant]) for run in ledger.finished if run.entrant in ledger.partial] + named


def _target_grid(by_target: dict[str, pd.DataFrame], means: pd.DataFrame) -> Grid:
    grid = [["entrant", *by_target]]
    if by_target and len(means):
        grid += [[in_words(one), *(_estimate(own.loc[one]) for own in by_target.values())] for one in means.index]
        grid.append(["cases", *(str(own["n"].iloc[0]) for own in by_target.values())])
    return grid


def _without_lesion_grid(tested: pd.DataFrame) -> Grid:
    """What each entrant did on the cases without a lesion; the header alone where every case has one."""
    found = sum_up_without_lesion(tested)
    in_ml = bool(len(found)) and bool(found["false_ml_mean"].notna().all())
    kind, unit = ("false_ml", "ml") if in_ml else ("false_voxels", "voxels")
    columns = ["entrant", "cases", "left alone", "specificity", f"false {unit} per case, mean", "median"]
    grid = [["without"] * (TARGET in found) + [*columns, "lowest to highest"]]
    for row in found.to_dict("records"):
        mean, median, low, high = (f"{row[f'{kind}_{size}']:,.4g}" for size in ("mean", "median", "minimum", "maximum"))
        share = estimate_in_words(row["specificity"], row["low"], row["high"])
        alone = f"{row['left_alone']:.3g}"
        which = [str(row[TARGET])] if TARGET in row else []
        grid.append([*which, in_words(row["entrant"]), str(row["n"]), alone, share, mean, median, f"{low} to {high}"])
    return grid


def _run_grid(ledger: Ledger) -> Grid:
    """One row per finished experiment; a dash where a training has no such number."""
    grid = [["experiment", "parameters", "mean", "median", f"cases below {FAILED_BELOW:g}"]]
    grid[0] += ["epochs", "best epoch", "seconds"]
    for run in (run for run in ledger.finished if not run.is_given):
        table = over_targets(ledger.tables[run.name])
        scores = table.loc[holds_lesion(table), "dice"].to_numpy(float)
        median = float(np.median(scores)) if scores.size else math.nan
        name = run.name if run in ledger.counted else f"{run.name} (left out)"
        line = [name, _recorded(run, "parameters", lambda count: f"{count / 1e6:.1f} M")]
        line += [_number(mean_dice(scores)), _number(median), str(int(np.sum(scores < FAILED_BELOW)))]
        line += [_recorded(run, "epochs", str), _recorded(run, "best_epoch", str)]
        grid.append([*line, _recorded(run, "seconds", "{:.0f}".format)])
    return grid


def _recorded(run: Run, key: str, write: Callable[[Any], str]) -> str:
    value = run.record.get(key)
    return NOTHING if value is None else write(value)


def _estimate(found: pd.Series, of: str = "") -> str:
    """A mean, or with `median_` a median, with its interval."""
    return estimate_in_words(found[of.rstrip("_") or "mean"], found[f"{of}low"], found[f"{of}high"])


def estimate_in_words(value: float, low: float, high: float) -> str:
    """`0.823 [0.794, 0.849]` with the decimals that the interval carries; the value alone where there is none."""
    if math.isnan(low):
        return _number(value)
    mean, *ends = (with_decimals(each, low, high) for each in (value, low, high))
    return f"{mean} [{', '.join(ends)}]"


def _number(value: float) -> str:
    return "undefined" if math.isnan(value) else with_decimals(value)
