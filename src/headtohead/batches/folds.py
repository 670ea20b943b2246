"""Cross-validation: which case is tested in which fold, so that every patient is tested exactly once.

The table of folds is a file of two columns, `case,fold`, that a comparison writes and a user can bring.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from headtohead.batches.sites import EVERY_SITE, fold_of_sites, site_of_folds
from headtohead.batches.splits import (
    FEWEST_TO_LEARN_FROM,
    Split,
    patients_in_order,
    runs_of_alike,
    slices_of_patients,
    tenth_of,
)
from headtohead.cohort import Cohort
from headtohead.errors import UserError
from headtohead.plurals import count_of
from headtohead.records.json_reader import read_json_list
from headtohead.records.regular import UnreadableError
from headtohead.records.table_reader import read_table
from headtohead.saving import write_table

EVERY_PATIENT = "patients"
COLUMNS = ["case", "fold"]
MEND = "write a row case,fold for each case, with folds counted from 0"
SPLITS = "splits_final.json"
"""Where nnU-Net keeps the folds of a data set."""
MEND_SPLITS = "list each case in val of one fold"


@dataclass(frozen=True)
class Folds:
    """Which fold tests a case.

    Attributes:
        table: columns case and fold, by case name; every case of a cohort once, folds counted from 0.
        seed: from which the validation patients of each fold are drawn.
        source: name of the file of nnU-Net that they are from; empty for others.
    """

    table: pd.DataFrame
    seed: int
    source: str = ""

    def __len__(self) -> int:
        return int(self.table["fold"].max()) + 1

    @property
    def key(self) -> str:
        """Hash of who is tested when and which seed draws the validation; moving one patient changes it."""
        lines = "".join(f"{case},{fold}\n" for case, fold in zip(self.table["case"], self.table["fold"], strict=True))
        return hashlib.blake2b(f"{self.seed}\n{lines}".encode(), digest_size=8).hexdigest()

    def split(self, cohort: Cohort, fold: int) -> Split:
        """Give the split of one fold: its cases for test, a tenth of all patients for validation, the rest to train.

        Raises:
            UserError: there is no such fold, or it leaves too few patients to train and validate with.
        """
        if not 0 <= fold < len(self):
            raise UserError(f"`fold` {fold}: give a number from 0 to {len(self) - 1}")
        tested = set(self.table.loc[self.table["fold"] == fold, "case"])
        patients = cohort.table["patient"]
        test = set(patients[cohort.table["case"].isin(tested)])
        others = [patient for patient in patients_in_order(cohort) if patient not in test]
        if len(others) < FEWEST_TO_LEARN_FROM:
            left = count_of(len(others), "patient")
            raise UserError(f"fold {fold} leaves {left} for training and validation; use more folds, or add patients")
        rng = np.random.default_rng((self.seed, fold))
        # A site can leave fewer patients than a tenth of all.
        wanted = min(tenth_of(patients.nunique()), len(others) // FEWEST_TO_LEARN_FROM)
        val = {str(rng.choice(alike)) for alike in runs_of_alike(others, wanted)}
        return Split(
            "patient",
            self.seed,
            slices_of_patients(cohort, set(patients) - test - val),
            slices_of_patients(cohort, val),
            slices_of_patients(cohort, test),
            fold=fold,
            folds=len(self),
            plan=self.key,
            source=self.source,
            site=site_of_folds(cohort, self.table).get(fold, ""),
        )

    def write(self, path: Path) -> None:
        """Write the table as a file that `read_folds` takes."""
        write_table(path, self.table)


def make_folds(cohort: Cohort, wanted: str, seed: int) -> Folds:
    """Deal the patients to folds that are alike in site and lesion volume, the same on every machine for a seed.

    `wanted` is a number of folds, `patients` for leave-one-patient-out, or `sites` for leave-one-site-out.

    Raises:
        UserError: more folds than there are patients to test, train and validate with, or no such sites.
    """
    if wanted == EVERY_SITE:
        folds = cohort.table["site"].map(fold_of_sites(cohort))
        return _ordered(pd.DataFrame({"case": cohort.table["case"], "fold": folds}), seed)
    ordered = patients_in_order(cohort)
    count = len(ordered) if wanted == EVERY_PATIENT else int(wanted)
    if count > len(ordered) or len(ordered) < 3:
        found = count_of(len(ordered), "patient")
        raise UserError(f"`folds` {wanted}: not possible with {found}; use fewer folds, or add patients")
    rng = np.random.default_rng(seed)
    fold_of: dict[str, int] = {}
    # Neighbours in this order are alike; each run of them is dealt to all folds, in an order redrawn.
    for start in range(0, len(ordered), count):
        alike = ordered[start : start + count]
        fold_of |= dict(zip(alike, rng.permutation(count)[: len(alike)].tolist(), strict=True))
    folds = cohort.table["patient"].map(fold_of)
    return _ordered(pd.DataFrame({"case": cohort.table["case"], "fold": folds}), seed)


def read_folds(path: Path, cohort: Cohort, seed: int) -> Folds:
    """Read the folds a user brings, and refuse those that would not test every patient exactly once.

    The file is a table `case,fold`, or splits_final.json of nnU-Net.

    Raises:
        UserError: the file is missing or no such table, a case is missing, unknown or there twice, a patient's cases
            are in different folds, or the folds are not counted from 0 without a gap.
    """
    return _checked(_table_of(path, f"`fold_file` {path}"), path, f"`fold_file` {path}", cohort, seed)


def folds_of_data_set(cohort: Cohort, wanted: str, seed: int) -> Folds | None:
    """Read the splits_final.json of a data set if it has as many folds as are wanted, and print whether it has.

    Raises:
        UserError: it cannot be read, or would not test every patient exactly once.
    """
    path = cohort.root / SPLITS
    if not path.is_file():
        return None
    table = _table_of(path, str(path), ", move it away, or give a table of columns case,fold with `fold_file`")
    if str(count := table["fold"].nunique()) != wanted:
        print(f"folds: not those of {path}, which has {count_of(count, 'fold')}")
        return None
    folds = _checked(table, path, str(path), cohort, seed, ", or give another number of `folds` to deal them anew")
    print(f"folds: those of {path}")
    return folds


def _table_of(path: Path, label: str, also: str = "") -> pd.DataFrame:
    """Read columns case and fold; errors begin with the label, and end with what `also` may be done."""
    mend = _mend(path) + also
    try:
        if path.suffix == ".json":
            table = _validated_in(read_json_list(path))
        else:
            table = read_table(path, dtype={"case": str}, keep_default_na=False)[COLUMNS]
        whole = pd.to_numeric(table["fold"], errors="raise")
        table["fold"] = whole.astype(int)
        if not (whole == table["fold"]).all():
            raise ValueError
    except FileNotFoundError:
        raise UserError(f"{label}: no such file") from None
    except UnreadableError as fault:
        raise UserError(f"{label}: not a table of folds ({fault}); {mend}") from None
    except (OSError, ValueError, KeyError, TypeError, OverflowError):
        raise UserError(f"{label}: not a table of folds; {mend}") from None
    return table


def _checked(table: pd.DataFrame, path: Path, label: str, cohort: Cohort, seed: int, also: str = "") -> Folds:
    """Make folds of what `_table_of` gave, unless they would not test every patient exactly once."""
    mend = _mend(path) + also
    known = set(cohort.table["case"])
    for problem, cases in (
        ("is listed twice", table["case"][table["case"].duplicated()]),
        ("is not in the data set", sorted(set(table["case"]) - known)),
        ("has no fold", sorted(known - set(table["case"]))),
    ):
        if len(cases):
            more = f" (and {len(cases) - 1} more)" if len(cases) > 1 else ""
            raise UserError(f"{label}: {next(iter(cases))} {problem}{more}; {mend}")
    count = table["fold"].nunique()
    if count < 2 or table["fold"].min() != 0 or table["fold"].max() != count - 1:
        raise UserError(f"{label}: there must be at least two folds, numbered without a gap; {mend}")
    patient_of = dict(zip(cohort.table["case"], cohort.table["patient"], strict=True))
    spread = table.groupby(table["case"].map(patient_of))["fold"].nunique()
    if (spread > 1).any():
        who = f"patient {spread.idxmax()} is in {spread.max()} folds and would leak"
        raise UserError(f"{label}: {who}; use one fold{also}")
    return _ordered(table, seed, path.name if path.suffix == ".json" else "")


def _mend(path: Path) -> str:
    return MEND_SPLITS if path.suffix == ".json" else MEND


def _validated_in(splits: list[Any]) -> pd.DataFrame:
    """Make a table of nnU-Net's splits_final.json: each case is tested in the fold that validates on it.

    Raises:
        ValueError: it is no list of folds of cases.
    """
    rows = [(case, fold) for fold, split in enumerate(splits) for case in split["val"]]
    if not all(isinstance(case, str) for case, _ in rows):
        raise ValueError("cases are names")
    return pd.DataFrame(rows, columns=COLUMNS)


def _ordered(table: pd.DataFrame, seed: int, source: str = "") -> Folds:
    return Folds(table.sort_values("case").reset_index(drop=True), seed, source)
