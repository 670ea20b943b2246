"""The score to beat: a threshold on the primary sequence, fitted on the training cases. It learns a number a target.

Lesions are bright on FLAIR, and so are scalp and eyes: the threshold looks only at the inner head, which the models'
normalisation knows as well. A network that does not clearly beat it has learnt nothing about lesions.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headtohead.cohort import Cohort
from headtohead.errors import UserError
from headtohead.scoring.counts import dice

LEVELS = 256
# In units of the case's own scale above its own centre: from most of the head to beyond the brightest voxel.
CANDIDATES = np.round(np.arange(-1.0, 12.0, 0.02), 2)


@dataclass(frozen=True)
class Histograms:
    """Histograms of the primary sequence in the chosen slices of each case, as one target divides them.

    Attributes:
        lesion: int64 [cases, 256], lesion voxels of the inner head per uint8 value.
        other: int64 [cases, 256], its other voxels.
        outside: int64 [cases], lesion voxels outside the inner head, which the threshold misses by design.
    """

    lesion: NDArray[np.int64]
    other: NDArray[np.int64]
    outside: NDArray[np.int64]

    def of_cases(self, cases: NDArray[np.int64]) -> "Histograms":
        """Keep some cases, by their index, and count nothing of the others."""
        kept = np.zeros(len(self.outside), bool)
        kept[cases] = True
        return Histograms(self.lesion * kept[:, None], self.other * kept[:, None], self.outside * kept)


def primary_histograms(cohort: Cohort, slices: NDArray[np.int64]) -> tuple[Histograms, ...]:
    """Count the primary sequence's values case by case, reading each slice once.

    Args:
        cohort: the data.
        slices: global slice numbers, in any order.
    """
    targets = cohort.task.targets
    shapes = ((len(cohort), LEVELS), (len(cohort), LEVELS), (len(cohort),))
    every = tuple(Histograms(*(np.zeros(shape, np.int64) for shape in shapes)) for _ in targets.all)
    for number in np.sort(np.asarray(slices)):
        case, index = cohort.case_of(int(number))
        inside = cohort.inner_heads(case)[index].astype(bool)
        grey = cohort.primary(case)[index][inside]
        for found, truth in zip(every, targets.encode(cohort.labels(case)[index]), strict=True):
            found.lesion[case] += np.bincount(grey[truth[inside]], minlength=LEVELS)
            found.other[case] += np.bincount(grey[~truth[inside]], minlength=LEVELS)
            found.outside[case] += np.count_nonzero(truth & ~inside)
    return every


def fit_thresholds(histograms: Sequence[Histograms], statistics: NDArray[np.float32]) -> list[float]:
    """Choose the threshold of each target, each by itself; see `fit_threshold`.

    Raises:
        UserError: if no training case has any of them.
    """
    found = [fit_threshold(one, statistics) for one in histograms]
    if all(math.isinf(threshold) for threshold in found):
        raise UserError(
            "the training cases hold no lesion, so no threshold can be fitted: check the masks or the split"
        )
    return found


def fit_threshold(histograms: Histograms, statistics: NDArray[np.float32]) -> float:
    """Choose the threshold with the best mean Dice per training case.

    Args:
        histograms: of the training slices.
        statistics: centre and scale of the primary sequence of each case in uint8 units, [cases, 2].

    Returns:
        The threshold, in scales above the centre; infinite if no training case has a lesion. Cases without one among
        the slices do not count.
    """
    cases = np.flatnonzero(histograms.lesion.sum(axis=1))
    if not cases.size:
        return math.inf
    mean = np.mean([dice(*_counts(histograms, statistics, int(case), CANDIDATES)) for case in cases], axis=0)
    return float(CANDIDATES[np.argmax(mean)])


def apply_threshold(
    grey: NDArray[np.uint8], inner: NDArray[np.uint8], statistics: NDArray[np.float32], threshold: float
) -> NDArray[np.bool_]:
    """Predict slices of one case with a threshold: bool [slices, H, W].

    Args:
        grey: the primary sequence, uint8 [slices, H, W].
        inner: the inner head, {0, 1}, same shape.
        statistics: its centre and scale in uint8 units, [2].
        threshold: in scales above the centre; a voxel at the threshold is lesion.
    """
    return inner.astype(bool) & (grey >= _level(statistics, np.array(threshold)))


def _counts(
    histograms: Histograms, statistics: NDArray[np.float32], case: int, thresholds: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """TP, FP, FN of one case at each threshold: sums of the histogram from the threshold's level upwards."""
    level = _level(statistics[case], thresholds)
    lesion, other = histograms.lesion[case], histograms.other[case]
    tp, fp = (np.append(np.cumsum(column[::-1])[::-1], 0)[level] for column in (lesion, other))
    return tp, fp, lesion.sum() + histograms.outside[case] - tp


def _level(statistics: NDArray[np.float32], thresholds: NDArray[np.float64]) -> NDArray[np.int64]:
    """The smallest uint8 value at or above each threshold: with 256 values it stands for it exactly."""
    centre, scale = (float(value) for value in statistics)
    return np.clip(np.ceil(centre + thresholds * scale), 0, LEVELS).astype(np.int64)
