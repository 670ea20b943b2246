"""One row a part of the cases: means of entrants, and differences of pairs."""

from collections.abc import Hashable
from typing import TYPE_CHECKING

from headtohead.reporting.entrant_names import in_words
from headtohead.reporting.findings import Findings
from headtohead.reporting.page.entrants import Entrant
from headtohead.reporting.page.tables import cells
from headtohead.reporting.page.tables.table import Column, Table, table_of

if TYPE_CHECKING:
    import pandas as pd


def lay_out_subgroups(findings: Findings, entrants: list[Entrant]) -> Table:
    """Lay out mean Dice in parts of the cases: one column an entrant."""
    rows = findings.subgroups.assign(whose=findings.subgroups["entrant"])
    shown: dict[Hashable, str] = {one.name: one.label for one in entrants if one.name in set(rows["entrant"])}
    return _table("Mean Dice [95 %] in parts of the cases", rows, "mean", shown, signed=False)


def subgroup_pair_table(findings: Findings, entrants: list[Entrant]) -> Table:
    """Lay out paired differences in parts of the cases: one column a pair."""
    pairs = findings.subgroup_pairs
    rows = pairs.assign(whose=list(zip(pairs["a"], pairs["b"], strict=True)))
    shown: dict[Hashable, str] = {(a, b): f"{in_words(a)} − {in_words(b)}" for a, b in rows["whose"]}
    caption = "Mean paired difference in Dice [95 %] in parts of the cases"
    return _table(caption, rows, "mean_difference", shown, signed=True)


def _table(caption: str, rows: "pd.DataFrame", value: str, shown: dict[Hashable, str], signed: bool) -> Table:
    """Lay out one row a level, with a column for each of those whose numbers the rows are."""
    records = []
    for (kind, level), found in rows.groupby(["group", "level"], sort=False):
        by_whom = dict(zip(found["whose"], found.to_dict("records"), strict=True))
        records.append({"by": kind, "level": level, "n": found["n"], "of": by_whom})
    columns = [cells.word_column("by"), cells.word_column("level"), Column("cases", lambda row: cells.votes(row["n"]))]
    columns += cells.each(shown, lambda one: cells.estimate(one[value], one["low"], one["high"], signed))
    return table_of(caption, columns, records)
