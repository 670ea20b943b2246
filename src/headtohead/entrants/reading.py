"""The mask of a case, as any program wrote it, in the slices in which the truth is packed."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from headtohead.cohort.pack import cut_into_slices
from headtohead.errors import UserError, printable
from headtohead.preparing.chain import Chain
from headtohead.readers.file_names import is_volume
from headtohead.readers.labels import Marks, labels_of
from headtohead.readers.nifti_file import open_volume
from headtohead.readers.picture_labels import read_picture_values
from headtohead.readers.pictures import size_of
from headtohead.readers.reader import CaseFiles
from headtohead.readers.volumes import read_on_grid_of, refuse_large_volume
from headtohead.task import Case, Grid, Targets, Task

MANY_GREYS = 32
"""More values than this, where the truth has fewer labels, are no labels."""


def read_mask_slices(
    files: CaseFiles, paths: tuple[Path, ...], task: Task, marks: Marks | None = None, square: bool = True
) -> NDArray[np.bool_]:
    """Read the mask of a case as the truth is read: on the grid of the case, cut into the same slices.

    Args:
        files: of the case in the truth.
        paths: the mask: a volume, or a picture for each slice.
        task: whose targets the mask holds.
        marks: what marks a single target in the masks of the folder.
        square: whether the truth was packed with square pixels.

    Returns:
        bool [K, slices, H, W], one channel a target.

    Raises:
        UserError: a file is damaged or on another grid, holds probabilities, or labels that the truth does not know.
    """
    if is_volume(paths[0]):
        values, grid = _volume_values(files, paths[0], task)
    else:
        values, grid = _picture_values(files, paths)
    labels = _as_labels(printable(paths[0]), values, task.targets, marks)
    nothing = np.broadcast_to(np.zeros(1, np.uint8), (*labels.shape, 1))  # an image that takes no memory
    case = Case(files.name, nothing, grid, labels)
    cut, _ = Chain(cut_into_slices(task, square)).fitted(case).apply(case)
    assert cut.labels is not None
    return task.targets.encode(cut.labels)


def _volume_values(files: CaseFiles, path: Path, task: Task) -> tuple[np.ndarray, Grid]:
    sequences = files.sequences or task.sequences
    own = files.images[sequences.index(task.primary)] if task.primary in sequences else files.images[0]
    grid, mask = open_volume(own), open_volume(path)
    refuse_large_volume(mask, 1)
    return read_on_grid_of(mask, grid), grid.grid


def _picture_values(files: CaseFiles, paths: tuple[Path, ...]) -> tuple[np.ndarray, Grid]:
    values = read_picture_values(replace(files, images=(), masks=paths))
    truth = read_picture_values(replace(files, images=(), masks=files.masks[:1]))
    if values.shape[1:] != truth.shape[1:]:
        raise UserError(
            f"{printable(paths[0])}: {size_of(values[0])}, but the truth is {size_of(truth[0])}; resample it to that"
        )
    slices, height, width = values.shape
    return values, Grid((slices, height, width))


def _as_labels(name: str, values: np.ndarray, targets: Targets, marks: Marks | None) -> NDArray[np.unsignedinteger]:
    """Take values for labels; what a mask of another program may be instead is named."""
    if values.dtype.kind == "f" and not (values == np.rint(values)).all():
        low, high = float(values.min()), float(values.max())
        if low >= 0 and high <= 1:
            raise UserError(
                f"{name}: a probability map, not a mask: its values lie between 0 and 1; threshold it first"
            )
        raise UserError(f"{name}: not a mask: it holds fractions, up to {high:g}; write labels as whole numbers")
    inside = np.unique(values)
    inside = inside[inside != 0]
    if name.lower().endswith((".jpg", ".jpeg")) and len(inside) > len((*targets.labels, *targets.others)):
        raise UserError(f"{name}: holds {len(inside)} grey levels, since JPEG is lossy; save masks as PNG or TIFF")
    if len(inside) > MANY_GREYS > len(targets.labels):
        raise UserError(
            f"{name}: holds {len(inside)} grey levels: a probability map or an image, not a mask; threshold it"
        )
    return labels_of(name, values, targets, marks=marks)
