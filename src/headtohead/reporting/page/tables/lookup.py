"""Look-ups in the long tables of the findings, which have a row for each entrant that they know."""

from typing import TYPE_CHECKING, Any

from headtohead.reporting.page.entrants import Entrant

if TYPE_CHECKING:
    import pandas as pd


def having_rows(entrants: list[Entrant], rows: "pd.DataFrame") -> list[Entrant]:
    """List the entrants that a table has rows of, in their order."""
    there = set(rows["entrant"])
    return [entrant for entrant in entrants if entrant.name in there]


def value_of(rows: "pd.DataFrame", entrant: Entrant, column: str) -> Any:
    """Look up one value of an entrant; None where it has no row. The rows are indexed by the names of entrants."""
    return rows.loc[entrant.name, column] if entrant.name in rows.index else None
