"""The truth beside an image that is to be predicted: a mask drawn by a person, found by its name."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from headtohead.errors import UserError, printable
from headtohead.readers.file_names import MASK_SUFFIXES, PICTURES, is_mask, is_volume, stem
from headtohead.readers.mask_names import MASK_WORDS, Images, bases_of_mask, outlines_other_than_brain
from headtohead.readers.other_layouts import CHANNEL, IMAGES, LABELS, folders_named, folders_of_masks
from headtohead.readers.sequence_names import sequence_in_name
from headtohead.task import Targets

if TYPE_CHECKING:
    from headtohead.readers.nifti_file import VolumeFile


def truth_beside(path: Path) -> Path | None:
    """Find the mask of a volume: `X_mask.nii.gz`, `X_seg.nii.gz`, `X_label-lesion_mask.nii.gz` of `X.nii.gz`.

    A volume's mask may also be named after the case, as `X_seg.nii` of `X_flair.nii.gz`; see `mask_names`. Of several
    the first in the order of `MASK_WORDS` counts. What lies in a folder of masks, as `masks/X.png` of `images/X.png`
    and `labelsTr/X.nii.gz` of `imagesTr/X_0000.nii.gz`, goes before a mask beside the image.

    Returns:
        The file; None where there is none.

    Raises:
        UserError: a mask fits this image and one of another case as well.
    """
    if not is_volume(path):
        return _mask_of_picture(path)
    channel = CHANNEL.fullmatch(stem(path))
    own = {stem(path), channel["case"] if channel else stem(path)}
    apart = (file for folder in folders_of_masks(path) for file in sorted(folder.iterdir()) if is_volume(file))
    if found := next((file for file in apart if own & {stem(file), *bases_of_mask(stem(file))}), None):
        return found
    try:
        beside = [file for file in path.parent.iterdir() if is_volume(file) and file.is_file()]
    except OSError:
        return None
    masks = [file for file in beside if bases_of_mask(stem(file)) and not outlines_other_than_brain(stem(file))]
    masks = sorted((file for file in masks if not file.name.startswith(".")), key=_usual_first)
    if direct := [file for file in masks if own & set(bases_of_mask(stem(file)))]:
        return direct[0]
    images = Images(stem(file) for file in beside if masks and not bases_of_mask(stem(file)))
    for mask in masks:
        fitting = images.of_bases(bases_of_mask(stem(mask)))
        if stem(path) not in fitting:
            continue
        named = {one: sequence_in_name(one) for one in fitting}
        cases = {one: said.case if said else one for one, said in named.items()}
        if other := next((one for one in fitting if cases[one] != cases[stem(path)]), None):
            raise UserError(
                f"{printable(mask)}: fits both {stem(path)} and {other}; rename the mask after its image, or move it "
                "away"
            )
        return mask
    return None


def places_of_image(mask: Path) -> list[tuple[Path, str]]:
    """List folder and name, without suffix, that the image of a picture that is a mask may have, likeliest first."""
    names = (*(base for base in bases_of_mask(mask.stem) if base), mask.stem)
    beside, among = mask.parent.parent, LABELS.fullmatch(mask.parent.name)
    folders = [*folders_named(IMAGES, beside), beside] if among else [mask.parent]
    return [(folder, name) for folder in folders for name in names]


def _mask_of_picture(image: Path) -> Path | None:
    home = image.absolute().parent
    direct = (image.with_name(f"{image.stem}_mask{suffix}") for suffix in MASK_SUFFIXES)
    return (
        next(filter(None, (_mask_in(folder, image) for folder in folders_of_masks(image))), None)
        or next(filter(Path.is_file, direct), None)
        or next(filter(None, (_mask_in(folder, image) for folder in (home, *folders_named(LABELS, home)))), None)
    )


def _mask_in(folder: Path, image: Path) -> Path | None:
    own = image.absolute()
    try:
        with os.scandir(folder) as inside:
            files = [folder / one.name for one in inside if one.name.startswith(image.stem) and one.is_file()]
    except OSError:
        return None
    masks = [file for file in files if file.suffix.lower() in PICTURES and is_mask(file)]
    for mask in sorted(masks, key=_usual_first):
        if next(filter(_has_picture, places_of_image(mask)), None) == (own.parent, own.stem):
            return image.with_name(mask.name) if folder == own.parent else mask
    return None


def _has_picture(place: tuple[Path, str]) -> bool:
    files = [place[0] / f"{place[1]}{end}" for suffix in PICTURES for end in (suffix, suffix.upper())]
    return any(file.is_file() and not is_mask(file) for file in files)


def _usual_first(mask: Path) -> tuple[int, int, str]:
    name = stem(mask).lower()
    last = max((word for word in MASK_WORDS if name.endswith(word)), key=len, default=MASK_WORDS[0])
    return MASK_WORDS.index(last), len(name), mask.name


def read_truth_volume(image: "VolumeFile", targets: Targets) -> np.ndarray | None:
    """Read the mask beside a volume as a label map on the volume's grid; None where there is none.

    Raises:
        UserError: it is damaged, or on another grid, or no mask of these targets.
    """
    path = truth_beside(image.path)
    if path is None:
        return None
    from headtohead.readers.nifti_file import open_volume  # not for pictures
    from headtohead.readers.volumes import read_labels

    no_labels_known = targets.labels == (1,) and not targets.others
    return read_labels(open_volume(path), image, targets, united=no_labels_known)


def read_truth_picture(path: Path, shape: tuple[int, ...], targets: Targets) -> np.ndarray | None:
    """Read the mask beside a picture of a shape (H, W) as a label map [H, W]; None where there is none.

    Raises:
        UserError: it is damaged, or of another size, or no mask of these targets.
    """
    mask_path = truth_beside(path)
    if mask_path is None:
        return None
    from headtohead.readers.labels import labels_of  # not for volumes
    from headtohead.readers.pictures import colour, read_pixels, size_of

    mask = colour(read_pixels(mask_path))
    if mask.shape[:2] != shape:
        due = f"{shape[1]}x{shape[0]} pixels"
        raise UserError(f"{mask_path}: {size_of(mask)}, but its image is {due}; restore the mask")
    return labels_of(str(mask_path), mask.max(axis=-1), targets)
