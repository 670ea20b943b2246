"""The external tests of a run or a bundle: folders below its own, read as a run folder is, with who was tested."""

from pathlib import Path
from typing import TYPE_CHECKING

from headtohead.errors import UserError
from headtohead.records.regular import UnreadableError
from headtohead.records.table_reader import read_table
from headtohead.runs.folder import EXTERNAL, POPULATION
from headtohead.runs.ledger import ExternalTest
from headtohead.runs.record import FILE, read_record
from headtohead.runs.run import Run
from headtohead.runs.tables import BrokenTableError, read_cases_table

if TYPE_CHECKING:
    import pandas as pd

CERTAIN = "patients and pixels"
"""What run.json of an external test says where both were compared, so that its patients are known to be new."""

TEXTS = ("cohort", "case", "patient", "site", "missing")
NUMBERS = ("slices", "lesion_voxels", "lesion_ml", "spacing_slices", "spacing_pixels")


def read_external_tests(run_folder: Path) -> tuple[list[ExternalTest], list[str]]:
    """Read the external tests of a run; what is half-written or damaged is left out, with a note of each."""
    found, notes = [], []
    places = sorted((run_folder / EXTERNAL).iterdir()) if (run_folder / EXTERNAL).is_dir() else []
    for place in places:
        if place.name.startswith(".") or not place.is_dir():
            continue
        try:
            found.append(read_external_test(place))
        except UserError as fault:
            notes.append(f"{run_folder.name}: its external test on {place.name} left out: {fault}")
    return found, notes


def read_external_test(folder: Path) -> ExternalTest:
    """Read the folder of an external test.

    Raises:
        UserError: it is half-written or damaged.
    """
    again = "delete the folder and test again"
    try:
        record = read_record(folder)
        run = Run(folder, record, str(record.get("status")))
        if run.status != "finished" or not isinstance(record.get("external"), dict) or not run.experiment["model"]:
            raise UserError(f"its {FILE} does not describe an external test; {again}")
        home = folder.parents[1]
        people, bundle = _read_people(folder / POPULATION), not (home / FILE).is_file()
        return ExternalTest(home.name, run, read_cases_table(run), people, bundle)
    except BrokenTableError as fault:
        raise UserError(str(fault)) from None
    except FileNotFoundError as fault:
        raise UserError(f"it has no {Path(fault.filename or FILE).name}; {again}") from None
    except (UnreadableError, LookupError, ValueError, TypeError, AttributeError) as fault:
        raise UserError(f"a file of it cannot be read ({fault}); {again}") from None


def _read_people(path: Path) -> "pd.DataFrame":
    table = read_table(path, keep_default_na=False, na_values=[""])
    columns = dict.fromkeys(TEXTS, str) | {name: float for name in NUMBERS if name in table}
    table[list(TEXTS)] = table[list(TEXTS)].astype(object).fillna("")  # a column may hold nothing at all
    return table.astype(columns)
