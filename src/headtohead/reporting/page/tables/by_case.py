"""One row a case: what is known of it, and its Dice under each entrant."""

from typing import Any

from headtohead.reporting.findings import Findings
from headtohead.reporting.page import wording
from headtohead.reporting.page.entrants import Entrant
from headtohead.reporting.page.tables import cells
from headtohead.reporting.page.tables.table import Cell, Column, Table, table_of
from headtohead.statistics.targets import TARGET

TITLES = {"grade": "WHO grade"}  # columns of cases.csv whose name does not say enough
ABOUT_A_CASE = ("site", "grade", "missing", "slices", "lesion_voxels")


def case_table(findings: Findings, entrants: list[Entrant]) -> Table:
    """Lay out every case with what is known about it and its Dice under each entrant."""
    about = [column for column in ABOUT_A_CASE if column in findings.cases]
    known = findings.cases.groupby("case")[about].first()
    if findings.by_target and "lesion_voxels" in about:
        known = known.drop(columns="lesion_voxels")
        for target in findings.by_target:
            own = findings.tested_cases[findings.tested_cases[TARGET] == target]
            known[f"{target} voxels"] = own.groupby("case")["lesion_voxels"].first()

    def fact(name: str, numeric: bool) -> Column:
        def cell(record: dict[str, Any]) -> Cell:
            value = known[name].get(record["case"])
            if numeric:
                return cells.number_cell(value, wording.count_in_words)
            # A code that pandas made a number of is without its decimal.
            return Cell(wording.NOTHING) if wording.missing(value) else Cell(str(value).removesuffix(".0"), str(value))

        return Column(TITLES.get(name, name.replace("_", " ")), cell, numeric)

    columns = [cells.word_column("case"), *(fact(name, known[name].dtype.kind in "iuf") for name in known)]
    columns += cells.each(
        {one.name: one.label for one in entrants}, lambda dice: cells.number_cell(dice, wording.score)
    )
    records = [{"case": case, "of": scores} for case, scores in findings.matrix.iterrows()]
    return table_of("Dice of every case", columns, records)
