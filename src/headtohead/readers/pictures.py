"""Pictures of a data set, read whole; what does not fit into memory is refused by its headers."""

from pathlib import Path

import cv2
import numpy as np

from headtohead.errors import UserError, printable
from headtohead.memory import refuse_unless_free
from headtohead.quiet import quiet_stderr
from headtohead.readers.case_files import CaseFiles
from headtohead.readers.picture_sizes import MEND, picture_size

SMALL = 2**26
"""Bytes below which nobody asks how much memory is free."""

PACKED = 16
"""Bytes for each pixel while the slices of a case are read, joined and measured."""


def read_picture(path: Path, mode: int, kind: str = "picture") -> np.ndarray:
    """Read a picture as OpenCV does in a mode.

    Raises:
        UserError: it cannot be read.
    """
    size = picture_size(path) if path.is_file() else None
    with quiet_stderr():
        pixels = cv2.imread(str(path), mode) if size else None
    if pixels is None:
        raise UserError(f"{printable(path)}: not a readable {kind} (cut short or damaged); restore it")
    return pixels


def refuse_large(files: CaseFiles) -> None:
    """Refuse by the headers what does not fit into memory: its pixels as they are read, joined and measured.

    Raises:
        UserError: more is needed than is free.
    """
    paths = (path for path in (*files.images, *files.masks) if path.is_file())
    sizes = {path: size for path in paths if (size := picture_size(path))}
    need = sum(PACKED * size.pixels for size in sizes.values())
    if need > SMALL:
        path = max(sizes, key=lambda path: sizes[path].decoded)
        what = f"{len(sizes)} pictures of up to {sizes[path].width}x{sizes[path].height} pixels"
        refuse_unless_free(path, what, need, MEND)


def size_of(pixels: np.ndarray) -> str:
    """Say the size of an image [H, W, ...] as users read it: width by height."""
    return f"{pixels.shape[1]}x{pixels.shape[0]} pixels"
