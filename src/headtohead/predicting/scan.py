"""A scan: one case that came from a file, cut into slices as a model wants them, and the way back onto its grid."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from headtohead.readers.sequence_names import sequence_label
from headtohead.task import Task

if TYPE_CHECKING:
    from headtohead.readers.nifti_file import VolumeFile


@dataclass(frozen=True)
class Scan:
    """One case as a model is shown it.

    Attributes:
        name: what it is called in messages and tables: its path below the input folder.
        files: the files it was read from; the first gives its outputs their names and their grid.
        volume: [slices, H, W, C], uint8 from 8-bit images, float32 from anything else (finite); its channels are the
            model's sequences in order, its slices lie in the model's plane, its pixels are square.
        spacing: millimetres between slices, rows and columns of `volume`; None where the file does not say.
        missing: sequences that were not there and were filled.
        truth: bool [slices, H, W] from a mask beside the files, on the grid of `volume`; None where there is none.
        truth_on_grid: the same mask on the file's own grid, by which a prediction is scored.
        restore: takes float32 [slices, H, W] on the grid of `volume` to float32 on the file's own grid, which has
            three axes: those of a NIfTI file as stored; (slices, H, W) of a folder; (1, H, W) of an image.
        slice_axis: axis of the file's own grid across which the slices lie.
        grid_spacing: millimetres along the axes of the file's own grid; None where the file does not say.
        notes: what a user should know of its files: what was taken for the primary sequence, resampled, not used.
        primary: channel of `volume` that is drawn in grey.
        source: the file of the primary sequence, whose header was read once; None of pictures.
        levelled: whether the file's own grid is oblique, and `volume` was resampled onto a level one.
    """

    name: str
    files: tuple[Path, ...]
    volume: np.ndarray
    spacing: tuple[float, float, float] | None
    missing: tuple[str, ...]
    truth: np.ndarray | None
    truth_on_grid: np.ndarray | None
    restore: Callable[[np.ndarray], np.ndarray]
    slice_axis: int = 0
    grid_spacing: tuple[float, float, float] | None = None
    levelled: bool = False
    notes: tuple[str, ...] = ()
    primary: int = 0
    source: "VolumeFile | None" = None

    def substitution(self, task: Task) -> str:
        """Say what the primary sequence stands in for; empty where no sequence is missing."""
        if not self.missing:
            return ""
        names, place = " or ".join(map(sequence_label, self.missing)), "its" if len(self.missing) == 1 else "their"
        return f"no {names}; {sequence_label(task.primary)} was used in {place} place"
