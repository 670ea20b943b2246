"""One or several trained models at work as one: a scan goes in, its probability comes out."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Estimate:
    """What the models say of a scan, on the grid of `Scan.volume`.

    Attributes:
        probability: mean over the models: float32 [slices, H, W].
        variance: between the models, float32 of the same shape; None where there is one model.
    """

    probability: np.ndarray
    variance: np.ndarray | None
