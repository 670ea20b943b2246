"""Oblique scans made level: slices along the axes of the world, as a model knows them, and the inverse.

A scan that is only turned within its slices is turned slice by slice, and nothing is lost across thick slices. One
whose slices are tilted is resampled in three dimensions.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

import cv2
import numpy as np

from headtohead.preparing.head import head_mask
from headtohead.preparing.intensities import to_bytes
from headtohead.task.slicing import WORLD, Slicing

T = TypeVar("T")

TURNED = 2.0
"""Degrees within its slices from which a scan is levelled. Turned by 2 degrees and more, copies of LGG cases agree
better with the cases when levelled; see results/rotated-copies.md, from which all limits are."""

TILTED = 8.0
"""Degrees of its slices against their plane from which a scan is levelled. Copies tilted by 10 degrees gain."""

THICK_TILTED = 15.0
"""The same where slices are thick. From 20 degrees on it gains much, up to 10 little; and so far radiographers tilt
thick slices to fit the head, which then lies level on the scan's own grid."""

THICK = 2.5
"""Slices are thick if they are at least this many pixels apart."""

MOST = 2048
"""Voxels along an axis of the level grid; more than any scanner makes."""

MOST_VOXELS = 2**27
"""Voxels of the level grid, unless the file has more: thin pixels and thick slices, tilted, would make it far larger
than the file."""

FLAT = 0.1
"""Axes that span less than this share of a box are no scanner's, and are left as they are."""

DIGITS = 4
"""Decimals of direction cosines that count. Headers round, and copies with other axes are to give the same voxels."""

FINE = 6
"""Decimals of voxels that count in resampling and its inverse; the rest differs between copies in the last bits."""

ASIDE = 0.37
"""Where rounding goes up, as a share of its last digit: not halfway, for there lie spacings that scanners use, such as
180 / 256 mm, and a header's own rounding would then decide."""

ENLARGED = 0.08
"""The grid is taken for one that was enlarged to hold a turned scan if what is not empty, turned, is as large as the
grid, but for this share."""


@dataclass(frozen=True, eq=False)
class Levelling:
    """Resampling of oblique slices onto level ones; made by `levelling`.

    Attributes:
        before: (slices, H, W) of the scan.
        after: (slices, H, W) of the level grid.
        spacing: millimetres between slices, rows and columns of the level grid; its pixels are square.
        turn: float64 [3, 3], from steps on the level grid to steps on the scan's own.
        start: float64 [3], where the level grid's first voxel lies on the scan's own.
    """

    before: tuple[int, int, int]
    after: tuple[int, int, int]
    spacing: tuple[float, float, float]
    turn: np.ndarray
    start: np.ndarray

    def there(self, slices: np.ndarray) -> np.ndarray:
        """Make slices level, outside the scan 0: uint8 or float32 [slices, H, W] of size `before` to size `after`."""
        # Cubic keeps a slice as sharp as it was. In three dimensions it takes five times as long and gains little.
        return _resample(slices, self.turn, self.start, self.after, cv2.INTER_CUBIC)

    def back(self, slices: np.ndarray) -> np.ndarray:
        """Bring level values onto the scan's own voxels: float32 of size `after` to `before`; 0 where there were none.

        By straight lines between neighbours, so that a probability stays one.
        """
        turn = np.linalg.inv(self.turn)
        return _resample(slices, turn, -turn @ self.start, self.before, cv2.INTER_LINEAR)


def tilt_of(affine: np.ndarray, view: Slicing) -> tuple[float, float]:
    """Measure how far a grid lies off the axes of the world.

    Args:
        affine: float64 [4, 4], from voxel to millimetres.
        view: how the grid is cut into slices.

    Returns:
        Degrees between its slices and the plane they are taken for, and degrees by which it is turned within them.
    """
    towards = _directions(affine, view)
    normal = np.cross(towards[:, 1], towards[:, 2])
    upright = min(1.0, abs(float(normal[0])) / float(np.linalg.norm(normal)))
    within = _turn_within(towards)
    return math.degrees(math.acos(upright)), math.degrees(math.atan2(abs(within[1, 0]), within[0, 0]))


