"""Everything a comparison found, worked out once from its ledger: tables, figures and the page only show it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from headtohead.options.comparison import MARGIN, baselines
from headtohead.reporting.costs import costs_of, no_costs
from headtohead.reporting.entrant_names import entrant_of, in_words
from headtohead.reporting.evidence import conventions_of, curves_of, parts_of, slices_of, without_slices
from headtohead.reporting.external import External, external_of, outdated
from headtohead.reporting.notes.footnotes import footnotes_of, given_of
from headtohead.reporting.notes.warnings import warnings_of
from headtohead.reporting.table import result_rows
from headtohead.runs.ledger import Ledger
from headtohead.scoring.case import UNDEFINED
from headtohead.scoring.counts import FAILED_BELOW
from headtohead.statistics import families, further
from headtohead.statistics.matrix import entrants, holds_lesion, score_matrix
from headtohead.statistics.means import sum_up
from headtohead.statistics.questions import compare_pairs
from headtohead.statistics.ranks import rank_distribution
from headtohead.statistics.subgroups import subgroup_pairs, subgroup_table
from headtohead.statistics.targets import TARGET, each_target, over_targets
from headtohead.statistics.trainings import GIVEN, THIS_TRAINING, TRAINED, trainings, without_ensembles
from headtohead.statistics.verdict import verdict
from headtohead.statistics.without_lesion import compare_without_lesion, sum_up_without_lesion
from headtohead.task import Targets

PROVENANCE = ["status", "masks", "command"]
PROVENANCE += ["versions", "hardware", "device", "precision", "git_commit", "data", "split"]
PROVENANCE += ["protocol", "recipe", "net", "threshold", "parameters", "epochs", "seconds", "started", "ended"]
PROVENANCE += ["start", "frozen", "thaw_epoch", "old_layers_rate"]


@dataclass(frozen=True)
class OneTarget:
    """One target of several by itself: `matrix` and `means` as in `Findings`, of the cases whose truth holds it."""

    matrix: pd.DataFrame
    means: pd.DataFrame


@dataclass(frozen=True)
class Findings:
    """The findings of one comparison. An entrant is one model under one schedule, over all its seeds and folds.

    Attributes:
        title: name of the comparison.
        targets: what is segmented.
        tested_cases: one row a run, test case and target, all scores: what cases.csv holds.
        cases: one row a run and test case: the primary scores, as `targets.over_targets` gives them.
        matrix: Dice of each case with a lesion (rows) and entrant (columns), seeds averaged within the case; the
            baseline comes last. Here and below, of several targets the mean over those that the truth holds.
        means: by entrant, what `means.sum_up` gives, failed, parameters, seconds, epochs.
        by_target: of several targets, matrix and means of each by its name; else empty.
        pairs: one row a pair of entrants, Dice, as `statistics.questions.compare_pairs` gives it.
        target_pairs: the same of every target, between models, as `statistics.families.compare_targets`.
        ensembles: the same of ensembles of seeds, as `statistics.families.ensemble_pairs`.
        secondary: the same of other scores, between models, as `statistics.families.secondary_pairs`.
        without_lesion: by entrant, what it did on cases without a lesion, as `without_lesion.sum_up_without_lesion`;
            of several targets, by target too.
        healthy_pairs: paired tests on these, as `without_lesion.compare_without_lesion`.
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
        costs: by entrant, what `costs.costs_of` gives.
        curves: run, entrant, seed, fold, epoch (from 1), train_dice, val_dice, train_loss, val_loss, learning_rate.
        external: tests of finished runs on cohorts they never saw; in no other number here.
        agreement: where masks as given are among the entrants, the Dice between each two entrants' own masks, as
            `agreement_of_entrants.agreement_of` gives it; else empty.
        pictured: whether there are masks, of which there could be pictures.
        given: entrant of masks that were not made here -> where they are from.
        provenance: by run: name, status, command, versions, commit, keys of data and split, times, hardware.
    """

    title: str
    targets: Targets
    tested_cases: pd.DataFrame
    cases: pd.DataFrame
    matrix: pd.DataFrame
    means: pd.DataFrame
    by_target: dict[str, OneTarget]
    pairs: pd.DataFrame
    target_pairs: pd.DataFrame
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
    external: External
    provenance: list[dict[str, Any]]
    given: dict[str, str] = field(default_factory=dict)
    pictured: bool = True
    agreement: pd.DataFrame = field(default_factory=pd.DataFrame)
    costs: pd.DataFrame = field(default_factory=no_costs)

    @property
    def external_scores(self) -> pd.DataFrame:
        """What external.csv holds."""
        return self.external.scores

    @property
    def populations(self) -> pd.DataFrame:
        """What populations.csv holds."""
        return self.external.populations

    @property
    def tested(self) -> pd.DataFrame:
        """The pairs of all families in one table: what pairs.csv holds."""
        pairs = {families.PRIMARY: self.pairs, families.TARGETS: self.target_pairs, families.ENSEMBLES: self.ensembles}
        pairs |= {families.SECONDARY: self.secondary, families.WITHOUT_LESION: self.healthy_pairs}
        return families.all_pairs(pairs, several=bool(self.by_target))


def findings_of(ledger: Ledger, unchecked: Sequence[str] = (), margin: float = MARGIN) -> Findings | None:
    """Work out everything a comparison found; None where no entrant was scored on every test case.

    A seed of which a fold is missing is left out, and with its last seed the entrant, since they were not scored on
    all cases; the warnings name what was left out, and why.

    Args:
        ledger: of the comparison.
        unchecked: further warnings, of whoever asks.
        margin: the difference in mean Dice that is too small to matter.
    """
    tested = ledger.comparable
    if tested.empty:
        return None
    cases, each = over_targets(tested), each_target(tested)
    matrix = score_matrix(cases)
    trained = trainings(cases, "dice", holds_lesion(cases)).reindex(matrix.columns)
    models = matrix[without_ensembles(trained)]
    pairs, ensembles = compare_pairs(models, margin, trained=trained), families.ensemble_pairs(matrix, trained, margin)
    secondary = families.secondary_pairs(cases[entrants(cases).isin(models.columns)])
    target_pairs = families.compare_targets(tested, margin)
    without_lesion, healthy_pairs = sum_up_without_lesion(tested), compare_without_lesion(tested)
    slices = slices_of(ledger)
    name = spoken_names(trained)
    return Findings(
        title=ledger.folder.name,
        targets=ledger.task.targets,
        tested_cases=tested,
        cases=cases,
        matrix=matrix,
        means=_means(ledger, cases, matrix),
        by_target={target: _one_target(ledger, rows) for target, rows in each.items() if target},
        pairs=pairs,
        target_pairs=target_pairs,
        ensembles=ensembles,
        secondary=secondary,
        without_lesion=without_lesion,
        healthy_pairs=healthy_pairs,
        ranks=rank_distribution(models.drop(columns=baselines(models))),
        scores=result_rows(tested),
        subgroups=subgroup_table(tested),
        subgroup_pairs=subgroup_pairs(tested),
        conventions=conventions_of(slices, ledger),
        slices=slices,
        parts=parts_of(ledger),
        verdict=_sentences(
            verdict(models.rename(columns=name), with_names(pairs, name), _called(trained)),
            further.verdict_on_targets(with_names(target_pairs, name)),
            further.verdict_on_ensembles(with_names(ensembles, name)),
            further.verdict_on_secondary(with_names(secondary, name)),
            further.verdict_without_lesion(without_lesion.replace({"entrant": name}), with_names(healthy_pairs, name)),
        ),
        warnings=warnings_of(ledger) + without_slices(ledger) + outdated(ledger) + list(unchecked),
        footnotes=footnotes_of(ledger) + _undefined(tested),
        costs=costs_of(ledger),
        curves=curves_of(ledger),
        external=external_of(ledger),
        provenance=[{"name": run.name} | {key: run.record.get(key) for key in PROVENANCE} for run in ledger.finished],
        given=given_of(ledger),
    )


def _one_target(ledger: Ledger, rows: pd.DataFrame) -> OneTarget:
    matrix = score_matrix(rows)
    return OneTarget(matrix, _means(ledger, rows, matrix))


def _called(trained: pd.DataFrame) -> str:
    return "entrants" if (trained["kind"] == GIVEN).any() else "models"


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


def with_names(pairs: pd.DataFrame, names: dict[str, str]) -> pd.DataFrame:
    """Give a table of pairs whose entrants are named in words, as the verdict says them."""
    return pairs.assign(a=pairs["a"].map(names), b=pairs["b"].map(names))


def shown_seed(cases: pd.DataFrame, entrant: str, case: str) -> tuple[int, float] | None:
    """Say of which seed the outlines of a case of `Findings.cases` are, where an entrant has several: of the lowest.

    Returns:
        That seed, and its own Dice of the case, which is not the mean over seeds; None where there is but one.
    """
    own = cases[(entrants(cases) == entrant) & (cases["case"] == case)]
    if own["seed"].nunique() < 2:
        return None
    first = own.sort_values("seed", kind="stable").iloc[0]
    return int(first["seed"]), float(first["dice"])


def _means(ledger: Ledger, cases: pd.DataFrame, matrix: pd.DataFrame) -> pd.DataFrame:
    rows = {}
    for name in matrix:
        records = [run.record for run in ledger.counted if entrant_of(run) == name]
        rows[name] = {
            "failed": int((matrix[name] < FAILED_BELOW).sum()),
            "parameters": records[0].get("parameters"),
            "seconds": sum(record.get("seconds") or 0 for record in records) or None,
            "epochs": max((record.get("epochs") or 0 for record in records), default=0) or None,
        }
    return sum_up(cases).join(pd.DataFrame.from_dict(rows, orient="index"))


def _undefined(cases: pd.DataFrame) -> list[str]:
    """Count the undefined scores of each column, and say why they are."""
    notes = []
    for name, reason in UNDEFINED.items():
        if TARGET in cases:
            reason = reason.replace("holds no lesion", "does not hold the target")
        for column in cases.columns[[column == name or column.startswith(f"{name}_") for column in cases.columns]]:
            missing = int(np.isnan(cases[column].to_numpy(float)).sum())
            if missing and column.removesuffix("_px").removesuffix("_mm") == name:
                notes.append(f"{column} is undefined in {missing} of {len(cases)} rows of cases.csv: {reason}.")
    return notes
