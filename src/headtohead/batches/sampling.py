"""Which slices come in which batch of an epoch, and in which order: all of it drawn from (seed, epoch)."""

import math
from collections.abc import Iterator

import numpy as np
from torch.utils.data import Sampler

from headtohead.cohort import Cohort

Key = tuple[int, ...]
"""(epoch, global slice number) and, where an epoch may show a slice twice, which draw of the epoch it is: what a
sampler asks a dataset for, and all that augmentation depends on besides the seed."""

LESION_WEIGHTED = "lesion_weighted"
EVENLY = 0.1
"""Share of a draw's weight that is spread evenly over the slices of a patient, next to that of the lesion."""


class EpochSampler(Sampler[list[Key]]):
    """Batches of one epoch: shuffled, with a share of the lesion-free slices redrawn each time."""

    def __init__(
        self,
        slices: np.ndarray,
        has_lesion: np.ndarray,
        empty_share: float,
        batch_size: int,
        seed: int,
    ) -> None:
        """Take the training `slices` (global numbers) and whether each has a lesion."""
        self.lesion, self.empty = slices[has_lesion], slices[~has_lesion]
        self.n_empty = math.ceil(empty_share * len(self.empty))
        self.batch_size, self.seed = batch_size, seed
        self.epoch = 0

    @property
    def sampler(self) -> "EpochSampler":
        """Itself: Lightning tells the epoch to `batch_sampler.sampler`, and to no batch sampler."""
        return self

    def set_epoch(self, epoch: int) -> None:
        """Say which epoch comes next; Lightning does, also after a resume."""
        self.epoch = epoch

    def __iter__(self) -> Iterator[list[Key]]:
        rng = np.random.default_rng((self.seed, self.epoch))
        chosen = np.concatenate([self.lesion, rng.permutation(self.empty)[: self.n_empty]])
        order = rng.permutation(chosen)
        for start in range(0, len(order), self.batch_size):
            yield [(self.epoch, int(number)) for number in order[start : start + self.batch_size]]

    def __len__(self) -> int:
        return math.ceil((len(self.lesion) + self.n_empty) / self.batch_size)


class LesionWeightedSampler(EpochSampler):
    """Batches of one epoch: a patient drawn evenly, then one of its slices, the likelier the more lesion it shows.

    An epoch draws as many slices as there are, with replacement, so that it shows some twice and others not at all.
    Source: the training of Buda, Saha, Mazurowski, Comput Biol Med 109:218-225, 2019,
    doi:10.1016/j.compbiomed.2019.05.002.
    """

    def __init__(self, slices: np.ndarray, patients: np.ndarray, areas: np.ndarray, batch_size: int, seed: int) -> None:
        """Take the training `slices` (global numbers), and of each whose it is and how many pixels of lesion it has."""
        super().__init__(slices, areas > 0, 1.0, batch_size, seed)
        own = [np.flatnonzero(patients == patient) for patient in np.unique(patients)]
        self.slices = [slices[places] for places in own]
        self.upto = [np.cumsum(slice_weights(areas[places])) for places in own]

    def __iter__(self) -> Iterator[list[Key]]:
        rng = np.random.default_rng((self.seed, self.epoch))
        total = sum(map(len, self.slices))
        patients, shares = rng.integers(len(self.slices), size=total), rng.random(total)
        drawn: list[Key] = []
        for draw, (patient, share) in enumerate(zip(patients.tolist(), shares.tolist(), strict=True)):
            own = self.slices[patient]
            place = min(int(np.searchsorted(self.upto[patient], share, side="right")), len(own) - 1)
            drawn.append((self.epoch, int(own[place]), draw))
        for start in range(0, total, self.batch_size):
            yield drawn[start : start + self.batch_size]


def slice_weights(areas: np.ndarray) -> np.ndarray:
    """Give the probability of each slice of a patient: (s + 0.1 S / n) / (1.1 S).

    s are the `areas` of lesion of its n slices, [n], in pixels, and S is their sum. Of a patient without a lesion, of
    which the formula says nothing, all slices are alike.
    """
    count, total = len(areas), float(areas.sum())
    if total == 0:
        return np.full(count, 1 / count)
    return (areas + EVENLY * total / count) / ((1 + EVENLY) * total)


class CaseSampler(Sampler[list[Key]]):
    """Batches for scoring: slices in order, never of two cases at once, since their grids may differ."""

    def __init__(self, cohort: Cohort, slices: np.ndarray, batch_size: int) -> None:
        """Take the `slices` to score (global numbers)."""
        self.batches: list[list[Key]] = []
        cases = np.array([cohort.case_of(int(number))[0] for number in slices])
        for case in np.unique(cases):
            own = slices[cases == case]
            parts = (own[start : start + batch_size] for start in range(0, len(own), batch_size))
            self.batches += [[(0, int(number)) for number in part] for part in parts]

    def __iter__(self) -> Iterator[list[Key]]:
        return iter(self.batches)

    def __len__(self) -> int:
        return len(self.batches)
