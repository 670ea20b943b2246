"""The grid of a case: how many voxels, how large, and where they lie in the patient."""

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from headtohead.task.slicing import ACQUIRED, Slicing, slicing

Three = tuple[int, int, int]
Millimetres = tuple[float, float, float]

MISALIGNED = 0.1
"""Two grids are one if no voxels lie farther apart than this share of a voxel: headers are rounded in many ways."""


@dataclass(frozen=True, eq=False)
class Grid:
    """Three axes of voxels.

    Attributes:
        shape: voxels along each axis.
        affine: float64 [4, 4], from voxel indices to millimetres of NIfTI's world (right, front, head); None where
            nobody says, as of pictures, whose axes are slices, rows and columns.
    """

    shape: Three
    affine: NDArray[np.float64] | None = None

    def __post_init__(self) -> None:
        """Check it.

        Raises:
            ValueError: an axis has no voxel, or the affine has no inverse; in words for users.
        """
        if len(self.shape) != 3 or min(self.shape) < 1:
            raise ValueError(f"{'x'.join(map(str, self.shape))} voxels are not a grid of three axes")
        if self.affine is not None:
            slicing(self.affine)

    @property
    def spacing(self) -> Millimetres | None:
        """Millimetres between voxels along each axis; None where nobody says."""
        if self.affine is None:
            return None
        first, second, third = (float(step) for step in np.linalg.norm(self.affine[:3, :3], axis=0))
        return first, second, third

    def slices(self, plane: str = ACQUIRED) -> Slicing | None:
        """Decide how the grid is cut into slices; None where its axes are slices, rows and columns already.

        Args:
            plane: as `slicing` takes it.
        """
        return None if self.affine is None else slicing(self.affine, plane=plane, shape=self.shape)

    def is_that_of(self, other: "Grid") -> bool:
        """Say whether the voxels of two grids lie at the same points, up to the rounding of headers."""
        if self.shape != other.shape or (self.affine is None) != (other.affine is None):
            return False
        return self.apart(other) <= MISALIGNED

    def turned_like(self, other: "Grid", values: np.ndarray) -> "tuple[np.ndarray, Grid]":
        """View values with the axes of another grid, in its order and directions; nothing is resampled.

        Args:
            other: a grid with an affine, as this one has.
            values: any dtype, [*shape].

        Returns:
            The values, and the grid they lie on then.
        """
        own, wanted = self.slices("axial"), other.slices("axial")
        assert self.affine is not None and own is not None and wanted is not None
        turned = wanted.to_grid(own.to_slices(values))
        to_own = own.matrix(self.shape) @ np.linalg.inv(wanted.matrix(turned.shape))
        first, second, third = turned.shape
        return turned, Grid((first, second, third), self.affine @ to_own)

    def apart(self, other: "Grid") -> float:
        """Give how far voxels of the same index lie apart at most, in voxels of this grid's finest spacing.

        Args:
            other: a grid of the same shape.
        """
        if self.affine is None or other.affine is None:
            return 0.0
        corners = np.array([(*corner, 1) for corner in product(*((0, size - 1) for size in self.shape))])
        apart = np.linalg.norm((corners @ (self.affine - other.affine).T)[:, :3], axis=1).max()
        return float(apart / np.linalg.norm(self.affine[:3, :3], axis=0).min())
