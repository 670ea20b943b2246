"""The report of a comparison of which only the scores are known: no masks, counts, slices or pictures."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from headtohead.options.checks import FIGURES
from headtohead.reporting.external import no_external
from headtohead.reporting.findings import Findings, OneTarget
from headtohead.reporting.page.writing import write_report
from headtohead.reporting.pictures import write_pictures
from headtohead.reporting.rewriting import PAGE, move_into, remove_earlier, write_tables
from headtohead.reporting.summary import summarise_scores
from headtohead.reporting.table import print_results, result_rows
from headtohead.runs.run import EXPERIMENT_COLUMNS
from headtohead.saving import temporary_folder, write_bytes, write_json
from headtohead.scoring.counts import FAILED_BELOW
from headtohead.statistics import families, subgroups, without_lesion
from headtohead.statistics.further import verdict_on_targets
from headtohead.statistics.matrix import holds_lesion, score_matrix
from headtohead.statistics.means import sum_up
from headtohead.statistics.questions import DESCRIBED, compare_pairs
from headtohead.statistics.ranks import rank_distribution
from headtohead.statistics.targets import TARGET, each_target, over_targets
from headtohead.statistics.trainings import trainings
from headtohead.statistics.verdict import verdict
from headtohead.task import Target, Targets
from headtohead.task.targets import COLOURS

SCORES_RECORD, SCORES_COPY = "scores.json", "scores.csv"
"""In the folder of the comparison: where the scores are from, and the file itself, of which a report is made again."""
ABOUT = (
    "Only these scores are known: no masks, counts or pictures, so other scores, cases without a lesion, conventions "
    "and subgroups are left out. Whether the scores are right, and who saw which case in training, cannot be checked "
    "here."
)


def write_report_of_scores(
    folder: Path, file: bytes, cases: pd.DataFrame, record: dict[str, Any], margin: float, warnings: Sequence[str] = ()
) -> None:
    """Write tables, figure and page of scores that were computed elsewhere, and print the table; all or nothing.

    Args:
        folder: `runs/<comparison>`; the caller holds it.
        file: the scores as they were given.
        cases: the same as `read_scores_file` reads them.
        record: what scores.json says of where they are from.
        margin: the difference in mean Dice that is too small to matter.
        warnings: what a reader has to know first.
    """
    findings = findings_of_scores(folder.name, cases, record, margin, warnings)
    summary = summarise_scores(folder.name, without_one_target(cases), findings.footnotes)
    print_results(summary)
    with temporary_folder(folder) as new:
        write_tables(new, summary, findings)
        for name in ("conventions", "slices", "parts", "subgroups", "subgroup_pairs"):
            (new / f"{name}.csv").unlink()  # of counts and of what is known of a case
        write_pictures(findings, new / FIGURES, None, None)
        write_report(findings, new / PAGE)
        write_bytes(new / SCORES_COPY, file)
        write_json(new / SCORES_RECORD, record)
        remove_earlier(folder)
        move_into(new, folder)
    print(f"{findings.verdict}\nreport: {folder / PAGE}")


def findings_of_scores(
    title: str, cases: pd.DataFrame, record: dict[str, Any], margin: float, warnings: Sequence[str]
) -> Findings:
    """Work out what scores alone support; what needs counts is empty."""
    named = list(filter(None, each_target(cases)))
    cases = without_one_target(cases)
    whole, each = over_targets(cases), {name: rows for name, rows in each_target(cases).items() if name}
    matrix = score_matrix(whole)
    trained = trainings(whole, "dice", holds_lesion(whole)).reindex(matrix.columns)
    pairs, target_pairs = compare_pairs(matrix, margin, trained=trained), families.compare_targets(cases, margin)
    untested = pd.DataFrame(columns=["score", *DESCRIBED])
    return Findings(
        title=title,
        targets=_targets(named or ["lesion"]),
        tested_cases=cases,
        cases=whole,
        matrix=matrix,
        means=_means(whole, matrix),
        by_target={name: _one_target(rows) for name, rows in each.items()},
        pairs=pairs,
        target_pairs=target_pairs,
        ensembles=families.ensemble_pairs(matrix, trained, margin),
        secondary=untested,
        without_lesion=pd.DataFrame(columns=without_lesion.COLUMNS),
        healthy_pairs=untested,
        ranks=rank_distribution(matrix),
        scores=result_rows(cases),
        subgroups=pd.DataFrame(columns=subgroups.COLUMNS),
        subgroup_pairs=pd.DataFrame(columns=subgroups.PAIR_COLUMNS),
        conventions=pd.DataFrame(columns=["entrant", "convention", "score", "n", "meaning"]),
        slices=pd.DataFrame(columns=["case"]),
        parts=pd.DataFrame(columns=["case"]),
        verdict=" ".join(filter(None, [verdict(matrix, pairs, "entrants"), verdict_on_targets(target_pairs)])),
        warnings=[*warnings],
        footnotes=[
            f"The scores are those of {record['file']}, as given. {ABOUT}",
            *[f"The one target is {name}." for name in named if len(named) == 1],
        ],
        curves=pd.DataFrame(
            columns=[
                "run",
                "entrant",
                *EXPERIMENT_COLUMNS[2:],
                "epoch",
                "val_dice",
                "train_dice",
                "val_loss",
                "train_loss",
                "learning_rate",
            ]
        ),
        external=no_external(),
        provenance=[{"name": title, **record}],
        given=dict.fromkeys(matrix.columns, f"scores from {record['file']}"),
        pictured=False,
    )


def without_one_target(cases: pd.DataFrame) -> pd.DataFrame:
    """Leave out the column target where it holds one name: the primary score is that target's, not counted again."""
    return cases.drop(columns=TARGET) if TARGET in cases and len(set(cases[TARGET])) == 1 else cases


def _targets(names: list[str]) -> Targets:
    """Name the targets, which here are names alone: their labels stand for nothing."""
    return Targets(tuple(Target(name, (place + 1,), COLOURS[place % len(COLOURS)]) for place, name in enumerate(names)))


def _means(cases: pd.DataFrame, matrix: pd.DataFrame) -> pd.DataFrame:
    return sum_up(cases).assign(failed=(matrix < FAILED_BELOW).sum(), parameters=None, seconds=None, epochs=None)


def _one_target(rows: pd.DataFrame) -> OneTarget:
    matrix = score_matrix(rows)
    return OneTarget(matrix, _means(rows, matrix))
