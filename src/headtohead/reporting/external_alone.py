"""The report of a comparison that holds nothing but external tests of bundles: tables, and no page."""

from pathlib import Path

from headtohead.errors import UserError
from headtohead.reporting.external import NOTE, external_of, grids_of, outdated
from headtohead.reporting.table import render_grids
from headtohead.runs.ledger import Ledger
from headtohead.saving import write_table, write_text

ALONE = (
    "Bundles that were tested elsewhere: each row stands by itself, and no two of them are compared. A page, with "
    "tests of the differences, is of runs that were trained and tested on the same data by one comparison."
)


def write_external_tables(ledger: Ledger) -> Path:
    """Write results.md, external.csv and populations.csv of the external tests, and print the first; gives the folder.

    Raises:
        UserError: none of them was scored under the present protocol.
    """
    folder, found, old = ledger.folder, external_of(ledger), outdated(ledger)
    if found.scores.empty:
        raise UserError(f"{folder}: {'; '.join(old)}")
    notes = [f"{note}." for note in (*old, *ledger.notes)]
    text = render_grids(grids_of(found), [f"{found.patients}; {NOTE}", ALONE, *notes])
    write_table(folder / "external.csv", found.scores)
    write_table(folder / "populations.csv", found.populations)
    write_text(folder / "results.md", text, lasting=True)
    print(text, end="")
    print(f"table: {folder / 'results.md'}")
    return folder
