"""One row a case: what is known of it, and its Dice under each entrant."""

from headtohead.reporting.findings import Findings
from headtohead.reporting.page import wording
from headtohead.reporting.page.entrants import Entrant
from headtohead.reporting.page.tables import cells
from headtohead.reporting.page.tables.table import Cell, Column, Table
from headtohead.statistics.targets import TARGET

TITLES = {"grade": "WHO grade"}  # columns of cases.csv whose name does not say enough
ABOUT_A_CASE = ("site", "grade", "missing", "slices", "lesion_voxels")


def case_table(findings: Findings, entrants: list[Entrant]) -> Table:
    """Lay out every case with what is known about it and its Dice under each entrant."""
    about = [column for column in ABOUT_A_CASE if column in findings.cases]
    known = findings.cases.groupby("case")[about].first()
    for target in findings.by_target if "lesion_voxels" in about else ():
        own = findings.tested_cases[findings.tested_cases[TARGET] == target]
        known[f"{target} voxels"] = own.groupby("case")["lesion_voxels"].first()
    if findings.by_target:
        known = known.drop(columns="lesion_voxels", errors="ignore")
        about = list(known)
    texts = [column for column in about if known[column].dtype.kind not in "iuf"]
    rows = []
    for case, scores in findings.matrix.iterrows():
        facts = known.loc[case] if case in known.index else {}
        row = [Cell(str(case), str(case))]
        row += [
            cells.word(facts.get(column)) if column in texts else cells.number(facts.get(column), wording.whole)
            for column in about
        ]
        rows.append(row + [cells.number(scores[entrant.name], wording.score) for entrant in entrants])
    columns = [Column("case", numeric=False)]
    columns += [Column(TITLES.get(column, column.replace("_", " ")), numeric=column not in texts) for column in about]
    return Table("Dice of every case", columns + [Column(entrant.label) for entrant in entrants], rows)
