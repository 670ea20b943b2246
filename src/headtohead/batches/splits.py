"""Which slices are for training, validation and test: 80/10/10, by patient or (leaking) by slice, or as published.

`folds` makes the splits of a cross-validation out of the same parts.
"""

import hashlib
import random
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from headtohead.cohort import Cohort
from headtohead.errors import UserError
from headtohead.plurals import count_of
from headtohead.saving import write_table

PARTS = ("train", "val", "test")
TENTH = 0.1
ALL = "all"
"""The kind of a split that trains on nothing: every case is a test case."""
BUDA = "buda"
BUDA_SEED, BUDA_PATIENTS = 42, 10
"""Of the published split: ten patients drawn from the sorted names by Python's own generator."""
FEWEST_TO_LEARN_FROM = 2
"""Patients: one to train with and one to validate with."""


@dataclass(frozen=True)
class Split:
    """Global slice numbers of each part, ascending: int64 arrays.

    Attributes:
        kind: what is kept apart: `patient` or `slice`; or `buda`, the published split by patient; or `all`, where
            nothing is trained and all is tested.
        seed: what it was drawn from.
        train: slices to learn from.
        val: slices to choose the best epoch by.
        test: slices to score.
        fold: which one of a cross-validation it is, from 0.
        folds: how many splits there are.
        plan: key of the table of folds it belongs to; empty for a split that stands alone.
        source: name of the file of nnU-Net that the folds are from; empty for others.
        site: the site that is tested, where each fold is one of the sites; empty for others.
    """

    kind: str
    seed: int
    train: np.ndarray
    val: np.ndarray
    test: np.ndarray
    fold: int = 0
    folds: int = 1
    plan: str = ""
    source: str = ""
    site: str = ""

    @property
    def key(self) -> str:
        """Hash of who is in which part; the same key means the same split."""
        digest = hashlib.blake2b(digest_size=8)
        for part in PARTS:
            digest.update(part.encode() + getattr(self, part).astype("<i8").tobytes())
        return digest.hexdigest()

    def cases(self, cohort: Cohort, part: str) -> np.ndarray:
        """Indices of the cases that have a slice in `part`, ascending."""
        firsts = cohort.table["first"].to_numpy()
        return np.unique(np.searchsorted(firsts, getattr(self, part), side="right") - 1)

    def leaking_patients(self, cohort: Cohort) -> int:
        """Count the patients that are in training and also in validation or test."""
        patients = cohort.table["patient"].to_numpy()
        train, val, test = (set(patients[self.cases(cohort, part)]) for part in PARTS)
        return len(train & (val | test))

    @property
    def chosen_on_test(self) -> bool:
        """Whether the best epoch is chosen on slices that are then tested."""
        return bool(np.isin(self.val, self.test).any())

    def describe(self, cohort: Cohort) -> str:
        """Describe the split in one line: sizes, and a warning if patients leak or the test chooses the epoch."""
        slices = {part: count_of(len(getattr(self, part)), "slice") for part in PARTS}
        cases = {part: count_of(len(self.cases(cohort, part)), "case") for part in PARTS}
        sizes = ", ".join(f"{slices[part]} of {cases[part]} for {part}" for part in PARTS)
        leaking = self.leaking_patients(cohort)
        who = "1 patient leaks" if leaking == 1 else f"{leaking} patients leak"
        warning = f"; WARNING: {who} from training into validation or test" if leaking else ""
        if self.chosen_on_test:
            warning += "; WARNING: validation cases are test cases, so that the best epoch is chosen by its test score"
        which = f", fold {self.fold} of {self.folds}" if self.folds > 1 else ""
        which += f" (site {self.site})" if self.site else ""
        return f"split by {self.kind}, seed {self.seed}{which}: {sizes}{warning}"

    def write(self, cohort: Cohort, path: Path) -> None:
        """Write who is where as CSV: case, slice (counted from 1), part."""
        rows = []
        for part in PARTS:
            for number in getattr(self, part):
                case, index = cohort.case_of(int(number))
                rows.append((cohort.table["case"].iloc[case], index + 1, part))
        write_table(path, pd.DataFrame(rows, columns=["case", "slice", "part"]))


