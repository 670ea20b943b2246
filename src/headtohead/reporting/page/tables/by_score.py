"""One row a score or a convention, one column an entrant."""

from typing import TYPE_CHECKING, Any

from headtohead.reporting.findings import Findings
from headtohead.reporting.page import wording
from headtohead.reporting.page.entrants import Entrant
from headtohead.reporting.page.tables import cells
from headtohead.reporting.page.tables.table import Cell, Column, Table, table_of
from headtohead.scoring.lesions import size_in_words
from headtohead.statistics.families import unitless
from headtohead.statistics.targets import MEAN, TARGET, each_target

if TYPE_CHECKING:
    import pandas as pd

SCORES = {
    "dice": "overlap of both volumes",
    "iou": "D / (2 - D)",
    "precision": "share of the prediction that is lesion; 0 where nothing was predicted",
    "recall": "share of the lesion that was found",
    "hd95": "95th percentile of the distance between the surfaces, 0 is best; the volume's diagonal where nothing was "
    "predicted",
    "surface_dice": "share of both surfaces within the tolerance of the other; 0 where nothing was predicted",
    "volume_error": "predicted minus true volume in voxels; over and under cancel out",
    "relative_volume_error": "the same divided by the true volume; over and under cancel out",
    "volume_error_ml": "predicted minus true volume in ml; over and under cancel out",
    "absolute_volume_error_ml": "absolute difference of the volumes in ml; 0 is best",
    "absolute_volume_error": "absolute difference of the volumes in voxels; 0 is best",
    "absolute_relative_volume_error": "the same divided by the true volume; 0 is best",
    "lesions_found": "connected lesions touched by the prediction, per case",
    "lesions_missed": "connected lesions not touched, per case",
    "lesions_false": "connected predictions that touch no lesion, per case",
    "false_voxels_on_empty_slices": "voxels predicted on slices without lesion, per case",
}
"""What a score says, by its column without the unit."""
SLICE_STEP = "a step between slices counts as one pixel"
COUNTED = ("lesions_found", "lesions_missed", "lesions_false")


def score_table(findings: Findings, entrants: list[Entrant], target: str = MEAN) -> Table:
    """Lay out the mean over cases of every score, of one of several targets: one row a score, one column an entrant."""
    scores = findings.scores
    scores = scores[scores[TARGET] == target] if TARGET in scores else scores
    unit = "mm" if scores["score"].eq("hd95_mm").any() else "px"
    columns = [
        Column("score", lambda row: Cell(row["name"], row["name"], note=meaning_of(row["name"], unit)), numeric=False),
        *cells.each(_shown(entrants, scores), lambda found: cells.with_range(found, "mean_low", "mean_high")),
        Column("cases", lambda row: cells.votes(row["found"]["n"])),
    ]
    of = f": {target}" if TARGET in findings.scores else ""
    return table_of(f"Mean over cases of every score{of}", columns, _records(scores, "score"))


def meaning_of(column: str, unit: str) -> str:
    """Say what a score means, with what is beside it in the unit of the data: least size, step between slices."""
    meaning = SCORES.get(unitless(column), "")
    if column in COUNTED:
        return f"{meaning}; of {size_in_words(unit)}"
    return f"{meaning}; {SLICE_STEP}" if column.endswith("_px") else meaning


def convention_table(findings: Findings, entrants: list[Entrant]) -> Table:
    """Lay out the same predictions scored in several ways: one row a convention, one column an entrant."""
    scored = findings.conventions
    columns = [
        *([cells.word_column(TARGET)] if TARGET in scored else []),
        Column("convention", lambda row: Cell(row["name"], row["name"], note=row["found"]["meaning"].iloc[0]), False),
        *cells.each(_shown(entrants, scored), lambda found: cells.number_cell(found["score"], wording.score)),
        Column("votes", lambda row: cells.votes(row["found"]["n"])),
    ]
    records = [row for target, own in each_target(scored).items() for row in _records(own, "convention", target)]
    return table_of("The same predictions under each convention", columns, records)


def _records(scores: "pd.DataFrame", by: str, target: str = "") -> list[dict[str, Any]]:
    """One record a score or convention, with its numbers by entrant."""
    return [
        {"name": str(name), TARGET: target, "found": found, "of": found.set_index("entrant").to_dict("index")}
        for name, found in scores.groupby(by, sort=False)
    ]


def _shown(entrants: list[Entrant], rows: "pd.DataFrame") -> dict[str, str]:
    """The entrants that a table has rows of."""
    return {one.name: one.label for one in entrants if one.name in set(rows["entrant"])}
