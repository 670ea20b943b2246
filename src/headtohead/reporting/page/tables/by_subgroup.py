"""One row a part of the cases: means of entrants, and differences of pairs."""

from headtohead.reporting.entrant_names import in_words
from headtohead.reporting.findings import Findings
from headtohead.reporting.page.entrants import Entrant
from headtohead.reporting.page.tables import cells
from headtohead.reporting.page.tables.lookup import having_rows, value_of
from headtohead.reporting.page.tables.table import Cell, Column, Table


def subgroup_table(findings: Findings, entrants: list[Entrant]) -> Table:
    """Lay out mean Dice in parts of the cases."""
    shown, rows = having_rows(entrants, findings.subgroups), []
    for (kind, level), found in findings.subgroups.groupby(["group", "level"], sort=False):
        by_entrant = found.set_index("entrant")
        means = [
            cells.estimate(*(value_of(by_entrant, entrant, column) for column in ("mean", "low", "high")))
            for entrant in shown
        ]
        rows.append([Cell(str(kind), str(kind)), Cell(str(level), str(level)), cells.votes(found["n"]), *means])
    columns = [Column("by", numeric=False), Column("level", numeric=False), Column("cases")]
    return Table("Mean Dice [95 %] in parts of the cases", columns + [Column(one.label) for one in shown], rows)


def subgroup_pair_table(findings: Findings, entrants: list[Entrant]) -> Table:
    """Lay out paired differences in parts of the cases: one row a level, one column a pair."""
    pairs = findings.subgroup_pairs
    names = list(dict.fromkeys(zip(pairs["a"], pairs["b"], strict=True)))
    rows = []
    for (kind, level), found in pairs.groupby(["group", "level"], sort=False):
        by_pair = {(row["a"], row["b"]): row for row in found.to_dict("records")}
        differences = [
            cells.estimate(by_pair[name]["mean_difference"], by_pair[name]["low"], by_pair[name]["high"], signed=True)
            for name in names
        ]
        rows.append([Cell(str(kind), str(kind)), Cell(str(level), str(level)), cells.votes(found["n"]), *differences])
    columns = [Column("by", numeric=False), Column("level", numeric=False), Column("cases")]
    columns += [Column(f"{in_words(a)} − {in_words(b)}") for a, b in names]
    return Table("Mean paired difference in Dice [95 %] in parts of the cases", columns, rows)