def make_split(cohort: Cohort, kind: str, seed: int) -> Split:
    """Split a cohort 80/10/10, the same on every machine for a seed.

    Of kind `patient`, all slices of a patient stay together, and site and lesion volume are balanced between the parts;
    of kind `slice`, slices are drawn at random, as the field's notebooks do, so that patients leak. Of kind `buda`,
    ten patients are validation and test at once, as published, whatever the seed.

    Raises:
        UserError: too few patients or slices for three parts.
    """
    if kind == BUDA:
        return _published(cohort)
    draw = _by_patient if kind == "patient" else _by_slice
    train, val, test = draw(cohort, np.random.default_rng(seed))
    return Split(kind, seed, np.sort(train), np.sort(val), np.sort(test))


def whole_split(cohort: Cohort) -> Split:
    """Test every slice of a cohort."""
    nothing = np.zeros(0, np.int64)
    return Split(ALL, 0, nothing, nothing, np.arange(cohort.n_slices))


def _by_slice(cohort: Cohort, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    order = rng.permutation(cohort.n_slices)
    tenth = max(1, round(TENTH * len(order)))
    if len(order) < 3:
        raise UserError(
            f"`root_dir` {cohort.root}: {count_of(len(order), 'slice')} cannot be split into three parts; add cases"
        )
    return order[2 * tenth :], order[tenth : 2 * tenth], order[:tenth]


def _by_patient(cohort: Cohort, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    ordered = patients_in_order(cohort)
    if len(ordered) < 3:
        # No --fold_file would help: of each fold, too, patients are left for training and for validation.
        raise UserError(
            f"`root_dir` {cohort.root}: {count_of(len(ordered), 'patient')} cannot be split into three parts; add "
            "patients, or use `split=slice`, under which patients leak"
        )
    test, val = set(), set()
    for alike in runs_of_alike(ordered, tenth_of(len(ordered))):
        chosen = rng.choice(alike, size=2, replace=False)
        test.add(str(chosen[0]))
        val.add(str(chosen[1]))
    parts = (set(ordered) - test - val, val, test)
    train, val_slices, test_slices = (slices_of_patients(cohort, part) for part in parts)
    return train, val_slices, test_slices


def _published(cohort: Cohort) -> Split:
    """Split as the training code of Buda et al. did, which had no test set: its scores are of the validation patients.

    Source: Buda, Saha, Mazurowski, Comput Biol Med 109:218-225, 2019, doi:10.1016/j.compbiomed.2019.05.002.
    """
    names = sorted({str(name) for name in cohort.table["patient"]})
    if len(names) <= BUDA_PATIENTS:
        raise UserError(
            f"`split=buda`: sets {BUDA_PATIENTS} patients apart, and {cohort.root} has "
            f"{count_of(len(names), 'patient')}; use `split=patient`"
        )
    chosen = set(random.Random(BUDA_SEED).sample(names, BUDA_PATIENTS))
    train, val = (slices_of_patients(cohort, part) for part in (set(names) - chosen, chosen))
    return Split(BUDA, BUDA_SEED, train, val, val)


def patients_in_order(cohort: Cohort) -> list[str]:
    """List the patients so that neighbours are alike: by site, then by lesion volume."""
    by_patient = cohort.table.groupby("patient").agg(site=("site", "first"), volume=("lesion_voxels", "sum"))
    return [str(name) for name in by_patient.sort_values(["site", "volume"]).index]


def tenth_of(patients: int) -> int:
    """How many patients a part of a tenth has: at least one."""
    return max(1, round(TENTH * patients))


def runs_of_alike(ordered: list[str], count: int) -> list[np.ndarray]:
    """Cut the ordered patients into `count` runs of neighbours, from each of which a part takes one."""
    return np.array_split(np.array(ordered), count)


def slices_of_patients(cohort: Cohort, patients: set[str]) -> np.ndarray:
    """Global numbers of all slices of some patients, ascending: int64."""
    chosen = np.flatnonzero(cohort.table["patient"].isin(patients))
    return np.concatenate([cohort.slices_of(int(case)) for case in chosen])
