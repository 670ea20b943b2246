"""Near-duplicate slices of different patients: pictures that a split by patient would let into training and test.

Every slice gets a perceptual hash, 63 bits that survive noise, brightness and recompression; slices whose hashes are
near are candidates. Heads are alike, so hashes alone would accuse thousands of pairs: a candidate counts only if its
fine detail (the picture less its own blur) correlates too.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from headtohead.cohort import Cohort
from headtohead.cohort.known_slices import BLUR, perceptual_hash, shrink

if TYPE_CHECKING:
    import pandas as pd

NEAR = 10  # bits of the hash in which a candidate may differ
ALIKE = 0.9  # correlation of the detail from which two slices are near-duplicates
FAINT = 2.0  # grey levels: with less detail (standard deviation) there is nothing to compare
SHOWN = 4  # of the most alike pairs


@dataclass(frozen=True)
class Duplicates:
    """What was found.

    Attributes:
        pairs: one row a pair of near-duplicates, the most alike first: case_a, slice_a (from 1), case_b, slice_b,
            bits (in which the hashes differ), correlation.
        nearest: the most alike candidates in the same columns, near-duplicates or not: how far off the others are.
        compared: number of slices compared.
        faint: number of slices left out, because they hold next to nothing.
    """

    pairs: "pd.DataFrame"
    nearest: "pd.DataFrame"
    compared: int
    faint: int


def find_duplicates(cohort: Cohort) -> Duplicates:
    """Compare the primary sequence of every slice with that of every other patient's slices.

    A copy with noise, other brightness or contrast, other compression or moved by one pixel is found; one that is
    mirrored, turned or cropped is not. Memory: 16 kB a slice. Time: some seconds for 4,000 slices.
    """
    import pandas as pd

    hashes, details, owners, places = [], [], [], []
    patients = pd.factorize(cohort.table["patient"])[0]
    faint = 0
    for case in range(len(cohort)):
        for index, image in enumerate(cohort.primary(case)):
            small = shrink(image)
            detail = fine_detail(small)
            if detail is None:
                faint += 1
                continue
            hashes.append(perceptual_hash(small))
            details.append(detail)
            owners.append(patients[case])
            places.append((cohort.table["case"].iloc[case], index + 1))
    found = _candidates(np.array(hashes, np.uint64), np.array(details, np.float32), np.array(owners))
    rows = [(*places[a], *places[b], bits, correlation) for a, b, bits, correlation in found]
    table = pd.DataFrame(rows, columns=["case_a", "slice_a", "case_b", "slice_b", "bits", "correlation"])
    table = table.sort_values("correlation", ascending=False, kind="stable", ignore_index=True)
    return Duplicates(table[table["correlation"] >= ALIKE], table.head(SHOWN), compared=len(hashes), faint=faint)


def fine_detail(small: np.ndarray) -> np.ndarray | None:
    """The detail of a slice, float32 [SIDE, SIDE], as a vector of length 1 and mean 0; None where there is too little.

    A product of two is their correlation.
    """
    detail = (small - cv2.GaussianBlur(small, (0, 0), BLUR)).ravel()
    detail -= detail.mean()
    if detail.std() < FAINT:
        return None
    return np.asarray(detail / np.linalg.norm(detail), np.float32)


def _candidates(hashes: np.ndarray, details: np.ndarray, owners: np.ndarray) -> list[tuple[int, int, int, float]]:
    """Pairs of different owners whose hashes are near, each once: (first, second, bits, correlation)."""
    found: list[tuple[int, int, int, float]] = []
    for one in range(len(hashes) - 1):
        bits = np.bitwise_count(hashes[one + 1 :] ^ hashes[one])
        others = one + 1 + np.flatnonzero((bits <= NEAR) & (owners[one + 1 :] != owners[one]))
        correlations = details[others] @ details[one]
        found += [
            (one, int(other), int(bits[other - one - 1]), float(correlation))
            for other, correlation in zip(others, correlations, strict=True)
        ]
    return found
