"""A case cropped: to what is not empty, or by slices at its ends, which scanners often spoil."""

from dataclasses import dataclass, replace

import numpy as np

from headtohead.preparing.step import Step, Undo
from headtohead.task import Case, Grid

Box = tuple[slice, slice, slice]


@dataclass(frozen=True)
class Crop(Step):
    """Crop to the smallest box that holds every voxel above 0 in any channel; nothing where there is none."""

    kind = "crop"
    dark: float = 0.0  # share of the brightest voxel below which a voxel is 0 from here on

    def apply(self, case: Case) -> tuple[Case, Undo]:
        """Outside the box all is 0."""
        if self.dark:
            values: np.ndarray = case.images
            case = replace(case, images=np.where(values < self.dark * float(values.max()), 0, values))
        return cropped(case, lit_box(case.images))


@dataclass(frozen=True)
class Trim(Step):
    """Leave out slices at both ends; of a case that would have none left, none is left out."""

    kind = "trim"
    ends: int  # how many at each end

    def apply(self, case: Case) -> tuple[Case, Undo]:
        """What was left out holds 0."""
        slices, height, width = case.grid.shape
        first = self.ends if slices > 2 * self.ends else 0
        return cropped(case, (slice(first, slices - first), slice(0, height), slice(0, width)))


def lit_box(volume: np.ndarray) -> Box:
    """Find the smallest box that holds every voxel of [slices, H, W, C] above 0; all of it where there is none."""
    lit = np.asarray(volume.any(axis=-1))
    if not lit.any():
        return slice(0, lit.shape[0]), slice(0, lit.shape[1]), slice(0, lit.shape[2])
    ends = [np.flatnonzero(lit.any(axis=others)) for others in ((1, 2), (0, 2), (0, 1))]
    z, y, x = (slice(int(found[0]), int(found[-1]) + 1) for found in ends)
    return z, y, x


def cropped(case: Case, box: Box) -> tuple[Case, Undo]:
    """Crop a case to a box, and give the inverse, which puts 0 around."""
    images, affine, before = case.images[box], case.grid.affine, case.grid.shape
    labels = None if case.labels is None else case.labels[box]
    if affine is not None:
        affine = affine.copy()
        affine[:3, 3] += affine[:3, :3] @ [part.start for part in box]
    slices, height, width = images.shape[:3]

    def undo(values: np.ndarray) -> np.ndarray:
        whole = np.zeros(before, values.dtype)
        whole[box] = values
        return whole

    return replace(case, images=images, labels=labels, grid=Grid((slices, height, width), affine)), undo
