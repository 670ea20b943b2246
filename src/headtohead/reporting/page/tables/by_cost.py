"""One row an entrant: what it costs."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from headtohead.reporting.costs import PACES
from headtohead.reporting.findings import Findings
from headtohead.reporting.page import wording
from headtohead.reporting.page.entrants import Entrant
from headtohead.reporting.page.tables import cells
from headtohead.reporting.page.tables.table import Cell, Column, Table, table_of


def cost_table(findings: Findings, entrants: list[Entrant]) -> Table:
    """Lay out the costs; no row where no run names them. The source of a net is named where one is not ours."""
    costs = findings.costs.set_index("entrant")
    training, testing = PACES
    source = Column("net from", lambda row: cells.word_cell(row["source"] or "this program"), numeric=False)
    columns = [
        cells.of_entrants(),
        cells.numbers("parameters", "parameters", wording.size),
        Column("multiply-adds of one image", _multiply_adds),
        cells.numbers("time of one training", "seconds", wording.duration),
        cells.numbers("slices/s in training", training, wording.pace),
        cells.numbers("slices/s in the test", testing, wording.pace),
        cells.word_column("device"),
        *[source] * bool(costs["source"].astype(bool).any()),
    ]
    records = [{"entrant": one, **costs.loc[one.name]} for one in entrants if one.name in costs.index]
    return table_of("Cost, by entrant", columns, records)


def _multiply_adds(row: Mapping[str, Any]) -> Cell:
    cell = cells.number_cell(row["multiply_adds"], wording.operations)
    return replace(cell, note=f"of {row['image'].replace('x', '×')}" if row["image"] else "")
