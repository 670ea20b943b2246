"""External tests: the scores on cohorts that a model never saw, beside the internal ones, and how the patients differ.

Internal and external cases are never in one statistic: each score has its own cases and its own interval.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from headtohead.reporting.entrant_names import entrant_of, in_words
from headtohead.reporting.summary import NOTHING, Grid, Summary, estimate_in_words
from headtohead.reporting.table import render_grids
from headtohead.runs.external import CERTAIN, read_external_test
from headtohead.runs.ledger import ExternalTest, Ledger
from headtohead.saving import write_text
from headtohead.scoring.protocol import PROTOCOL
from headtohead.statistics.intervals import mean_interval, median_interval
from headtohead.statistics.populations import COLUMNS as DIFFERENCES
from headtohead.statistics.populations import COUNT, EXTERNAL, INTERNAL, SHARE, population_differences
from headtohead.statistics.targets import TARGET, each_target, over_targets

ESTIMATE = ("n", "mean", "low", "high", "median", "median_low", "median_high")
COLUMNS = ["entrant", "cohort", "trainings", *ESTIMATE, *(f"internal_{name}" for name in ESTIMATE)]
SCORES, POPULATIONS = "External tests: mean Dice per case", "Patients of the external tests"
PAGE = "results.md"
NEW_PATIENTS = "External cohorts are of patients that the model never saw"
NOTE = (
    "their Dice has its own cases and interval, and is in no other number of this report. Of a model with several "
    "trainings (seeds, folds), each case is first averaged over them. Differences between patients are standardised: "
    "external minus internal, by the root of the mean of both variances (Austin 2009, doi:10.1002/sim.3697); of lesion "
    "sizes, of their logarithm."
)


@dataclass(frozen=True)
class External:
    """What a comparison knows of external tests.

    Attributes:
        scores: `COLUMNS`, one row an entrant and cohort: Dice of its cases, and of the internal test of the same
            trainings; of several targets the mean over those that the truth holds.
        populations: cohort, then what `population_differences` gives; one row a cohort and property.
        unseen_by: of each test by what it was checked that the patients are new to the model.
    """

    scores: pd.DataFrame
    populations: pd.DataFrame
    unseen_by: tuple[str, ...] = ()

    @property
    def patients(self) -> str:
        """Say whose the cohorts are: that the model never saw them only where patients and pixels were compared."""
        short = sorted({said for said in self.unseen_by if said != CERTAIN})
        if not short:
            return NEW_PATIENTS
        number = sum(said != CERTAIN for said in self.unseen_by)
        whose = "" if number == len(self.unseen_by) else f" in {number} of {len(self.unseen_by)} external tests"
        return f"That external cohorts are of patients that the model never saw was not fully checked{whose} (" + (
            f"by {CERTAIN} it would be; here: {'; '.join(short)})"
        )


def no_external() -> External:
    """Give what there is to say where nothing was tested elsewhere: empty tables."""
    return External(pd.DataFrame(columns=COLUMNS), pd.DataFrame(columns=["cohort", *DIFFERENCES]))


def external_of(ledger: Ledger) -> External:
    """Work out what a report says of the external tests of finished runs and of bundles; empty where there are none."""
    finished = {run.name: run for run in ledger.finished}
    tests = [one for one in ledger.externals if one.bundle or one.of in finished]
    tests = [one for one in tests if one.run.record.get("protocol") == PROTOCOL]
    rows, people = [], []
    for (entrant, _), own in _grouped((one.of if one.bundle else entrant_of(finished[one.of]), one) for one in tests):
        internal = _recorded(own[0]) if own[0].bundle else _estimate([_dice(ledger.tables[one.of]) for one in own])
        rows.append(_row(entrant, own, internal))
    # The runs of a comparison have the same internal cases; each bundle has its own, or none that are known.
    for (bundle, _), own in _grouped((one.of if one.bundle else "", one) for one in tests):
        everybody = pd.concat([one.people for one in own]).drop_duplicates(["cohort", "case"])
        people.append(_differences(own[0], everybody, bundle))
    differences = pd.concat(people, ignore_index=True) if people else no_external().populations
    return External(pd.DataFrame(rows, columns=COLUMNS), differences, tuple(one.unseen_by for one in tests))


def outdated(ledger: Ledger) -> list[str]:
    """Name the external tests that were scored under another protocol, and are therefore not shown."""
    return [
        f"{one.of}: its external test on {one.run.name} is left out, scored under another protocol; `test` it again"
        for one in ledger.externals
        if one.run.record.get("protocol") != PROTOCOL
    ]


def with_external(summary: Summary, found: External, notes: list[str]) -> Summary:
    """Add the tables of external tests to the results table of a comparison; the same where there are none."""
    grids = grids_of(found)
    said = [f"{found.patients}; {NOTE}"] * bool(grids) + notes
    return replace(summary, others=summary.others | grids, footnotes=summary.footnotes + said) if said else summary


def write_external_page(folder: Path) -> Path:
    """Write results.md into the folder of an external test: its scores, those of the internal one, the patients."""
    test = read_external_test(folder)
    row = _row(str(test.run.record["external"]["model"]), [test], _recorded(test))
    found = External(pd.DataFrame([row], columns=COLUMNS), _differences(test, test.people), (test.unseen_by,))
    path = folder / PAGE
    write_text(path, render_grids(grids_of(found), [f"{found.patients}; {NOTE}"]))
    return path


def grids_of(found: External) -> dict[str, Grid]:
    """Lay the tables out in words, by their titles; nothing where there are none."""
    if found.scores.empty:
        return {}
    scores = [["entrant", "cohort", "external cases", "external Dice", "median", "internal cases", "internal Dice"]]
    for row in found.scores.to_dict("records"):
        known = not math.isnan(row["internal_n"])
        scores.append(
            [
                in_words(row["entrant"]),
                row["cohort"],
                str(row["n"]),
                estimate_in_words(row["mean"], row["low"], row["high"]),
                estimate_in_words(row["median"], row["median_low"], row["median_high"]),
                f"{row['internal_n']:.0f}" if known else NOTHING,
                estimate_in_words(*(row[f"internal_{name}"] for name in ("mean", "low", "high"))) if known else NOTHING,
            ]
        )
    people = [["cohort", "property", INTERNAL, EXTERNAL, "standardised difference"]]
    people += [
        [row["cohort"], named(row), *(amount(row, side) for side in (INTERNAL, EXTERNAL)), difference(row)]
        for row in found.populations.to_dict("records")
    ]
    return {SCORES: scores, POPULATIONS: people}


def named(row: dict[str, Any]) -> str:
    """Name a property with its unit: `lesion size (ml)`."""
    return row["property"] if row["unit"] in (SHARE, COUNT, "") else f"{row['property']} ({row['unit']})"


def amount(row: dict[str, Any], side: str) -> str:
    """Write what a cohort has of a property: `12`, `34 %`, or a median with its quartiles, `41 (12 to 80)`."""
    value, low, high = row[side], row[f"{side}_low"], row[f"{side}_high"]
    if math.isnan(value):
        return NOTHING
    if row["unit"] == COUNT:
        return f"{value:.0f}"
    if row["unit"] == SHARE:
        return f"{100 * value:.0f} %"
    return f"{value:.4g} ({low:.4g} to {high:.4g})"


def difference(row: dict[str, Any]) -> str:
    """Write a standardised difference with its sign; a dash where there is none."""
    return NOTHING if math.isnan(row["difference"]) else f"{row['difference']:+.2f}"


def _grouped(tests: Iterable[tuple[str, ExternalTest]]) -> list[tuple[tuple[str, str], list[ExternalTest]]]:
    """Group tests by a name and the data of their cohort, in the order of their first."""
    groups: dict[tuple[str, str], list[ExternalTest]] = {}
    for name, one in tests:
        groups.setdefault((name, str(one.run.fact("data", "key"))), []).append(one)
    return list(groups.items())


def _row(entrant: str, tests: list[ExternalTest], internal: dict[str, float]) -> list[Any]:
    found = _estimate([_dice(one.cases) for one in tests])
    return [entrant, tests[0].run.name, len(tests), *found.values(), *(internal[name] for name in ESTIMATE)]


def _recorded(test: ExternalTest) -> dict[str, float]:
    """Give the internal scores that the model came with, as far as it says them."""
    said = test.run.fact("external", "scores") or {}
    return {name: math.nan if said.get(name) is None else float(said[name]) for name in ESTIMATE}


def _dice(cases: pd.DataFrame) -> "pd.Series[float]":
    """Primary Dice by case, of those whose truth holds a target."""
    return over_targets(cases).set_index("case")["dice"].dropna()


def _estimate(trainings: list["pd.Series[float]"]) -> dict[str, float]:
    """Mean and median over cases with their intervals, each case averaged over the trainings that were tested on it."""
    cases = pd.concat(trainings).groupby(level=0).mean().to_numpy()
    mean, median = mean_interval(cases), median_interval(cases)
    values = (mean.n, mean.mean, mean.low, mean.high, median.median, median.low, median.high)
    return dict(zip(ESTIMATE, values, strict=True))


def _differences(test: ExternalTest, people: pd.DataFrame, bundle: str = "") -> pd.DataFrame:
    target = next(iter(each_target(test.cases))) if TARGET in test.cases else ""
    found = population_differences(people, target or "lesion")
    found.insert(0, "cohort", f"{test.run.name} ({bundle})" if bundle else test.run.name)
    return found
