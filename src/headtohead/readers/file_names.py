"""What a file that can be predicted is by the end of its name: a volume, a picture, or the mask of one."""

from pathlib import Path

from headtohead.readers.mask_names import bases_of_mask
from headtohead.readers.other_layouts import lies_among_masks
from headtohead.readers.volume_names import VOLUMES, volume_end

PICTURES = (".tif", ".tiff", ".png", ".jpg", ".jpeg")
MASK_SUFFIXES = (".tif", ".tiff", ".png")
INPUTS = VOLUMES + PICTURES


def ending(path: Path) -> str:
    """Give the part of a name that says the kind of file, as written: `.nii.gz`, `.TIF`; empty for no kind of ours."""
    known = next((one for one in PICTURES if path.name.lower().endswith(one)), "")
    return volume_end(path.name) or path.name[len(path.name) - len(known) :]


def stem(path: Path) -> str:
    """Give a name without what `ending` gives: `a` of `a.nii.gz`."""
    return path.name[: len(path.name) - len(ending(path))]


def is_volume(path: Path) -> bool:
    """Say whether a name is that of a volume."""
    return bool(volume_end(path.name))


def is_mask(path: Path) -> bool:
    """Say whether a file is a truth, and never an image: `X_mask.tif`, `X_seg.nii`, `masks/X.png`."""
    return bool(bases_of_mask(stem(path))) or lies_among_masks(path)
