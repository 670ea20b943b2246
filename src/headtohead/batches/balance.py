"""How many pixels of an epoch each target has."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headtohead.cohort import Cohort
from headtohead.preparing.chain import Chain


@dataclass(frozen=True)
class TargetPixels:
    """Pixels of one epoch.

    Attributes:
        all: those of all its slices.
        held: those of each target, int64 [K].
    """

    all: int
    held: NDArray[np.int64]


def pixels_of_targets(cohort: Cohort, slices: NDArray[np.int64], chain: Chain, empty_share: float) -> TargetPixels:
    """Count the pixels of an epoch of `slices` (global numbers) at the model's size, without augmentation.

    Of the slices without a target, an epoch has the share that `EpochSampler` draws.
    """
    with_target = cohort.has_lesion()[slices]
    held = np.zeros(len(cohort.task.targets), np.int64)
    for number in slices[with_target]:
        case, index = cohort.case_of(int(number))
        truth = cohort.task.targets.encode(cohort.labels(case)[index])
        held += [int(np.count_nonzero(chain.resize.fit_mask(channel))) for channel in truth]
    shown = int(with_target.sum()) + math.ceil(empty_share * int((~with_target).sum()))
    return TargetPixels(shown * chain.size**2, held)
