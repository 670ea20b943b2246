"""A packed copy on disk: its table, and whether all of it is there."""

from pathlib import Path
from typing import TYPE_CHECKING

from headtohead.cohort.cohort import PIXELS, STATISTICS, packed_file, read_statistics
from headtohead.records.regular import UnreadableError
from headtohead.records.table_reader import read_table

if TYPE_CHECKING:
    import pandas as pd


def read_case_table(copy: Path) -> "pd.DataFrame":
    """Read the case table of a packed copy, as `Cohort.table` describes it."""
    names = dict.fromkeys(("case", "patient", "site", "missing"), str)  # a case may be called 001
    missing = {"age_at_initial_pathologic": ""}
    return read_table(copy / "cases.csv", keep_default_na=False, na_values=missing, dtype=names)


def is_whole(copy: Path, channels: int) -> bool:
    """Say whether the files of a packed copy of so many channels are there, and of the sizes that its table says."""
    try:
        table = read_case_table(copy)
        voxels = int(table[["slices", "height", "width"]].astype("int64").prod(axis=1).sum())
        first = table["slices"].cumsum() - table["slices"]
        for name in STATISTICS:
            read_statistics(copy, name, len(table), channels)
        for name in PIXELS:
            path, kind = packed_file(copy, name)
            if path.stat().st_size != voxels * kind.itemsize * (channels if name == "images" else 1):
                return False
        return len(table) > 0 and bool((table["first"] == first).all())
    except (OSError, UnreadableError, ValueError, LookupError, TypeError):
        return False
