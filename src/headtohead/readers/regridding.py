"""The files of one case on one grid: sequences are resampled onto the primary's, labels only turned."""

import numpy as np
from numpy.typing import NDArray

from headtohead.errors import UserError, printable
from headtohead.preparing.steps.resample import resample_onto
from headtohead.readers.labels import labels_of
from headtohead.readers.nifti_file import VolumeFile
from headtohead.task import Targets

WHOLE = 0.95
"""A sequence that covers less of the grid than this is reported with its share."""


def read_onto(file: VolumeFile, number: int, grid: VolumeFile, sequence: str) -> tuple[np.ndarray, list[str]]:
    """Read one sequence of a case on the grid of its primary sequence.

    Args:
        file: what holds it.
        number: which volume of the file.
        grid: the file of the primary sequence.
        sequence: what to call it, such as `T1`.

    Returns:
        Values as `VolumeFile.read` gives them, on the grid; and a line if they were resampled.

    Raises:
        UserError: the file is damaged, or the two do not overlap.
    """
    values = file.read(number)
    if grid.grid.is_that_of(file.grid):
        return values, []
    values, share = resample_onto(values, file.grid, grid.grid)
    if not share:
        raise UserError(
            f"{printable(file.path)}: does not overlap with {printable(grid.path.name)} in scanner space, so they are "
            "not of one session; correct its header, or move it away"
        )
    part = f", of which it covers {share:.0%}" if share < WHOLE else ""
    unsure = "" if file.oriented and grid.oriented else "; a header has no position in the scanner, so check the result"
    return values, [f"{sequence} was resampled onto the grid of {printable(grid.path.name)}{part}{unsure}"]


def read_labels(
    file: VolumeFile, grid: VolumeFile, targets: Targets, united: bool = False
) -> NDArray[np.unsignedinteger]:
    """Read a mask or label map on the grid of a case's primary sequence.

    What is a mask is the same for training and prediction. With one target that is label 1, 0 and one other value are a
    mask, whatever that value is. Else the values are whole numbers, each of them a label that the targets know. Labels
    are never interpolated: the file lies on the grid of the image, its axes in any order and direction.

    Args:
        file: the mask.
        grid: the file of the primary sequence.
        targets: of the task.
        united: with one target, take every label for it: masks beside a scan to be predicted come from any program.

    Returns:
        uint8 [x, y, z] of the grid, or uint16 where a label needs it.

    Raises:
        UserError: it is damaged, on another grid, or no label map of these targets.
    """
    name = printable(file.path)
    if file.volumes > 1:
        raise UserError(f"{name}: {file.volumes} volumes, but a mask has one; restore it or move it away")
    _, own = file.grid.turned_like(grid.grid, np.broadcast_to(np.uint8(0), file.shape))  # before a voxel is read
    mend = "resample it onto the image's grid, or move it away"
    if own.shape != grid.shape:
        sizes = ["x".join(map(str, one.shape)) for one in (file, grid)]
        raise UserError(f"{name}: {sizes[0]} voxels, but {printable(grid.path.name)} has {sizes[1]}; {mend}")
    if not grid.grid.is_that_of(own):
        apart = grid.grid.apart(own) * min(grid.spacing)
        raise UserError(
            f"{name}: is up to {apart:.3g} mm off the grid of {printable(grid.path.name)} (its affine differs); {mend}"
        )
    turned, _ = file.grid.turned_like(grid.grid, file.read(strict=True))
    return labels_of(name, turned, targets, united)
