"""The truth beside an image that is to be predicted: a mask drawn by a person, found by its name."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from headtohead.errors import UserError, printable
from headtohead.readers.file_names import MASK_SUFFIXES, is_volume, stem
from headtohead.readers.mask_names import MASK_WORDS, Images, bases_of_mask, outlines_other_than_brain
from headtohead.readers.other_layouts import CHANNEL
from headtohead.readers.sequence_names import sequence_in_name
from headtohead.task import Targets

if TYPE_CHECKING:
    from headtohead.readers.nifti_file import VolumeFile


def truth_beside(path: Path) -> Path | None:
    """Find the mask of a volume: `X_mask.nii.gz`, `X_seg.nii.gz`, `X_label-lesion_mask.nii.gz` of `X.nii.gz`.

    A volume's mask may also be named after the case, as `X_seg.nii` of `X_flair.nii.gz`; see `mask_names`. Of several
    the first in the order of `MASK_WORDS` counts. Of a picture it is `X_mask.tif`, `.tiff` or `.png`.

    Returns:
        The file; None where there is none.

    Raises:
        UserError: a mask fits this image and one of another case as well.
    """
    if not is_volume(path):
        pictures = (path.with_name(f"{path.stem}_mask{suffix}") for suffix in MASK_SUFFIXES)
        return next(filter(Path.is_file, pictures), None)
    try:
        beside = [file for file in path.parent.iterdir() if is_volume(file) and file.is_file()]
    except OSError:
        return None
    masks = [file for file in beside if bases_of_mask(stem(file)) and not outlines_other_than_brain(stem(file))]
    masks = sorted((file for file in masks if not file.name.startswith(".")), key=_usual_first)
    channel = CHANNEL.fullmatch(stem(path))
    own = {stem(path), channel["case"] if channel else stem(path)}
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


def _usual_first(mask: Path) -> tuple[int, int, str]:
    name = stem(mask).lower()
    last = max((word for word in MASK_WORDS if name.endswith(word)), key=len)
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
