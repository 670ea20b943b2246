"""External tests: scores beside the internal ones, and where the patients differ; one row an entrant or a property."""

from typing import Any

from headtohead.reporting.entrant_names import in_words
from headtohead.reporting.external import POPULATIONS, SCORES, External, amount, named
from headtohead.reporting.page import wording
from headtohead.reporting.page.entrants import Entrant
from headtohead.reporting.page.tables import cells
from headtohead.reporting.page.tables.table import Cell, Column, Table, table_of
from headtohead.statistics.populations import EXTERNAL, INTERNAL


def external_table(found: External, entrants: list[Entrant]) -> Table:
    """Lay out the Dice of each entrant on each cohort, and on the internal test cases of the same trainings."""
    drawn = {one.name: one for one in entrants}

    def whose(row: dict[str, Any]) -> Cell:
        own = drawn.get(row["entrant"])
        return Cell(own.label, own.label, own) if own else cells.word_cell(in_words(row["entrant"]))

    columns = [
        Column("entrant", whose, numeric=False),
        cells.word_column("cohort"),
        cells.numbers("trainings", "trainings", wording.count_in_words),
        cells.numbers("external cases", "n", wording.count_in_words),
        cells.estimates("external Dice [95 %]", "mean"),
        cells.estimates("median [95 %]", "median", "median_low", "median_high"),
        cells.numbers("internal cases", "internal_n", wording.count_in_words),
        cells.estimates("internal Dice [95 %]", "internal_mean", "internal_low", "internal_high"),
    ]
    return table_of(SCORES, columns, found.scores.to_dict("records"))


def population_table(found: External) -> Table:
    """Lay out where the patients of each cohort differ from those of the internal test."""

    def side(name: str) -> Column:
        return Column(name, lambda row: Cell(amount(row, name), None if row[name] != row[name] else float(row[name])))

    columns = [
        cells.word_column("cohort"),
        Column("property", lambda row: cells.word_cell(named(row)), numeric=False),
        side(INTERNAL),
        side(EXTERNAL),
        cells.numbers("standardised difference", "difference", lambda it: f"{it:+.2f}".replace("-", wording.MINUS)),
    ]
    return table_of(POPULATIONS, columns, found.populations.to_dict("records"))
