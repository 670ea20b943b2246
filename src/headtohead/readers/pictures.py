"""The pixels of a picture as they are stored: TIFF, PNG or JPEG."""

from pathlib import Path

import cv2
import numpy as np

from headtohead.errors import UserError
from headtohead.memory import refuse_unless_free
from headtohead.quiet import quiet_stderr
from headtohead.readers.picture_sizes import MEND, picture_size
from headtohead.readers.reader import CaseFiles

SMALL = 2**24
"""Bytes of decoded pixels below which nobody asks how much memory is free."""

SMALL_CASE, PACKED = 2**26, 16
"""The same of a case, and bytes for each pixel while its slices are read, joined and measured."""


def read_pixels(path: Path) -> np.ndarray:
    """Read the stored pixels of a file: [H, W] or [H, W, C] (BGR, BGRA), of the type in the file.

    Raises:
        UserError: it is empty, damaged, or holds several pages.
    """
    damaged = UserError(f"{path}: not a readable image (empty, cut short or damaged); restore it")
    try:
        size = picture_size(path)
        if size is None:
            raise damaged
        if size.pages > 1:
            raise UserError(f"{path}: holds {size.pages} pages; save the page you mean as a separate file")
        if size.decoded > SMALL:
            refuse_unless_free(path, f"{size.width}x{size.height} pixels", size.decoded, MEND)
        with quiet_stderr():
            pixels = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_UNCHANGED)
            pages = cv2.imcount(str(path))
    except cv2.error as fault:
        raise damaged from fault
    except OSError as fault:
        raise UserError(f"{path}: cannot be read ({fault.strerror})") from fault
    except MemoryError as fault:
        raise UserError(f"{path}: does not fit into this machine's memory; crop or resample it") from fault
    if pixels is None or pixels.size == 0:
        raise damaged
    if pages > 1:
        raise UserError(f"{path}: holds {pages} pages; save the page you mean as a separate file")
    return pixels


def colour(pixels: np.ndarray) -> np.ndarray:
    """BGR, BGRA or grey to RGB [H, W, 3]."""
    if pixels.ndim == 2:
        pixels = pixels[:, :, None]
    if pixels.shape[2] < 3:  # grey, or grey with transparency
        return np.repeat(pixels[:, :, :1], 3, axis=2)
    return np.ascontiguousarray(pixels[:, :, 2::-1])


def refuse_large(files: CaseFiles) -> None:
    """Refuse by the headers a case that does not fit into memory.

    Raises:
        UserError: more is needed than is free.
    """
    paths = filter(Path.is_file, (*files.images, *files.masks))
    sizes = {path: size for path in paths if (size := picture_size(path))}
    need = sum(PACKED * size.pixels for size in sizes.values())
    if need > SMALL_CASE:
        path = max(sizes, key=lambda path: sizes[path].decoded)
        what = f"{len(sizes)} pictures of up to {sizes[path].width}x{sizes[path].height} pixels"
        refuse_unless_free(path, what, need, MEND)


def size_of(pixels: np.ndarray) -> str:
    """Say the size of an image [H, W, ...] as users read it: width by height."""
    return f"{pixels.shape[1]}x{pixels.shape[0]} pixels"
