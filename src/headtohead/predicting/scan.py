"""A scan: one case that came from a file, cut into slices as a model wants them, and the inverse onto its grid."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from headtohead.task import Grid
from headtohead.task.slicing import Slicing

if TYPE_CHECKING:
    from headtohead.readers.nifti_file import VolumeFile

AS_STORED = Slicing("axial", (0, 1, 2), (False, False, False), (1.0, 1.0, 1.0))
"""How a grid without an affine is seen as slices: its axes are slices, rows and columns."""


@dataclass(frozen=True)
class Scan:
    """One case as a model is shown it.

    Attributes:
        name: what it is called in messages and tables: its path below the input folder.
        volume: [slices, H, W, C], uint8 from 8-bit images, float32 from anything else (finite); its channels are the
            model's sequences in order, its slices lie in the model's plane, its pixels are square.
        spacing: millimetres between slices, rows and columns of `volume`; None where the file does not say.
        missing: sequences that were not there and were filled.
        truth: label map from a mask beside the files, on `grid`; None where there is none.
        restore: takes float32 [slices, H, W] on the grid of `volume` to float32 on `grid`.
        grid: the file's own: axes of a NIfTI file as stored; (slices, H, W) of a folder; (1, H, W) of an image.
        view: how `grid` is seen as slices, as a reader holds them.
        source: the file of the primary sequence, whose header was read once; None of pictures.
        levelled: whether `grid` is oblique, and `volume` was resampled onto a level one.
        notes: what a user should know of its files: what was taken for the primary sequence, resampled, not used.
        primary: channel of `volume` that is drawn in grey.
        wanted: slices of `volume` that are to be predicted, and make up `grid`; the others are shown to the model as
            their neighbours, and measured with them.
    """

    name: str
    volume: np.ndarray
    spacing: tuple[float, float, float] | None
    missing: tuple[str, ...]
    truth: np.ndarray | None
    restore: Callable[[np.ndarray], np.ndarray]
    grid: Grid
    view: Slicing = AS_STORED
    source: "VolumeFile | None" = None
    levelled: bool = False
    notes: tuple[str, ...] = ()
    primary: int = 0
    wanted: slice = field(default_factory=lambda: slice(None))

    def on_grid(self, values: np.ndarray) -> np.ndarray:
        """Bring float32 [K, slices, H, W] on the grid of `volume` to [K, *grid]."""
        found = [self.restore(one) for one in values]
        return np.stack(found) if len(found) > 1 else found[0][None]

    def drawn(self, channel: int) -> np.ndarray:
        """Give a channel, as the model was shown it, as slices of `grid`: float32 [slices, H, W]."""
        values = np.ascontiguousarray(self.volume[self.wanted, ..., channel], dtype=np.float32)
        return self.view.to_slices(self.restore(values))


def scan_of(volume: np.ndarray, wanted: slice | None = None, primary: int = 0) -> Scan:
    """Take slices [slices, H, W, C] that come from no file, such as a case of a cohort, for a scan."""
    wanted = wanted or slice(None)
    grid = Grid((len(volume[wanted]), volume.shape[1], volume.shape[2]))
    return Scan("", volume, None, (), None, lambda values: values, grid, primary=primary, wanted=wanted)
