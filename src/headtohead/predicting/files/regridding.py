"""Sequences of one case on different grids of one scanner space, brought onto one grid."""

import numpy as np

from headtohead.errors import UserError
from headtohead.predicting.files.naming import printable
from headtohead.predicting.files.nifti import Nifti, same_place

WHOLE = 0.95
"""A sequence that covers less of the grid than this is reported with its share."""


def on_grid_of(file: Nifti, grid: Nifti) -> bool:
    """Say whether two files have one grid, so that no voxel need be resampled."""
    return same_place(file.affine, file.shape, grid.affine, grid.shape)


def resample_onto(values: np.ndarray, file: Nifti, grid: Nifti) -> tuple[np.ndarray, float]:
    """Resample a volume onto another grid of the same scanner space, by straight lines between neighbours.

    Args:
        values: uint8 or float32 [x, y, z] of `file`.
        file: whose affine says where the values lie.
        grid: the file whose grid is wanted.

    Returns:
        Values on that grid, of the same type, 0 where the field of view of `file` ends; and the share of the grid that
        it covers.

    Raises:
        UserError: the two do not overlap.
    """
    from scipy import ndimage  # not for cases whose sequences share a grid

    to_file = np.linalg.solve(file.affine, grid.affine)
    matrix, offset = to_file[:3, :3], to_file[:3, 3]
    inside = _covered(matrix, offset, grid.shape, file.shape)
    share = float(inside.mean())
    if share == 0:
        raise UserError(
            f"{printable(file.path)}: does not overlap with {printable(grid.path.name)} in scanner space, so they are "
            "not of "
            "one session; correct its header, or move it away"
        )
    # A voxel reaches half a voxel beyond its centre: up to there the outermost value counts, beyond it nothing.
    found = ndimage.affine_transform(
        values.astype(np.float32, copy=False), matrix, offset, grid.shape, np.float32, order=1, mode="nearest"
    )
    found[~inside] = 0
    return (np.rint(found).astype(np.uint8) if values.dtype == np.uint8 else found), share


def _covered(
    matrix: np.ndarray, offset: np.ndarray, shape: tuple[int, int, int], limits: tuple[int, int, int]
) -> np.ndarray:
    """Say which voxels of a grid lie in the field of view of another: bool of `shape`."""
    first, second, third = (np.arange(size) for size in shape)
    inside = np.ones(shape, bool)
    for row, start, size in zip(matrix, offset, limits, strict=True):
        place = (row[0] * first)[:, None, None] + (row[1] * second)[:, None] + (row[2] * third + start)
        # Headers are rounded: a voxel at the very end must not fall out for that.
        inside &= (place >= -0.51) & (place <= size - 0.49)
    return inside
