"""The truth beside a volume: a mask drawn by a person, found by its name."""

from pathlib import Path

import numpy as np

from headtohead.errors import UserError
from headtohead.predicting.files.labels import is_any_mask, labels_of
from headtohead.predicting.files.naming import is_volume, printable, stem
from headtohead.predicting.files.nifti import Nifti, open_nifti, same_place
from headtohead.predicting.files.nnunet import case_of_channel
from headtohead.readers.mask_names import MASK_WORDS, Images, bases_of_mask, outlines_other_than_brain
from headtohead.readers.sequence_names import sequence_in_name
from headtohead.task import Targets


def truth_beside(path: Path) -> Path | None:
    """Find the mask of a volume: `X_mask.nii.gz`, `X_seg.nii.gz`, `X_label-lesion_mask.nii.gz` of `X.nii.gz`.

    A mask may also be named after the case, as `X_seg.nii` of `X_flair.nii.gz`; see `mask_names`. Of several the first
    in the order of `MASK_WORDS` counts.

    Returns:
        The file; None where there is none.

    Raises:
        UserError: a mask fits this image and one of another case as well.
    """
    try:
        beside = [file for file in path.parent.iterdir() if is_volume(file) and file.is_file()]
    except OSError:
        return None
    masks = [file for file in beside if bases_of_mask(stem(file)) and not outlines_other_than_brain(stem(file))]
    masks = sorted((file for file in masks if not file.name.startswith(".")), key=_usual_first)
    own = {stem(path), case_of_channel(path)} - {""}
    direct = [file for file in masks if own & set(bases_of_mask(stem(file)))]
    if direct or not masks:
        return next(iter(direct), None)
    images = Images(stem(file) for file in beside if not bases_of_mask(stem(file)))
    for mask in masks:
        fitting = list(images.of_mask(stem(mask)))
        if stem(path) not in fitting:
            continue
        other = next((one for one in fitting if _case(one) != _case(stem(path))), None)
        if other is not None:
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


def _case(name: str) -> str:
    named = sequence_in_name(name)
    return named.case if named else name


def read_truth_volume(image: Nifti, targets: Targets) -> np.ndarray | None:
    """Read the mask beside a volume, on the volume's grid.

    Of a lone target what is at least a half is inside, so that masks of labels (1, 2, 4) are the whole of what was
    labelled. Of several, the values must be theirs. A mask stored with other axes, at the same places, is turned.

    Returns:
        A label map [x, y, z]; None where there is no mask.

    Raises:
        UserError: it is damaged, or on another grid.
    """
    path = truth_beside(image.path)
    if path is None:
        return None
    mask = open_nifti(path)
    if mask.volumes > 1:
        raise UserError(f"{printable(path)}: {mask.volumes} volumes, but a mask has one; restore it or move it away")
    values = mask.read()
    labels = targets.decode(values[None] >= 0.5) if is_any_mask(targets) else labels_of(values, targets, path)
    turned, affine = _turned(labels, mask.affine, image.affine)
    if turned.shape != image.shape:
        sizes = ["x".join(map(str, one.shape)) for one in (mask, image)]
        raise UserError(
            f"{printable(path)}: {sizes[0]} voxels, but its image has {sizes[1]}; restore it or move it away"
        )
    if not same_place(affine, turned.shape, image.affine, image.shape):
        raise UserError(
            f"{printable(path)}: is not aligned with its image (its affine differs); resample it onto the image's grid "
            "or move it away"
        )
    return turned


def _turned(values: np.ndarray, affine: np.ndarray, wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Give values the axes of another affine, without resampling: the values and their affine then."""
    from nibabel.orientations import apply_orientation, inv_ornt_aff, io_orientation, ornt_transform

    turn = ornt_transform(io_orientation(affine), io_orientation(wanted))
    return apply_orientation(values, turn), affine @ inv_ornt_aff(turn, values.shape)
