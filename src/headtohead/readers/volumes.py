"""The volumes of one case, a file a sequence, on one grid: sequences are resampled onto it, labels only turned."""

import math

import numpy as np
from numpy.typing import NDArray

from headtohead.errors import UserError, printable
from headtohead.memory import refuse_unless_free
from headtohead.preparing.steps.resample import resample_onto
from headtohead.readers.labels import labels_of
from headtohead.readers.nifti_file import VolumeFile, open_volume
from headtohead.readers.reader import CaseFiles
from headtohead.readers.sequence_names import sequence_label
from headtohead.task import Case, Targets, Task

SMALL = 2**26
"""Bytes below which nobody asks how much memory is free."""

PACKED = 16
"""Bytes for each voxel while a volume is read, cut and measured, and for each of its sequences."""

WHOLE = 0.95
"""A sequence that covers less of the grid than this is reported with its share."""


def read_volumes(files: CaseFiles, task: Task) -> Case:
    """Read one case on the grid of its primary sequence: images float32 [*grid, C], and its label map.

    A sequence on another grid is resampled; a line says so. For one that `files.sequences` lacks, another stands in.

    Raises:
        UserError: a file is damaged, holds no single volume, is too large, or has no voxel above 0; a sequence is
            missing that none stands in for; the label map lies on another grid, or has labels of no target.
    """
    sequences = files.sequences or task.sequences
    if lost := task.lost(sequences):
        raise UserError(
            f"{printable(files.images[0])}: its case has no {' or '.join(map(sequence_label, lost))} "
            f"({', '.join(map(sequence_label, sequences))}); restore the file, or move the case away"
        )
    opened = dict(zip(sequences, map(open_volume, files.images), strict=True))
    mask = open_volume(files.masks[0])
    for file in (*opened.values(), mask):
        refuse_large_volume(file, len(task.sequences))
    primary = opened[task.primary]
    labels = read_labels(mask, primary, task.targets)
    images = np.empty((*primary.shape, len(task.sequences)), np.float32)
    for sequence, file in opened.items():
        values, notes = read_onto(file, 0, primary, sequence_label(sequence))
        images[..., task.sequences.index(sequence)] = values
        if not (values > 0).any():
            raise UserError(f"{printable(file.path)}: no voxel is above 0; restore it, or remove it with its mask")
        for note in notes:
            print(f"{files.name}: {note}")
    missing = tuple(one for one in task.sequences if one not in opened)
    for sequence in missing:
        images[..., task.sequences.index(sequence)] = images[..., task.sequences.index(task.stand_ins[sequence])]
    return Case(files.name, images, primary.grid, labels, missing)


def refuse_large_volume(file: VolumeFile, sequences: int) -> None:
    """Refuse by its header what is no single volume, or does not fit into memory."""
    sizes = "x".join(map(str, file.stored_shape))
    if file.volumes > 1:
        raise UserError(
            f"{printable(file.path)}: {sizes} voxels, not one 3-D volume; split it, or remove it with its mask"
        )
    need = PACKED * (sequences + 1) * math.prod(file.shape)
    if need > SMALL:
        refuse_unless_free(file.path, f"{sizes} voxels", need)


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
    """Read a mask or label map on the grid of a case's primary sequence, equally for training and prediction.

    Arguments and result are as of `labels_of`.

    Raises:
        UserError: it is damaged, on another grid, or no label map of these targets.
    """
    return labels_of(printable(file.path), read_on_grid_of(file, grid), targets, united)


def read_on_grid_of(file: VolumeFile, grid: VolumeFile) -> NDArray[np.generic]:
    """Read the values of a mask on the grid of a case's primary sequence: [*grid.shape].

    Nothing is interpolated: the file lies on the grid of the image, its axes in any order and direction.

    Raises:
        UserError: it is damaged, or on another grid.
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
    return turned
