"""An oblique case resampled onto slices along the axes of the world, as a model knows them, and the inverse.

A case that is only turned within its slices is resampled slice by slice, and nothing is lost across thick slices. One
whose slices are tilted is resampled in three dimensions.
"""

import math
from dataclasses import dataclass, field, replace
from typing import Self

import cv2
import numpy as np

from headtohead.preparing.head import head_mask
from headtohead.preparing.intensities import to_bytes
from headtohead.preparing.step import Step, Undo
from headtohead.task import Case, Grid
from headtohead.task.slicing import PLANES, WORLD, Slicing, slicing

TURNED, TILTED, THICK_TILTED = 2.0, 8.0, 15.0
"""Degrees from which a case is levelled: turned within its slices, or its slices tilted against their plane, or thick
ones tilted, as radiographers do to fit the head, which then lies level. From results/rotated-copies.md."""

THICK = 2.5
"""Slices are thick if they are at least this many pixels apart."""

MOST, MOST_VOXELS = 2048, 2**27
"""Voxels along an axis of the level grid, and of all of it, unless the file has more: thin pixels and thick slices,
tilted, would make it far larger than the file."""

FLAT = 0.1
"""Axes that span less than this share of a box are no scanner's, and are left as they are."""

DIGITS, FINE = 4, 6
"""Decimals of direction cosines, and of voxels, that count: headers round, and a copy of a scan with other axes is to
give the same voxels."""

ASIDE = 0.37
"""Where rounding goes up, as a share of its last digit: not halfway, where spacings such as 180 / 256 mm lie."""

ENLARGED = 0.08
"""The grid is taken for one that was enlarged to hold a turned scan if what is not empty, turned, is as large as the
grid, but for this share."""


@dataclass(frozen=True)
class Level(Step):
    """Resample a case that is cut into slices onto a level grid.

    Attributes:
        plane: axial, coronal or sagittal: the one nearest to the slices.
        grid: the level grid; settled by `fitted`, as is
        to_own: float64 [4, 4], from its voxels to those of the case.
    """

    kind = "level"
    plane: str
    grid: Grid | None = field(default=None, compare=False, metadata={"saved": False})
    to_own: np.ndarray | None = field(default=None, compare=False, metadata={"saved": False})

    def fitted(self, case: Case) -> Self:
        """Choose the grid by the first channel, which shows where the head is.

        Spacings are those of the case's nearest own axes: finer ones between thick slices took longer and agreed less
        with the unturned case. The grid is as large as the case's own, so that the head keeps its size for the model.
        It is larger where the head would be cut, and smaller where the case's was evidently enlarged to hold a rotated
        scan.
        """
        slices, affine = case.images[..., 0], case.grid.affine
        assert affine is not None
        tilted, steps, millimetres = _axes(affine, slicing(affine, plane=self.plane), len(slices))
        low, high = _reach(slices, millimetres, steps)
        if not tilted:  # slices stay what they are
            low[0], high[0] = -len(slices) * steps[0] / 2, len(slices) * steps[0] / 2
        spacing, after = _sized(high - low, steps, slices.size, tilted)
        first = (low + high) / 2 - spacing * (after - 1) / 2
        to_own = np.eye(4)
        to_own[:3, :3] = _rounded(np.linalg.solve(millimetres, np.diag(spacing)), FINE)
        to_own[:3, 3] = _rounded(np.linalg.solve(millimetres, first) + (np.array(slices.shape) - 1) / 2, FINE)
        level = affine @ to_own
        level[:3, :3] *= spacing / np.linalg.norm(level[:3, :3], axis=0)  # without the rounding
        return replace(self, grid=Grid((int(after[0]), int(after[1]), int(after[2])), level), to_own=to_own)

    def apply(self, case: Case) -> tuple[Case, Undo]:
        """See `Step`. Beyond the case all is 0; of labels nothing is kept."""
        assert self.grid is not None and self.to_own is not None
        to_own, before = self.to_own, case.grid.shape
        back = np.eye(4)
        back[:3, :3] = np.linalg.inv(to_own[:3, :3])
        back[:3, 3] = -back[:3, :3] @ to_own[:3, 3]
        # Cubic keeps a slice as sharp as it was. In three dimensions it takes five times as long and gains little.
        planes = np.moveaxis(case.images, -1, 0)
        channels = [_resample(one, to_own, self.grid.shape, cv2.INTER_CUBIC) for one in planes]
        images = np.stack(channels, axis=-1) if len(channels) > 1 else channels[0][..., None]

        def undo(values: np.ndarray) -> np.ndarray:
            # By straight lines between neighbours, so that a probability stays one.
            return _resample(values, back, before, cv2.INTER_LINEAR)

        return replace(case, images=images, labels=None, grid=self.grid), undo


def tilt_of(affine: np.ndarray, view: Slicing) -> tuple[float, float]:
    """Measure how far a grid that is cut into slices lies off the axes of the world.

    Returns:
        Degrees between its slices and the plane they are taken for, and degrees by which it is turned within them.
    """
    towards = _directions(affine, view)
    normal = np.cross(towards[:, 1], towards[:, 2])
    upright = min(1.0, abs(float(normal[0])) / float(np.linalg.norm(normal)))
    within = _turn_within(towards)
    return math.degrees(math.acos(upright)), math.degrees(math.atan2(abs(within[1, 0]), within[0, 0]))