def is_tilted(affine: np.ndarray, view: Slicing) -> bool:
    """Say whether slices are tilted so far that a turn within them does not level them; arguments as `tilt_of`."""
    slices, *sides = view.spacing
    return tilt_of(affine, view)[0] > (THICK_TILTED if slices > THICK * min(sides) else TILTED)


def needs_levelling(affine: np.ndarray, view: Slicing, lone: bool = False) -> bool:
    """Say whether a grid lies so far off the axes of the world that it is to be levelled; arguments as `tilt_of`.

    A single slice is levelled within its plane only: it has no neighbours to be tilted into.
    """
    unlike = (not lone and is_tilted(affine, view)) or tilt_of(affine, view)[1] > TURNED
    return unlike and abs(np.linalg.det(_directions(affine, view))) > FLAT


def levelling(affine: np.ndarray, view: Slicing, slices: np.ndarray) -> Levelling:
    """Decide onto which level grid a scan is brought.

    Spacings are those of the scan's nearest own axes: finer ones between thick slices took longer and agreed less with
    the unturned case. The grid is as large as the scan's own, so that the head keeps its size for the model. It is
    larger where the head would be cut, and smaller where the scan's was evidently enlarged to hold a rotated scan.

    Args:
        affine: float64 [4, 4], from voxel to millimetres.
        view: how the grid is cut into slices.
        slices: one sequence as slices, uint8 or float32 [slices, H, W]; shows where the head is.
    """
    tilted, steps, millimetres = _axes(affine, view, len(slices))
    low, high = _reach(slices, millimetres, steps)
    if not tilted:  # slices stay what they are
        low[0], high[0] = -len(slices) * steps[0] / 2, len(slices) * steps[0] / 2
    spacing, after = _sized(high - low, steps, slices.size, tilted)
    first = (low + high) / 2 - spacing * (after - 1) / 2
    before = np.array(slices.shape)
    return Levelling(
        _three(before.tolist()),
        _three(after.tolist()),
        _three(spacing.tolist()),
        _rounded(np.linalg.solve(millimetres, np.diag(spacing)), FINE),
        _rounded(np.linalg.solve(millimetres, first) + (before - 1) / 2, FINE),
    )


def most_after(affine: np.ndarray, view: Slicing, shape: tuple[int, int, int]) -> tuple[int, int, int]:
    """Give the largest level grid that `levelling` may choose for a scan, wherever its head is.

    Args:
        affine: float64 [4, 4], from voxel to millimetres.
        view: how the grid is cut into slices.
        shape: (slices, H, W) of the scan.
    """
    tilted, steps, millimetres = _axes(affine, view, shape[0])
    own = np.array(shape) * steps
    whole = np.maximum(own, np.abs(millimetres / steps) @ own)
    if not tilted:
        whole[0] = own[0]
    return _three(_sized(whole, steps, math.prod(shape), tilted)[1].tolist())


def _axes(affine: np.ndarray, view: Slicing, slices: int) -> tuple[bool, np.ndarray, np.ndarray]:
    """Say whether slices are tilted; give the steps of a scan, and the level millimetres of one along each own axis."""
    tilted, towards = slices > 1 and is_tilted(affine, view), _directions(affine, view)
    if not tilted:
        within = np.eye(3)
        within[1:, 1:] = _turn_within(towards)
        towards = within
    steps = np.array([float(_rounded(step, 4 - math.floor(math.log10(step)))) for step in view.spacing])
    return tilted, steps, _rounded(towards, DIGITS) * steps


def _sized(extent: np.ndarray, steps: np.ndarray, voxels: int, tilted: bool) -> tuple[np.ndarray, np.ndarray]:
    """Choose spacing and size of a level grid of some extent in mm."""
    spacing = np.maximum([steps[0], *[steps[1:].min()] * 2], extent / MOST)
    spacing[1:] = spacing[1:].max()
    after = np.maximum(1, np.ceil(extent / spacing - 0.01)).astype(int)
    while after.prod() > max(MOST_VOXELS, voxels):
        spacing[0 if tilted else 1 :] *= 1.1
        after = np.maximum(1, np.ceil(extent / spacing - 0.01)).astype(int)
    return spacing, after


