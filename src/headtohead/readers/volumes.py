"""The volumes of one case, a file a sequence, read onto one grid: what readers of volumes share."""

import math

import numpy as np

from headtohead.errors import UserError, printable
from headtohead.memory import refuse_unless_free
from headtohead.readers.case_files import CaseFiles
from headtohead.readers.nifti_file import VolumeFile, open_volume
from headtohead.readers.regridding import read_labels, read_onto
from headtohead.readers.sequence_names import sequence_label
from headtohead.task import Case, Task

SMALL = 2**26
"""Bytes below which nobody asks how much memory is free."""

PACKED = 16
"""Bytes for each voxel while a volume is read, cut and measured, and for each of its sequences."""


def read_volumes(files: CaseFiles, task: Task) -> Case:
    """Read one case on the grid of its primary sequence: images float32 [*grid, C], and its label map.

    A sequence on another grid is resampled; a line says so. For one that is missing, another stands in.

    Raises:
        UserError: a file is damaged, holds no single volume, or is too large; a sequence is missing that must not be,
            or has no voxel above 0; the label map lies on another grid, or has labels of no target.
    """
    found = dict(zip(files.sequences or task.sequences, files.images, strict=True))
    opened = {sequence: open_volume(path) for sequence, path in found.items()}
    mask = open_volume(files.masks[0])
    for file in (*opened.values(), mask):
        _refuse_large(file, len(task.sequences))
    missing = tuple(sequence for sequence in task.sequences if sequence not in found)
    if lost := [sequence for sequence in missing if sequence not in task.stand_ins]:
        there = ", ".join(map(sequence_label, found))
        raise UserError(
            f"{files.name}: has no {sequence_label(lost[0])} (it has {there}), which the other cases have; restore the "
            "file, or move the case away"
        )
    primary = opened[task.primary]
    labels = read_labels(mask, primary, task.targets)
    images = np.empty((*primary.shape, len(task.sequences)), np.float32)
    for channel, sequence in enumerate(task.sequences):
        file = opened[sequence if sequence in opened else task.stand_ins[sequence]]
        values, notes = read_onto(file, 0, primary, sequence_label(sequence))
        images[..., channel] = values
        if not (values > 0).any():
            raise UserError(f"{printable(file.path)}: no voxel is above 0; restore it, or remove it with its mask")
        for note in notes:
            print(f"{files.name}: {note}")
    return Case(files.name, images, primary.grid, labels, missing)


def _refuse_large(file: VolumeFile, sequences: int) -> None:
    """Refuse by its header what is no single volume, or does not fit into memory."""
    sizes = "x".join(map(str, file.stored_shape))
    if file.volumes > 1:
        raise UserError(
            f"{printable(file.path)}: {sizes} voxels, not one 3-D volume; split it, or remove it with its mask"
        )
    need = PACKED * (sequences + 1) * math.prod(file.shape)
    if need > SMALL:
        refuse_unless_free(file.path, f"{sizes} voxels", need)