def is_tilted(affine: np.ndarray, view: Slicing) -> bool:
    """Say whether slices are tilted so far that a turn within them does not level them."""
    slices, *sides = view.spacing
    return tilt_of(affine, view)[0] > (THICK_TILTED if slices > THICK * min(sides) else TILTED)


def needs_levelling(affine: np.ndarray, view: Slicing, lone: bool = False) -> bool:
    """Say whether a grid lies so far off the axes of the world that it is to be levelled.

    A lone slice is levelled within its plane only: it has no neighbours to be tilted into.
    """
    unlike = (not lone and is_tilted(affine, view)) or tilt_of(affine, view)[1] > TURNED
    return unlike and abs(np.linalg.det(_directions(affine, view))) > FLAT


def most_after(affine: np.ndarray, view: Slicing, shape: tuple[int, int, int]) -> tuple[int, int, int]:
    """Give the largest level grid that `Level` may choose for a case of (slices, H, W), wherever its head is."""
    tilted, steps, millimetres = _axes(affine, view, shape[0])
    own = np.array(shape) * steps
    whole = np.maximum(own, np.abs(millimetres / steps) @ own)
    if not tilted:
        whole[0] = own[0]
    first, second, third = _sized(whole, steps, math.prod(shape), tilted)[1].tolist()
    return first, second, third


def _axes(affine: np.ndarray, view: Slicing, slices: int) -> tuple[bool, np.ndarray, np.ndarray]:
    """Say whether slices are tilted; give the steps of a case, and the level millimetres of one along each own axis."""
    tilted, towards = slices > 1 and is_tilted(affine, view), _directions(affine, view)
    if not tilted:
        turn, towards = _turn_within(towards), np.eye(3)
        towards[1:, 1:] = turn
    steps = np.array([float(_rounded(step, 4 - math.floor(math.log10(step)))) for step in view.spacing])
    return tilted, steps, _rounded(towards, DIGITS) * steps


def _sized(extent: np.ndarray, steps: np.ndarray, voxels: int, tilted: bool) -> tuple[np.ndarray, np.ndarray]:
    """Choose spacing and size of a level grid of some extent in mm."""
    spacing = np.maximum([steps[0], *[steps[1:].min()] * 2], extent / MOST)
    spacing[1:] = spacing[1:].max()
    while True:
        after = np.maximum(1, np.ceil(extent / spacing - 0.01)).astype(int)
        if after.prod() <= max(MOST_VOXELS, voxels):
            return spacing, after
        spacing[0 if tilted else 1 :] *= 1.1


def _directions(affine: np.ndarray, view: Slicing) -> np.ndarray:
    """Give where slices, rows and columns of a case run (the columns) along those of a level one (the rows)."""
    linear = np.asarray(affine, np.float64)[:3, list(view.axes)]
    own = linear / np.linalg.norm(linear, axis=0) * np.where(view.flipped, -1, 1)
    worlds = [next(axis for axis, ways in enumerate(WORLD) if code in ways) for code in PLANES[view.plane]]
    signs = [1 if code == WORLD[axis][0] else -1 for axis, code in zip(worlds, view.codes, strict=True)]
    return own[worlds] * np.array(signs)[:, None]


def _turn_within(towards: np.ndarray) -> np.ndarray:
    """Give the rotation within the slices, [2, 2], that is nearest to where rows and columns run."""
    left, _, right = np.linalg.svd(towards[1:, 1:])
    return left @ right


def _reach(slices: np.ndarray, millimetres: np.ndarray, steps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Give the ends of the level grid along its axes, in mm from the case's middle: two of [3].

    What is not 0 decides whether the grid counts as enlarged, noise in air included.
    """
    own = np.array(slices.shape) * steps
    grey = slices if slices.dtype == np.uint8 else to_bytes(slices)
    lit = _extent(grey > 0, millimetres)
    if lit is None:
        return -own / 2, own / 2
    if np.allclose(np.abs(millimetres / steps) @ (lit[1] - lit[0]), own, rtol=ENLARGED):
        return lit
    # Whole slices from the middle, as the case's own lie: then a copy's fall onto those of the case it was made from.
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


def _resample(values: np.ndarray, affine: np.ndarray, size: tuple[int, int, int], how: int) -> np.ndarray:
    """Give the values at `affine @ index` for each index of a grid, 0 beyond; the type is kept."""
    turn, start = affine[:3, :3], affine[:3, 3]
    out = np.empty(size, values.dtype)
    if np.allclose(turn[0], (1, 0, 0)) and np.allclose(turn[:, 0], (1, 0, 0)):
        # OpenCV's first axis is the columns.
        matrix = np.column_stack([turn[1:, 1:][::-1, ::-1], start[1:][::-1]])
        for image, level in zip(values, out, strict=True):
            level[:] = cv2.warpAffine(
                np.ascontiguousarray(image), matrix, (size[2], size[1]), flags=how | cv2.WARP_INVERSE_MAP
            )
        return out
    from scipy import ndimage  # its import is nothing that a level case is to wait for

    ndimage.affine_transform(np.ascontiguousarray(values), turn, start, size, out, order=1, mode="grid-constant")
    return out


def _rounded(values: np.ndarray | float, digits: int) -> np.ndarray:
    """Round to this many decimals, equally where values differ in their last bits; see `ASIDE`."""
    scale = 10.0**digits
    return np.asarray(np.floor(np.asarray(values) * scale + 1 - ASIDE) / scale)