def _directions(affine: np.ndarray, view: Slicing) -> np.ndarray:
    """Give where slices, rows and columns of a scan run (the columns) along those of a level one (the rows)."""
    linear = np.asarray(affine, np.float64)[:3, list(view.axes)]
    own = linear / np.linalg.norm(linear, axis=0) * np.where(view.flipped, -1, 1)
    worlds = [next(axis for axis, ways in enumerate(WORLD) if code in ways) for code in view.codes]
    signs = [1 if code == WORLD[axis][0] else -1 for axis, code in zip(worlds, view.codes, strict=True)]
    return own[worlds] * np.array(signs)[:, None]


def _turn_within(towards: np.ndarray) -> np.ndarray:
    """Give the rotation within the slices, [2, 2], that is nearest to where rows and columns run."""
    left, _, right = np.linalg.svd(towards[1:, 1:])
    return left @ right


def _reach(slices: np.ndarray, millimetres: np.ndarray, steps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Give the ends of the level grid along its axes, in mm from the scan's middle: two of [3].

    What is not 0 decides whether the grid counts as enlarged, so noise in air does: a grid that is filled with noise to
    its corners counts as not enlarged, one whose corners were left 0 as enlarged.
    """
    own = np.array(slices.shape) * steps
    grey = slices if slices.dtype == np.uint8 else to_bytes(slices)
    lit = _extent(grey > 0, millimetres)
    if lit is None:
        return -own / 2, own / 2
    if np.allclose(np.abs(millimetres / steps) @ (lit[1] - lit[0]), own, rtol=ENLARGED):
        return lit
    # Whole slices from the middle, as the scan's own lie: then a copy's fall onto those of the scan it was made from.
    half = len(slices) / 2
    ends = np.floor(lit[0][0] / steps[0] + half + 0.01), np.ceil(lit[1][0] / steps[0] + half - 0.01)
    low, high = (np.r_[(end - half) * steps[0], side * own[1:] / 2] for end, side in zip(ends, (-1, 1), strict=True))
    head = _extent(head_mask(np.ascontiguousarray(grey)[..., None]), millimetres)
    return (low, high) if head is None else (np.minimum(low, head[0]), np.maximum(high, head[1]))


def _extent(inside: np.ndarray, millimetres: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """Give how far the voxels of a mask reach along level axes, as `_reach` does; None where it is empty."""
    rows = inside.any(axis=2)
    if not rows.any():
        return None
    # The ends of each row are enough.
    columns = inside[rows].argmax(axis=1), inside.shape[2] - 1 - inside[rows][:, ::-1].argmax(axis=1)
    middle = (np.array(inside.shape) - 1) / 2
    ends = [(np.column_stack([*np.nonzero(rows), column]) - middle) @ millimetres.T for column in columns]
    half = np.abs(millimetres).sum(axis=1) / 2  # of a voxel
    return np.min(ends, axis=(0, 1)) - half, np.max(ends, axis=(0, 1)) + half


def _resample(
    values: np.ndarray, turn: np.ndarray, start: np.ndarray, size: tuple[int, int, int], how: int
) -> np.ndarray:
    """Give the values at `turn @ place + start` for each place of a grid, 0 beyond; the type is kept."""
    if np.allclose(turn[0], (1, 0, 0)) and np.allclose(turn[:, 0], (1, 0, 0)):
        # OpenCV's first axis is the columns.
        matrix = np.column_stack([turn[1:, 1:][::-1, ::-1], start[1:][::-1]])
        out = np.empty(size, values.dtype)
        for image, level in zip(values, out, strict=True):
            level[:] = cv2.warpAffine(
                np.ascontiguousarray(image), matrix, (size[2], size[1]), flags=how | cv2.WARP_INVERSE_MAP
            )
        return out
    from scipy import ndimage  # its import is nothing that a level scan is to wait for

    out = np.empty(size, values.dtype)
    ndimage.affine_transform(np.ascontiguousarray(values), turn, start, size, out, order=1, mode="grid-constant")
    return out


def _rounded(values: np.ndarray | float, digits: int) -> np.ndarray:
    """Round to this many decimals, equally where values differ in their last bits; see `ASIDE`."""
    scale = 10.0**digits
    return np.asarray(np.floor(np.asarray(values) * scale + 1 - ASIDE) / scale)


def _three(values: Iterable[T]) -> tuple[T, T, T]:
    first, second, third = values
    return first, second, third
