"""How a grid of three axes is cut into slices, whichever way its axes run, and how slices become the grid again.

Only the world decides, that is, the millimetres to which a file's affine leads: a flipped, permuted or quarter-turned
copy of a volume gives the same slices.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations

import numpy as np

COARSE = 1.2
"""How many times the finest spacing the coarsest must be, for its axis to be the one a scanner moved along."""

PLANES = {"axial": "SPL", "coronal": "AIL", "sagittal": "LIP"}
"""Where slices, rows and columns of a plane run toward: L left, R right, A front, P back, S head, I feet. A reader sees
the patient from the feet, the face or the side, and the patient's left on the right, as radiologists do."""

ACQUIRED = "acquired"
"""In place of a plane: that in which the scanner moved least far from voxel to voxel."""

WORLD = ("RL", "AP", "SI")
"""The two directions along each axis of NIfTI's world, the positive one first: x grows to the right, y to the front."""


@dataclass(frozen=True)
class Slicing:
    """A grid of three axes as slices, and slices as the grid; made by `slicing`.

    Attributes:
        plane: axial, coronal or sagittal: the one nearest to the slices.
        axes: the grid's axes that become slices, rows and columns.
        flipped: which of these three run the other way on the grid.
        spacing: millimetres between slices, rows and columns.
    """

    plane: str
    axes: tuple[int, int, int]
    flipped: tuple[bool, bool, bool]
    spacing: tuple[float, float, float]

    @property
    def slice_axis(self) -> int:
        """The grid's axis across which the slices lie."""
        return self.axes[0]

    @property
    def codes(self) -> str:
        """Where slices, rows and columns run toward, such as `SPL`."""
        return PLANES[self.plane]

    @property
    def sides(self) -> dict[str, str]:
        """Which side of the patient lies at the left, right, top and bottom of a slice, as in `PLANES`."""
        down, right = self.codes[1], self.codes[2]
        return {"left": _opposite(right), "right": right, "top": _opposite(down), "bottom": down}

    def to_slices(self, values: np.ndarray) -> np.ndarray:
        """View values on the grid as slices.

        Args:
            values: any dtype, the grid's three axes first; further ones (channels) stay last.

        Returns:
            A view [slices, H, W, ...].
        """
        return np.transpose(values, (*self.axes, *range(3, values.ndim)))[self._turn]

    def to_grid(self, slices: np.ndarray) -> np.ndarray:
        """View slices as values on the grid: the exact inverse of `to_slices`."""
        back = tuple(int(axis) for axis in np.argsort(self.axes))
        return np.transpose(slices[self._turn], (*back, *range(3, slices.ndim)))

    def matrix(self, shape: Sequence[int]) -> np.ndarray:
        """Give the affine [4, 4] from slice, row and column to the indices of a grid of three sizes."""
        found = np.zeros((4, 4))
        found[3, 3] = 1
        for place, (axis, flipped) in enumerate(zip(self.axes, self.flipped, strict=True)):
            found[axis, place] = -1 if flipped else 1
            found[axis, 3] = shape[axis] - 1 if flipped else 0
        return found

    @property
    def _turn(self) -> tuple[slice, ...]:
        return tuple(slice(None, None, -1 if flipped else 1) for flipped in self.flipped)


def slicing(affine: np.ndarray, plane: str = "acquired", shape: Sequence[int] | None = None) -> Slicing:
    """Decide how a volume is cut into slices.

    `acquired` cuts across the axis along which the scanner moved: the one of the coarsest spacing if that is more than
    `COARSE` times the finest, or the only one with a single voxel; otherwise the cut is axial.

    Args:
        affine: [4, 4], from voxel indices to millimetres of NIfTI's world (right, front, head).
        plane: axial, coronal, sagittal or acquired.
        shape: the grid's three sizes, if they are to be considered.

    Raises:
        ValueError: the affine has no inverse, in words for users.
    """
    linear = np.asarray(affine, np.float64)[:3, :3]
    if not (np.isfinite(linear).all() and abs(np.linalg.det(_unit(linear))) > 1e-6):
        raise ValueError("its affine has no inverse: its axes are not three directions in space")
    steps = np.linalg.norm(linear, axis=0)
    grid_axes = _nearest(_unit(linear))
    if plane == "acquired":
        plane = _acquired(steps[list(grid_axes)], None if shape is None else [shape[axis] for axis in grid_axes])
    axes, flipped = [], []
    for code in PLANES[plane]:
        world = next(number for number, ways in enumerate(WORLD) if code in ways)
        axes.append(grid_axes[world])
        flipped.append(bool(linear[world, grid_axes[world]] > 0) != (code == WORLD[world][0]))
    first, second, third = (float(steps[axis]) for axis in axes)
    return Slicing(plane, (axes[0], axes[1], axes[2]), (flipped[0], flipped[1], flipped[2]), (first, second, third))


def _unit(linear: np.ndarray) -> np.ndarray:
    """Scale columns to length 1; a column of zeros stays."""
    lengths = np.linalg.norm(linear, axis=0)
    return linear / np.where(lengths > 0, lengths, 1)


def _nearest(directions: np.ndarray) -> tuple[int, ...]:
    """Give each axis of the world the grid's axis that runs along it best.

    An even choice (a grid turned by 45 degrees) is settled by the directions themselves, not by the order in which the
    grid has its axes or the way they run, since a copy of the volume may have others.
    """
    towards = np.where(np.abs(directions) < 1e-6, 0, directions)
    first = np.argmax(towards != 0, axis=0)  # of each axis, the first part that is not 0: it is made positive
    upright = np.round(towards * np.sign(towards[first, range(3)]), 5)

    def fit(order: tuple[int, ...]) -> tuple[float, ...]:
        product = np.prod([abs(directions[world, axis]) for world, axis in enumerate(order)])
        return (round(float(product), 5), *upright[:, list(order)].T.ravel().tolist())

    return max(permutations(range(3)), key=fit)


def _acquired(steps: np.ndarray, sizes: list[int] | None) -> str:
    """Name the plane a scanner cut in.

    Args:
        steps: spacing in mm along the world's axes x, y, z.
        sizes: voxels along them, if known.
    """
    planes = ("sagittal", "coronal", "axial")  # cut across x, y, z
    if sizes is not None and sizes.count(1) == 1:
        return planes[sizes.index(1)]
    coarsest = steps.max()
    if coarsest <= COARSE * steps.min():
        return "axial"
    # Of two equally coarse axes the one nearer to the end of the list, so that rounding does not decide.
    return planes[max(world for world in range(3) if steps[world] > 0.999 * coarsest)]


def _opposite(code: str) -> str:
    return next(ways.replace(code, "") for ways in WORLD if code in ways)
