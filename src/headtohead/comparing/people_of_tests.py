"""Who was tested in an external test and in the internal one: what population.csv says of each case."""

import pandas as pd

from headtohead.cohort import Cohort
from headtohead.errors import UserError
from headtohead.records.regular import UnreadableError
from headtohead.records.table_reader import read_table
from headtohead.runs.folder import RunFolder
from headtohead.statistics import populations
from headtohead.statistics.targets import over_targets


def people_of_both(
    cases: pd.DataFrame, cohort: Cohort, stood_in: list[str], run: RunFolder | None, known: Cohort | None
) -> pd.DataFrame:
    """Collect what is known of the cases of both tests, as `populations.population_differences` takes it.

    Args:
        cases: of the external test, as in cases.csv; one row a case.
        cohort: of the external test.
        stood_in: the sequences of the model that others stand in for.
        run: where the internal test is; None where there is no folder of the model.
        known: the data of the internal test, where they are still packed.

    Raises:
        UserError: cases.csv of the run is damaged.
    """
    lacking = [" ".join(dict.fromkeys((*stood_in, *str(missing).split()))) for missing in cases["missing"]]
    both = [_described(cases.assign(missing=lacking), cohort).assign(cohort=populations.EXTERNAL)]
    if run and (path := run.cases).is_file():
        try:
            texts = dict.fromkeys(("case", "target", "patient", "site", "grade", "missing"), str)
            internal = over_targets(read_table(path, dtype=texts, keep_default_na=False, na_values=[""]))
            internal = internal.assign(missing=internal["missing"].fillna(""))
            both.insert(0, _described(internal, known).assign(cohort=populations.INTERNAL))
        except (UnreadableError, KeyError, ValueError) as fault:
            raise UserError(f"{path}: damaged ({fault}); run `test` on the run's own data again") from None
    return pd.concat(both, ignore_index=True)


def _described(cases: pd.DataFrame, cohort: Cohort | None) -> pd.DataFrame:
    names = ["case", "patient", "site", "missing", "slices", "lesion_voxels", "lesion_ml"]
    table = cases[[name for name in names if name in cases]]
    known = cohort.table if cohort is not None else pd.DataFrame({"case": pd.Series(dtype=str)})
    if "spacing_slices" not in known:
        return table
    spacing = known[["case", "spacing_slices", "spacing_rows"]].rename(columns={"spacing_rows": "spacing_pixels"})
    return table.astype({"case": str}).merge(spacing, on="case", how="left")
