"""Masks that are pictures, a file a slice, as a label map; of the truth and of any program that wrote them."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from headtohead.errors import UserError, printable
from headtohead.readers.labels import labels_of
from headtohead.readers.pictures import colour, read_pixels, refuse_large, size_of
from headtohead.readers.reader import CaseFiles
from headtohead.task import Targets


def read_picture_values(files: CaseFiles) -> NDArray[np.generic]:
    """Read the masks of one case as they are stored: [slices, H, W].

    Raises:
        UserError: one is damaged, in colour, drawn by transparency, too large, or of another size than the first.
    """
    refuse_large(files)
    slices: list[np.ndarray] = []
    for path in files.masks:
        stored = read_pixels(path)
        pixels = colour(stored)
        _refuse_drawn_by_transparency(path, stored)
        if not (pixels == pixels[..., :1]).all():
            raise UserError(f"{printable(path)}: in colour, but a mask is grey; write its labels as numbers")
        slices.append(pixels[..., 0])
        if slices[-1].shape != slices[0].shape:
            first = f"{printable(files.masks[0].name)} is {size_of(slices[0])}"
            raise UserError(f"{printable(path)}: {size_of(pixels)}, but {first}; the slices of a case have one size")
    return np.stack(slices)


def _refuse_drawn_by_transparency(path: Path, pixels: NDArray[np.generic]) -> None:
    """Refuse a picture of one colour all over whose transparency differs: its colours would say all, or nothing."""
    if pixels.ndim == 3 and pixels.shape[2] in (2, 4):
        hues, clear = pixels[..., :-1], pixels[..., -1]
        if (hues == hues[:1, :1]).all() and clear.min() < clear.max():
            raise UserError(
                f"{printable(path)}: drawn by transparency alone; save the mask in grey, 0 where nothing is"
            )


def read_picture_labels(files: CaseFiles, targets: Targets) -> NDArray[np.unsignedinteger]:
    """Read the masks of one case as a label map [slices, H, W].

    Raises:
        UserError: as `read_picture_values`, or their values are no labels of these targets.
    """
    return labels_of(printable(files.masks[0]), read_picture_values(files), targets)
