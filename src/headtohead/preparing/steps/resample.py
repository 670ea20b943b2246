"""Values on one grid brought onto another of the same scanner space."""

import numpy as np

from headtohead.task import Grid


def resample_onto(values: np.ndarray, source: Grid, wanted: Grid) -> tuple[np.ndarray, float]:
    """Resample uint8 or float32 [x, y, z] onto another grid, by straight lines between neighbours; both have affines.

    Returns:
        Values on that grid, of the same type, 0 where the field of view of `source` ends; and the share of the grid
        that it covers, 0 where the two do not overlap.
    """
    from scipy import ndimage  # not for cases whose sequences share a grid

    assert source.affine is not None and wanted.affine is not None
    to_source = np.linalg.solve(source.affine, wanted.affine)
    matrix, offset = to_source[:3, :3], to_source[:3, 3]
    inside = _covered(matrix, offset, wanted.shape, source.shape)
    if not inside.any():
        return np.zeros(wanted.shape, values.dtype), 0.0
    # A voxel reaches half a voxel beyond its centre: up to there the outermost value counts, beyond it nothing.
    found = ndimage.affine_transform(
        values.astype(np.float32, copy=False), matrix, offset, wanted.shape, np.float32, order=1, mode="nearest"
    )
    found[~inside] = 0
    share = float(inside.mean())
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
