"""Everything a comparison found, worked out once from its ledger: tables, figures and the page only show it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from headtohead.options.comparison import BASELINE, MARGIN
from headtohead.records.regular import UnreadableError
from headtohead.reporting.entrant_names import in_words
from headtohead.reporting.evidence import metrics_of, parts_of, slices_of
from headtohead.reporting.notes.footnotes import footnotes_of
from headtohead.reporting.notes.warnings import warnings_of
from headtohead.reporting.table import result_rows
from headtohead.runs.ledger import Ledger
from headtohead.runs.run import Run
from headtohead.scoring.case import UNDEFINED
from headtohead.scoring.conventions import conventions
from headtohead.scoring.counts import FAILED_BELOW
from headtohead.statistics.ensembles import ensemble_pairs, verdict_on_ensembles
from headtohead.statistics.families import all_pairs, secondary_pairs
from headtohead.statistics.further import verdict_on_secondary, verdict_without_lesion
from headtohead.statistics.intervals import mean_interval, median_interval
from headtohead.statistics.matrix import entrant_name, entrants, holds_lesion, score_matrix
from headtohead.statistics.paired import compare_pairs
from headtohead.statistics.ranks import rank_distribution
from headtohead.statistics.subgroups import subgroup_pairs, subgroup_table
from headtohead.statistics.trainings import THIS_TRAINING, TRAINED, trainings, with_seeds, without_ensembles
from headtohead.statistics.verdict import verdict
from headtohead.statistics.without_lesion import (
    pairs_without_lesion,
    scores_without_lesion,
    trainings_without_lesion,
    without_lesion_table,
)

CURVES = ["train_dice", "val_dice", "train_loss", "val_loss", "learning_rate"]
PROVENANCE = ["status", "command", "versions", "hardware", "device", "precision", "git_commit", "data", "split"]
PROVENANCE += ["protocol", "recipe", "threshold", "parameters", "epochs", "seconds", "started", "ended"]
SHUFFLE = 0  # seed
BATCH = 32  # slices, one size for all so that their batch scores can be compared: that of the historical table


@dataclass(frozen=True)
class Findings:
    """The findings of one comparison. An entrant is one model under one schedule, over all its seeds and folds.

    Attributes:
        title: name of the comparison.
        cases: one row a run and test case, all scores: what cases.csv holds.
        matrix: Dice of each case with a lesion (rows) and entrant (columns), seeds averaged within the case; the
            baseline comes last.
        means: by entrant: n, seeds, seed_sd, mean, low, high, median, median_low, median_high, minimum, maximum,
            failed, parameters, seconds, epochs.
        pairs: one row a pair of entrants, Dice, as `statistics.paired.compare_pairs` gives it.
        ensembles: the same of ensembles of seeds, as `statistics.ensembles.ensemble_pairs`.
        secondary: the same of other scores, between models, as `statistics.families.secondary_pairs`.
        without_lesion: by entrant, what it did on cases without a lesion, as `without_lesion.without_lesion_table`.
        healthy_pairs: paired tests on these, as `without_lesion.pairs_without_lesion`.
        ranks: share of bootstrap resamples in which an entrant (row) takes a rank (column); without the baseline.
        scores: mean and median of every score, by entrant: what results.csv holds.
        subgroups: mean Dice by site, lesion size, missing sequence and WHO grade: exploration.
        subgroup_pairs: paired differences in the same parts of the cases: exploration.
        conventions: entrant, convention, score, n, meaning: the same predictions scored as others do.
        slices: counts of every test slice, as `evidence.slices_of` gives them.
        parts: fold, case, part, slices: who trained, validated and tested, as `evidence.parts_of` gives it.
        verdict: what the data support, in words.
        warnings: what a reader must know before any number.
        footnotes: what the numbers do not say by themselves.
        curves: run, entrant, seed, fold, epoch (from 1), train_dice, val_dice, train_loss, val_loss, learning_rate.
        provenance: by run: name, status, command, versions, commit, keys of data and split, times, hardware.
    """

    title: str
    cases: pd.DataFrame
    matrix: pd.DataFrame
    means: pd.DataFrame
    pairs: pd.DataFrame
    ensembles: pd.DataFrame
    secondary: pd.DataFrame
    without_lesion: pd.DataFrame
    healthy_pairs: pd.DataFrame
    ranks: pd.DataFrame
    scores: pd.DataFrame
    subgroups: pd.DataFrame
    subgroup_pairs: pd.DataFrame
    conventions: pd.DataFrame
    slices: pd.DataFrame
    parts: pd.DataFrame
    verdict: str
    warnings: list[str]
    footnotes: list[str]
    curves: pd.DataFrame
    provenance: list[dict[str, Any]]

    @property
    def tested(self) -> pd.DataFrame:
        """The pairs of all families in one table: what pairs.csv holds."""
        return all_pairs(self.pairs, self.secondary, self.healthy_pairs, self.ensembles)


def findings_of(ledger: Ledger, unchecked: Sequence[str] = (), margin: float = MARGIN) -> Findings | None:
    """Work out everything a comparison found.

    A seed of which a fold is missing is left out, and with its last seed the entrant, since they were not scored on
    all cases; the warnings name what was left out, and why.

    Args:
        ledger: of the comparison.
        unchecked: further warnings, of whoever asks.
        margin: the difference in mean Dice that is too small to matter.

    Returns:
        The findings; None where no entrant was scored on every test case.
    """
    cases = ledger.comparable
    if cases.empty:
        return None
    matrix = score_matrix(cases)
    trained = trainings(cases, "dice", holds_lesion(cases)).reindex(matrix.columns)
    models = matrix[without_ensembles(trained)]
    pairs, ensembles = compare_pairs(models, margin, trained=trained), ensemble_pairs(matrix, trained, margin)
    secondary = secondary_pairs(cases[entrants(cases).isin(models.columns)])
    healthy = scores_without_lesion(cases)
    healthy_pairs = pairs_without_lesion(healthy, trained=trainings_without_lesion(cases))
    without_lesion = without_lesion_table(healthy)
    slices = slices_of(ledger)
    name = spoken_names(trained)
    return Findings(
        title=ledger.folder.name,
        cases=cases,
        matrix=matrix,
        means=_means(ledger, matrix, trained),
        pairs=pairs,
        ensembles=ensembles,
        secondary=secondary,
        without_lesion=without_lesion,
        healthy_pairs=healthy_pairs,
        ranks=rank_distribution(models.drop(columns=BASELINE, errors="ignore")),
        scores=result_rows(cases),
        subgroups=subgroup_table(cases),
        subgroup_pairs=subgroup_pairs(cases),
        conventions=_conventions(slices, ledger),
        slices=slices,
        parts=parts_of(ledger),
        verdict=_sentences(
            verdict(models.rename(columns=name), named(pairs, name)),
            verdict_on_ensembles(named(ensembles, name)),
            verdict_on_secondary(named(secondary, name)),
            verdict_without_lesion(
                without_lesion.assign(entrant=without_lesion["entrant"].map(name)), named(healthy_pairs, name)
            ),
        ),
        warnings=warnings_of(ledger) + _without_slices(ledger) + list(unchecked),
        footnotes=footnotes_of(ledger) + _undefined(cases),
        curves=_curves(ledger),
        provenance=[{"name": run.name} | {key: run.record.get(key) for key in PROVENANCE} for run in ledger.finished],
    )


def _sentences(*parts: str) -> str:
    """Put the sentences together; a name at the beginning of one has a capital."""
    text = " ".join(part for part in parts if part)
    return re.sub(rf"(^|\. )({THIS_TRAINING})", lambda found: found[1] + found[2].capitalize(), text)


def spoken_names(trained: pd.DataFrame) -> dict[str, str]:
    """Name each entrant as a sentence of the verdict does: one that was trained once is this training of it."""
    return {
        str(name): (THIS_TRAINING if (row["kind"], row["seeds"]) == (TRAINED, 1) else "") + in_words(str(name))
        for name, row in trained.iterrows()
    }


def named(pairs: pd.DataFrame, names: dict[str, str]) -> pd.DataFrame:
    """Give a table of pairs whose entrants are named in words, as the verdict says them."""
    return pairs.assign(a=pairs["a"].map(names), b=pairs["b"].map(names))


def entrant_of(run: Run) -> str:
    """Name of the entrant a run belongs to, as the columns of the matrix have it."""
    return entrant_name(*run.entrant)


def shown_seed(cases: pd.DataFrame, entrant: str, case: str) -> tuple[int, float] | None:
    """Say of which seed the outlines of a case are, where an entrant has several: of the lowest.

    Args:
        cases: one row a run and test case, as `Findings.cases`.
        entrant: its name.
        case: name of the case.

    Returns:
        That seed, and its own Dice of the case, which is not the mean over seeds; None where there is but one.
    """
    own = cases[(entrants(cases) == entrant) & (cases["case"] == case)]
    if own["seed"].nunique() < 2:
        return None
    first = own.sort_values("seed", kind="stable").iloc[0]
    return int(first["seed"]), float(first["dice"])


def _means(ledger: Ledger, matrix: pd.DataFrame, trained: pd.DataFrame) -> pd.DataFrame:
    rows = {}
    for name, scores in matrix.items():
        mean, median = with_seeds(mean_interval(scores), trained.loc[name], fraction=True), median_interval(scores)
        records = [run.record for run in ledger.counted if entrant_of(run) == name]
        rows[name] = {
            "n": mean.n,
            "seeds": trained.loc[name, "seeds"],
            "seed_sd": trained.loc[name, "seed_sd"],
            "mean": mean.mean,
            "low": mean.low,
            "high": mean.high,
            "median": median.median,
            "median_low": median.low,
            "median_high": median.high,
            "minimum": scores.min(),
            "maximum": scores.max(),
            "failed": int((scores < FAILED_BELOW).sum()),
            "parameters": records[0].get("parameters"),
            "seconds": sum(record.get("seconds") or 0 for record in records) or None,
            "epochs": max((record.get("epochs") or 0 for record in records), default=0) or None,
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis(index="entrant")


def _conventions(slices: pd.DataFrame, ledger: Ledger) -> pd.DataFrame:
    """Each entrant's predictions scored in every way; seeds, which predict the same slices again, are averaged.

    Batches are filled with slices in a random order, the same for all: in that of the cases they would be patients.
    """
    left_out = {run.entrant for run in _lacking_slices(ledger)}
    scored = [
        conventions(own.sample(frac=1, random_state=SHUFFLE), BATCH).assign(entrant=entrant_name(model, schedule))
        for (model, schedule, _), own in slices.groupby(["model", "schedule", "seed"], sort=False, dropna=False)
        if (model, schedule) not in left_out
    ]
    columns = ["entrant", "convention", "score", "n", "meaning"]
    if not scored:
        return pd.DataFrame(columns=columns)
    stacked = pd.concat(scored)
    grouped = stacked.groupby(["entrant", "convention"], sort=False)
    return grouped.agg(score=("score", "mean"), n=("n", "first"), meaning=("meaning", "first")).reset_index()[columns]


def _lacking_slices(ledger: Ledger) -> list[Run]:
    return [run for run in ledger.counted if not (run.folder / "slices.csv").is_file()]


def _without_slices(ledger: Ledger) -> list[str]:
    lacking = [run.name for run in _lacking_slices(ledger)]
    return [f"No slices.csv in {', '.join(lacking)}: left out of the conventions."] if lacking else []


def _curves(ledger: Ledger) -> pd.DataFrame:
    tables = []
    for run in ledger.counted:
        try:
            table = metrics_of(run, CURVES)
        except UnreadableError:
            continue  # drawing the curves warns of it
        if table is not None:
            about = {
                "run": run.name,
                "entrant": entrant_of(run),
                **{key: run.experiment[key] for key in ("seed", "fold")},
            }
            tables.append(table.assign(**about, epoch=table["epoch"] + 1)[[*about, "epoch", *CURVES]])
    empty = pd.DataFrame(columns=["run", "entrant", "seed", "fold", "epoch", *CURVES])
    return pd.concat(tables, ignore_index=True) if tables else empty


def _undefined(cases: pd.DataFrame) -> list[str]:
    """Count the undefined scores of each column, and say why they are."""
    notes = []
    for name, reason in UNDEFINED.items():
        for column in cases.columns[[column == name or column.startswith(f"{name}_") for column in cases.columns]]:
            missing = int(np.isnan(cases[column].to_numpy(float)).sum())
            if missing and column.removesuffix("_px").removesuffix("_mm") == name:
                notes.append(f"{column} is undefined in {missing} of {len(cases)} rows of cases.csv: {reason}.")
    return notes
