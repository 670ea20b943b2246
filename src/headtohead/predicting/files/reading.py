"""Read the pixels of an image, and its truth; name the slices around it."""

import re
from pathlib import Path

import numpy as np

from headtohead.errors import UserError
from headtohead.preparing import intensities
from headtohead.readers.labels import labels_of
from headtohead.readers.pictures import read_pixels, size_of
from headtohead.task import Targets

SUFFIXES = (".tif", ".tiff", ".png", ".jpg", ".jpeg")
MASK_SUFFIXES = (".tif", ".tiff", ".png")
ACCEPTED = "one 2-D slice as TIFF, PNG or JPEG"


def refuse_wrong_file(path: Path) -> None:
    """Refuse by name what is not an image, before anything is read.

    Raises:
        UserError: it is another kind of file, a mask, or not there.
    """
    name = path.name.lower()
    if path.is_dir():
        raise UserError(f"`image_path` {path}: a folder; name {ACCEPTED}")
    if not name.endswith(SUFFIXES):
        raise UserError(f"`image_path` {path}: not an image this program reads; name {ACCEPTED}")
    if not path.is_file():
        kind = "not a regular file" if path.exists() else "no such file"
        raise UserError(f"`image_path` {path}: {kind}; name {ACCEPTED}")
    if path.stem.endswith("_mask"):
        raise UserError(f"`image_path` {path}: a mask; name its image, {path.stem.removesuffix('_mask')}{path.suffix}")


def slices_around(path: Path) -> list[Path]:
    """List the slices of an image's case by their numbers; the image alone where its folder is not a case."""
    numbered = re.compile(re.escape(path.absolute().parent.name) + r"_(\d+)" + re.escape(path.suffix))
    if not numbered.fullmatch(path.name):
        return [path]
    found = {file: match for file in path.parent.iterdir() if (match := numbered.fullmatch(file.name))}
    return sorted(found, key=lambda file: int(found[file][1]))


def read_truth(path: Path, shape: tuple[int, ...], targets: Targets) -> np.ndarray | None:
    """Read `<stem>_mask.tif` (or .tiff, .png) beside an image: a label map [H, W]; None where there is none.

    Raises:
        UserError: it is damaged, of another size, or its values are not those of the targets.
    """
    beside = (path.with_name(f"{path.stem}_mask{suffix}") for suffix in MASK_SUFFIXES)
    mask_path = next((file for file in beside if file.is_file()), None)
    if mask_path is None:
        return None
    mask = colour(read_pixels(mask_path))
    if mask.shape[:2] != shape:
        due = f"{shape[1]}x{shape[0]} pixels"
        raise UserError(f"{mask_path}: {size_of(mask)}, but its image is {due}; restore the mask")
    inside = mask.max(axis=-1)
    return labels_of(str(mask_path), inside, targets)


def colour(pixels: np.ndarray) -> np.ndarray:
    """BGR, BGRA or grey to RGB [H, W, 3]."""
    if pixels.ndim == 2:
        pixels = pixels[:, :, None]
    if pixels.shape[2] < 3:  # grey, or grey with transparency
        return np.repeat(pixels[:, :, :1], 3, axis=2)
    return np.ascontiguousarray(pixels[:, :, 2::-1])


def to_bytes(volume: np.ndarray) -> np.ndarray:
    """Bring pixels of any type to uint8 by one factor; 8-bit pixels stay as they are."""
    return volume if volume.dtype == np.uint8 else intensities.to_bytes(volume)
