"""Who was tested: the cases of an external test beside those of the internal one."""

from collections.abc import Collection
from pathlib import Path

import pandas as pd

from headtohead.cohort import Cohort
from headtohead.errors import UserError
from headtohead.records.regular import UnreadableError
from headtohead.records.table_reader import read_table
from headtohead.runs.folder import RunFolder
from headtohead.statistics import populations
from headtohead.statistics.targets import over_targets


def both_populations(
    cases: pd.DataFrame, cohort: Cohort, stood_in: Collection[str], folder: Path | None, own: Cohort | None
) -> pd.DataFrame:
    """Tell what is known of the cases of both tests, as `populations.population_differences` takes it.

    Args:
        cases: rows of the external test, as in cases.csv.
        cohort: of the external test.
        stood_in: sequences of the model that others took the channel of.
        folder: of the model; where it is a run, its cases.csv is of the internal test.
        own: the cohort that the model was made from, where it is known.

    Raises:
        UserError: the internal test's table is damaged.
    """
    lacking = [" ".join(dict.fromkeys((*stood_in, *str(missing).split()))) for missing in cases["missing"]]
    both = [_described(cases.assign(missing=lacking), cohort).assign(cohort=populations.EXTERNAL)]
    if folder and (path := RunFolder(folder).cases).is_file():
        try:
            texts = dict.fromkeys(("case", "target", "patient", "site", "grade", "missing"), str)
            internal = over_targets(read_table(path, dtype=texts, keep_default_na=False, na_values=[""]))
            internal = internal.assign(missing=internal["missing"].fillna(""))
            both.insert(0, _described(internal, own).assign(cohort=populations.INTERNAL))
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
