"""A case: one patient's scan as it was read, on its own grid."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headtohead.task.grid import Grid


@dataclass(frozen=True, eq=False)
class Case:
    """One patient's scan.

    Attributes:
        name: of the case; no two cases of a data set share one.
        images: [*grid, C] of any real type, finite; the channels are the task's sequences, in order.
        grid: where the voxels lie.
        labels: uint8 or uint16 [*grid], the label map; None where nobody drew one.
        missing: sequences that were not taken, whose channels hold what stands in for them.
    """

    name: str
    images: NDArray[np.generic]
    grid: Grid
    labels: NDArray[np.unsignedinteger] | None = None
    missing: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Check that all of it lies on the grid.

        Raises:
            ValueError: images or labels have another shape.
        """
        if self.images.ndim != 4 or self.images.shape[:3] != self.grid.shape:
            raise ValueError(f"{self.name}: images {self.images.shape} do not lie on the grid {self.grid.shape}")
        if self.labels is not None and self.labels.shape != self.grid.shape:
            raise ValueError(f"{self.name}: labels {self.labels.shape} do not lie on the grid {self.grid.shape}")


def finite(volume: np.ndarray) -> np.ndarray:
    """Give a volume as float32, with 0 for what is not finite, or too large to be."""
    with np.errstate(over="ignore"):  # what float32 does not hold is infinite
        values = volume.astype(np.float32, copy=False)
    if not np.isfinite(values).all():
        values = np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0)
    return values
