"""Which slices are for training, validation and test: 80/10/10, by patient or (leaking) by slice."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from headtohead.cohort import Cohort
from headtohead.errors import UserError
from headtohead.saving import atomic_path

PARTS = ("train", "val", "test")
TENTH = 0.1


@dataclass(frozen=True)
class Split:
    """Global slice numbers of each part, ascending: int64 arrays."""

    kind: str
    seed: int
    train: np.ndarray
    val: np.ndarray
    test: np.ndarray

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
        """Count the patients that stand both in training and in validation or test."""
        patients = cohort.table["patient"].to_numpy()
        train, val, test = (set(patients[self.cases(cohort, part)]) for part in PARTS)
        return len(train & (val | test))

    def describe(self, cohort: Cohort) -> str:
        """One line for people: sizes, and the leak said aloud."""
        sizes = ", ".join(
            f"{len(getattr(self, part))} slices of {len(self.cases(cohort, part))} cases for {part}" for part in PARTS
        )
        leaking = self.leaking_patients(cohort)
        warning = f"; WARNING: {leaking} patients leak from training into validation or test" if leaking else ""
        return f"split by {self.kind}, seed {self.seed}: {sizes}{warning}"

    def write(self, cohort: Cohort, path: Path) -> None:
        """Write who is where as CSV: case, slice (counted from 1), part."""
        rows = []
        for part in PARTS:
            for number in getattr(self, part):
                case, index = cohort.case_of(int(number))
                rows.append((cohort.table["case"].iloc[case], index + 1, part))
        with atomic_path(path) as temporary:
            pd.DataFrame(rows, columns=["case", "slice", "part"]).to_csv(temporary, index=False)


def make_split(cohort: Cohort, kind: str, seed: int) -> Split:
    """Split a cohort 80/10/10.

    Args:
        cohort: what to split.
        kind: `patient` keeps all slices of a patient together and balances site and lesion volume between the
            parts; `slice` draws slices at random, as the field's notebooks do, so that patients leak.
        seed: another seed, another split; the same seed, the same split on every machine.

    Raises:
        UserError: too few patients or slices for three parts.
    """
    draw = _by_patient if kind == "patient" else _by_slice
    train, val, test = draw(cohort, np.random.default_rng(seed))
    return Split(kind, seed, np.sort(train), np.sort(val), np.sort(test))


def _by_slice(cohort: Cohort, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    order = rng.permutation(cohort.n_slices)
    tenth = max(1, round(TENTH * len(order)))
    if len(order) < 3:
        raise UserError(f"--root_dir {cohort.root}: {len(order)} slices cannot make three parts; add cases")
    return order[2 * tenth :], order[tenth : 2 * tenth], order[:tenth]


def _by_patient(cohort: Cohort, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    by_patient = cohort.table.groupby("patient").agg(site=("site", "first"), volume=("lesion_voxels", "sum"))
    if len(by_patient) < 3:
        raise UserError(f"--root_dir {cohort.root}: {len(by_patient)} patients cannot make three parts; add cases")
    # Neighbours in this order are alike; from each run of about ten, one goes to test and one to validation.
    ordered = by_patient.sort_values(["site", "volume"]).index.to_numpy()
    test, val = set(), set()
    for alike in np.array_split(ordered, max(1, round(TENTH * len(ordered)))):
        chosen = rng.choice(alike, size=2, replace=False)
        test.add(chosen[0])
        val.add(chosen[1])
    patients = cohort.table["patient"]
    return (
        _slices(cohort, ~patients.isin(test | val)),
        _slices(cohort, patients.isin(val)),
        _slices(cohort, patients.isin(test)),
    )


def _slices(cohort: Cohort, chosen: pd.Series) -> np.ndarray:
    return np.concatenate([cohort.slices_of(int(case)) for case in np.flatnonzero(chosen)])
