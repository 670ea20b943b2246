"""A whole case cut off at its percentiles, and brought to mean 0 and deviation 1."""

from dataclasses import dataclass, replace

import numpy as np

from headtohead.preparing.step import Step, Undo, as_it_is
from headtohead.task import Case


@dataclass(frozen=True)
class Standardise(Step):
    """Cut off at percentiles of all channels, then scale each channel to mean 0 and deviation 1; constant: 0."""

    kind = "standardise"
    low: float  # percentile that is darkest
    high: float  # percentile that is brightest

    def apply(self, case: Case) -> tuple[Case, Undo]:
        """The images become float32."""
        values: np.ndarray = case.images
        volume = np.clip(values, *np.percentile(values, (self.low, self.high)))
        centre, spread = volume.mean(axis=(0, 1, 2)), volume.std(axis=(0, 1, 2))
        images = ((volume - centre) / np.where(spread > 0, spread, 1)).astype(np.float32)
        return replace(case, images=images), as_it_is
