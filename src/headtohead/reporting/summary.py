"""What the results table of a comparison says, before it is laid out: its numbers and its footnotes."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from headtohead.cohort.cohort import LGG
from headtohead.cohort.made_up import made_up_cases
from headtohead.reporting.entrant_names import in_words, listed, schedule_order
from headtohead.reporting.unequal import unequal_settings
from headtohead.runs.ledger import Ledger
from headtohead.runs.run import BASELINE, Run
from headtohead.scoring.counts import FAILED_BELOW, mean_dice
from headtohead.scoring.lesions import size_in_words
from headtohead.statistics.intervals import Interval, MedianInterval, mean_interval, median_interval
from headtohead.statistics.matrix import entrant_name, holds_lesion, score_matrix
from headtohead.statistics.trainings import trainings, with_seeds
from headtohead.statistics.without_lesion import scores_without_lesion, without_lesion_table

FEW_CASES = 30

Cell = tuple[str, str]  # schedule, model


@dataclass(frozen=True)
class Row:
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
        without_lesion: by entrant, what it did on the cases without a lesion; empty where every case has one.
        gaps: (schedule, model) -> why there is no number: failed or unfinished.
        baseline: the threshold on FLAIR, if it was scored.
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
    without_lesion: pd.DataFrame
    gaps: dict[Cell, str]
    baseline: Interval | None
    sequence: str
    rows: list[Row]
    footnotes: list[str]


def summarise(ledger: Ledger) -> Summary:
    """Work out the table of a comparison from its ledger."""
    counted, cases = ledger.counted, ledger.comparable
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
        without_lesion=without_lesion_table(scores_without_lesion(cases)),
        gaps=gaps,
        baseline=baseline,
        sequence="the image" if _volumes(ledger) else "FLAIR",
        rows=[_row(run, ledger.tables[run.name], run in counted) for run in ledger.finished],
        footnotes=footnotes_of(ledger) + [note for note in warnings_of(ledger) if note not in one_training(ledger)],
    )


def _cell(run: Run) -> Cell:
    return str(run.experiment["schedule"]), str(run.experiment["model"])


def _without_scores(ledger: Ledger) -> list[tuple[Run, str]]:
    named = [(run, "unfinished") for run in ledger.unfinished] + [(run, "failed") for run in ledger.failed]
    return [(run, ledger.partial[run.entrant]) for run in ledger.finished if run.entrant in ledger.partial] + named


def _row(run: Run, table: pd.DataFrame, counted: bool) -> Row:
    scores = table.loc[holds_lesion(table), "dice"].to_numpy(float)
    return Row(
        name=run.name if counted else f"{run.name} (left out)",
        parameters=run.record.get("parameters"),
        mean=mean_dice(scores),
        median=float(np.median(scores)) if scores.size else float("nan"),
        failed=int(np.sum(scores < FAILED_BELOW)),
        epochs=run.record.get("epochs"),
        best_epoch=run.record.get("best_epoch"),
        seconds=run.record.get("seconds"),
    )


def warnings_of(ledger: Ledger) -> list[str]:
    """What a reader must know before any number, one paragraph each."""
    notes = (
        _made_up(ledger)
        + one_training(ledger)
        + _leak(ledger)
        + _partial(ledger)
        + unequal_settings(ledger)
        + _few(ledger)
    )
    return [" ".join(note.split()) for note in notes]


def footnotes_of(ledger: Ledger) -> list[str]:
    """Everything else that a number of the table does not say by itself, one paragraph each."""
    notes = [_what_is_shown(ledger)] if ledger.finished else ["No experiment is finished yet."]
    notes += _several_seeds(ledger) + _volumes(ledger) + _uneven_seeds(ledger)
    notes += _without_lesion(ledger) + _how_counted(ledger)
    notes += _no_leak(ledger)
    for run in ledger.failed:
        notes.append(f"{run.name} failed: {run.record.get('error') or 'no reason is recorded'}")
    if ledger.unfinished:
        names = ", ".join(run.name for run in ledger.unfinished)
        notes.append(f"Not finished: {names}; rerun the same command to resume.")
    notes += [f"{note}." for note in ledger.notes]
    return [" ".join(note.split()) for note in notes]  # an error's message may have lines of its own


def _what_is_shown(ledger: Ledger) -> str:
    runs = [run for run in ledger.counted if run.experiment["model"] != BASELINE]
    thresholds = ", ".join(sorted({str(run.record.get("threshold")) for run in runs}))
    at_threshold = f", threshold {thresholds}" if runs else ""
    seeds = sorted({run.experiment["seed"] for run in runs if not run.is_ensemble})
    averaged = f" Seeds {', '.join(map(str, seeds))} are averaged within a case first." if len(seeds) > 1 else ""
    and_seeds = ", widened by the seeds" if len(seeds) > 1 else ""
    return (
        f"Mean Dice per case (3-D, all test slices of a case together, on the source grid{at_threshold}) with its 95 % "
        f"interval (BCa bootstrap over cases{and_seeds}); n = {_number_of(ledger, lesion=True)} test cases.{averaged}"
    )


def one_training(ledger: Ledger) -> list[str]:
    """Say of which entrants there is one training only, on which no sentence about a model can rest."""
    seeds = _seeds(ledger)
    once = [in_words(f"{model} {schedule}") for (schedule, model), found in seeds.items() if len(found) == 1]
    if not once:
        return []
    who = "Every model was" if len(once) == len(seeds) else f"{listed(once)}: each was"
    return [
        f"ONE SEED: {who} trained once, and a training is a draw: another seed may end elsewhere. One seed supports no "
        "sentence about the models; what is said is about these trainings on these cases. Several seeds "
        "(--seeds 0,1,2) would support more (Bouthillier et al. 2021, arXiv:2103.03098)."
    ]


def _seeds(ledger: Ledger) -> dict[Cell, set[int]]:
    """The seeds of each entrant that was trained."""
    seeds: dict[Cell, set[int]] = {}
    for run in ledger.counted:
        if run.experiment["model"] != BASELINE and not run.is_ensemble:
            seeds.setdefault(_cell(run), set()).add(run.experiment["seed"])
    return seeds


def _several_seeds(ledger: Ledger) -> list[str]:
    """What the numbers of several seeds hold, and what the ensembles are."""
    numbers = {len(found) for found in _seeds(ledger).values()}
    if max(numbers, default=1) < 2:
        return []
    folds = (
        " A seed counts as one draw with all its folds, since these share training data and first weights "
        "(Nadeau and Bengio 2003, doi:10.1023/A:1024068626366)."
        if ledger.folds > 1
        else ""
    )
    few = " Two seeds tell little of their own spread, and the intervals are wide: train three." * (2 in numbers)
    ensembles = (
        " An ensemble averages the probabilities of the seeds, fold by fold. It is a single draw: it has no seed SD, "
        "and its interval is over cases only."
        if any(run.is_ensemble for run in ledger.counted)
        else ""
    )
    return [
        "Seed SD is the standard deviation over seeds of the mean over cases. With several seeds, the intervals of "
        "means and of mean differences are over cases and seeds; those of medians, subgroups and ranks over cases "
        f"only.{folds}{few}{ensembles}"
    ]


def _number_of(ledger: Ledger, lesion: bool) -> int:
    """How many test cases have a lesion, or have none."""
    cases = ledger.comparable
    return int(cases.loc[holds_lesion(cases) == lesion, "case"].nunique())


def _without_lesion(ledger: Ledger) -> list[str]:
    healthy = _number_of(ledger, lesion=False)
    if not healthy:
        return []
    return [
        f"{healthy} further test {'case has' if healthy == 1 else 'cases have'} no lesion and so no Dice: they "
        "are scored apart, left alone or not."
    ]


def _how_counted(ledger: Ledger) -> list[str]:
    """What lesion counts and surface distances of results.csv mean, where there are any."""
    columns = ledger.comparable.columns
    units = [unit for unit in ("px", "mm") if f"hd95_{unit}" in columns]
    if not units or "lesions" not in columns:
        return []
    steps = " A step between slices counts as one pixel in hd95 and surface Dice." if units == ["px"] else ""
    return [
        f"Lesions, and false components, are connected components of {size_in_words(units[0])}; smaller ones are "
        f"neither.{steps} A lesion of which nothing was predicted has surface Dice 0 and the volume's diagonal as hd95."
    ]


def _volumes(ledger: Ledger) -> list[str]:
    data = ledger.finished[0].record.get("data") if ledger.finished else None
    if not isinstance(data, dict) or data.get("kind", LGG) == LGG:
        return []
    return [
        "The data are volumes with one mask each: lesion means whatever the masks mark, "
        f"{BASELINE} is a threshold on the only image, and distances are in mm."
    ]


def _uneven_seeds(ledger: Ledger) -> list[str]:
    seeds = _seeds(ledger)
    if len({frozenset(found) for found in seeds.values()}) < 2:
        return []
    named = "; ".join(
        f"{in_words(f'{model} {schedule}')}: {', '.join(map(str, sorted(found)))}"
        for (schedule, model), found in seeds.items()
    )
    return [f"The means are not over the same seeds ({named})."]


def _split(ledger: Ledger) -> dict[str, Any]:
    split = ledger.finished[0].record.get("split") if ledger.finished else None
    return split if isinstance(split, dict) else {}


def _made_up(ledger: Ledger) -> list[str]:
    # Runs from before run.json said so are known by the names of their cases.
    said = any(run.fact("data", "made_up") for run in ledger.finished)
    if not said and not made_up_cases(case for table in ledger.tables.values() for case in table["case"]):
        return []
    return [
        "MADE-UP PATIENTS: these images were drawn by --make_phantoms. The scores show that the program works; they "
        "say nothing about real patients, nor about which model is better on them."
    ]


def _leak(ledger: Ledger) -> list[str]:
    split = _split(ledger)
    leaking = split.get("leaking_patients") or 0
    if split.get("kind") != "slice" and not leaking:
        return []
    return [
        f"LEAK: split by {split.get('kind')}, so {leaking} patients are in training and also in validation or "
        "test. These scores tell how well further slices of known patients are segmented, not new patients."
    ]


def _no_leak(ledger: Ledger) -> list[str]:
    split = _split(ledger)
    if not split or _leak(ledger):
        return []
    how = f"{ledger.folds}-fold cross-validation" if ledger.folds > 1 else "Split"
    return [f"{how} by {split.get('kind')} (seed {split.get('seed')}): no patient is in both training and test."]


def _partial(ledger: Ledger) -> list[str]:
    notes = [
        f"{in_words(f'{model} {schedule}')} is left out: {_lacks(ledger, (model, schedule), finished)}."
        f"{_why(ledger, (model, schedule), None)}"
        for (model, schedule), finished in ledger.partial.items()
    ]
    for entrant, seeds in ledger.incomplete.items():
        kept = sorted({run.experiment["seed"] for run in ledger.counted if run.entrant == entrant}, key=str)
        if kept:
            name = in_words(" ".join(entrant))
            notes += [
                f"{name} counts only seed {', '.join(map(str, kept))}: seed {seed} is left out because "
                f"{count} of its {ledger.folds} folds are finished.{_why(ledger, entrant, seed)}"
                for seed, count in seeds.items()
            ]
    return notes


def _lacks(ledger: Ledger, entrant: tuple[str, str], finished: str) -> str:
    """Say what an entrant lacks. Several seeds may well cover every case between them; none does so alone."""
    seeds = ledger.incomplete[entrant]
    if len(seeds) == 1:
        return f"{finished} are finished, so it was not scored on every case"
    counts = ", ".join(f"seed {seed}: {count}" for seed, count in seeds.items())
    return f"no seed has all its {ledger.folds} folds ({counts})"


def _why(ledger: Ledger, entrant: tuple[str, str], seed: Any) -> str:
    """Name the runs that an entrant, or one seed of it, lacks, and what became of them."""
    lacking = [run for run in (*ledger.failed, *ledger.unfinished) if run.entrant == entrant]
    lacking = [run for run in lacking if seed is None or run.experiment["seed"] == seed]
    said = [
        f"{run.name} failed ({run.record.get('error') or 'no reason is recorded'})"
        if run.status == "failed"
        else f"{run.name} is not finished"
        for run in lacking
    ]
    return f" {'; '.join(said)}." if said else ""


def _few(ledger: Ledger) -> list[str]:
    intervals = [mean_interval(scores) for _, scores in score_matrix(ledger.comparable).items()]
    fewest = min((interval.n for interval in intervals), default=FEW_CASES)
    if fewest >= FEW_CASES:
        return []
    half_widths = [(interval.high - interval.low) / 2 for interval in intervals if interval.high >= interval.low]
    width = f" (up to ±{max(half_widths):.2f})" if half_widths else ""
    return [
        f"Only {fewest} test case{'' if fewest == 1 else 's'}: the intervals are wide{width} and probably still too "
        "narrow, and models with similar scores cannot be ranked by this table."
    ]
