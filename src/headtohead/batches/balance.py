"""How many pixels of an epoch each target has."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headtohead.batches.datamodule import SliceDataset


@dataclass(frozen=True)
class TargetPixels:
    """Pixels of one epoch.

    Attributes:
        all: those of all its slices.
        held: those of each target, int64 [K].
    """

    all: int
    held: NDArray[np.int64]


def pixels_of_targets(dataset: SliceDataset, slices: NDArray[np.int64], empty_share: float) -> TargetPixels:
    """Count the pixels of an epoch of `slices` (global numbers) at the model's size, not augmented, each drawn once.

    Of the slices without a target, an epoch has the share that `EpochSampler` draws.
    """
    shown = dataset.cases.shown(slices)
    with_target = dataset.cases.has_lesion(shown)
    held, side = np.zeros(len(dataset.cohort.task.targets), np.int64), dataset.recipe.chain.size
    for number in shown[with_target]:
        held += np.count_nonzero(dataset.mask(int(number)), axis=(0, 1))
    count = int(with_target.sum()) + math.ceil(empty_share * int((~with_target).sum()))
    return TargetPixels(count * side**2, held)
