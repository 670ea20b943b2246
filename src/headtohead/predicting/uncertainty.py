"""Maps of how sure a prediction is, voxel by voxel."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from headtohead.errors import UserError

if TYPE_CHECKING:
    from headtohead.predicting.predictor import Estimate

Map = NDArray[np.float32]


def entropy(probability: Map) -> Map:
    """Binary entropy -p log2 p - (1 - p) log2 (1 - p) of a probability, or of the mean of several models.

    Source: Shannon 1948, doi:10.1002/j.1538-7305.1948.tb01338.x; as a map of segmentation: Mehrtash et al. 2020,
    doi:10.1109/TMI.2020.3006437.

    Args:
        probability: float32 in [0, 1], any shape.

    Returns:
        float32 in bits, the same shape: 0 where the answer is sure, 1 where it is a coin's.
    """
    inside = probability.astype(np.float64)
    bits = np.zeros(inside.shape)
    for share in (inside, 1 - inside):
        # What is certain adds nothing; without `where`, 0 log 0 would be NaN.
        bits -= share * np.log2(share, where=share > 0, out=np.zeros(inside.shape))
    return np.clip(bits, 0, 1).astype(np.float32)


class Spread:
    """Mean and variance of maps that come one after the other, without keeping them.

    Source: Welford 1962, doi:10.1080/00401706.1962.10490022; as a measure of what models disagree on: Lakshminarayanan
    et al. 2017, arXiv:1612.01474.
    """

    def __init__(self) -> None:
        """Start with no map."""
        self.maps = 0
        self._mean = self._squares = np.zeros(0)

    def add(self, probability: Map) -> None:
        """Take one more map: float32 in [0, 1], the same shape each time."""
        new = probability.astype(np.float64)
        self.maps += 1
        if self.maps == 1:
            self._mean, self._squares = new, np.zeros(new.shape)
            return
        off = new - self._mean
        self._mean = self._mean + off / self.maps
        self._squares = self._squares + off * (new - self._mean)

    @property
    def mean(self) -> Map:
        """Mean of the maps so far: float32."""
        return self._mean.astype(np.float32)

    @property
    def variance(self) -> Map | None:
        """Variance between the maps so far: float32, at most 0.25; None where there are not two of them."""
        return (self._squares / self.maps).astype(np.float32) if self.maps > 1 else None


def uncertainty_map(kind: str, estimate: "Estimate") -> Map:
    """Give the map that `--uncertainty` asks for.

    Args:
        kind: `entropy`, of the mean probability, in bits; or `variance`, between the models.
        estimate: what the models say.

    Returns:
        float32, the shape of the probability.

    Raises:
        UserError: a variance is wanted and there is one model only.
    """
    if kind == "entropy":
        return entropy(estimate.probability)
    if estimate.variance is None:
        raise UserError("--uncertainty variance: one model has none; add --ensemble, or take --uncertainty entropy")
    return estimate.variance
