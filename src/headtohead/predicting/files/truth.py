"""The truth beside a volume: a mask drawn by a person, found by its name."""

from itertools import product
from pathlib import Path

import numpy as np

from headtohead.errors import UserError
from headtohead.predicting.files.naming import shown, stem
from headtohead.predicting.files.nifti import Nifti, open_nifti, same_place
from headtohead.predicting.files.sequences import sequence_in_name

ENDS = ("_mask", "_desc-brain_mask", "_seg", "_dseg")
SUFFIXES = (".nii.gz", ".nii")


def truth_beside(path: Path) -> Path | None:
    """Find the mask of a volume: `X_mask.nii.gz`, `X_desc-brain_mask.nii.gz`, `X_seg.nii.gz` of `X.nii.gz`.

    Where the image's name ends in its sequence, as `X_flair.nii.gz`, a mask may also be that of the case, `X_seg.nii`.

    Returns:
        The file; None where there is none.
    """
    names = [stem(path)]
    named = sequence_in_name(names[0])
    if named and named[0]:
        names.append(named[0])
    beside = (path.with_name(f"{name}{end}{suffix}") for name, end, suffix in product(names, ENDS, SUFFIXES))
    return next((file for file in beside if file.is_file()), None)


def read_truth_volume(image: Nifti) -> np.ndarray | None:
    """Read the mask beside a volume, on the volume's grid.

    What is at least a half is inside, so that masks of labels (1, 2, 4) are the whole of what was labelled. A mask
    stored with other axes, at the same places, is turned.

    Returns:
        bool [x, y, z]; None where there is no mask.

    Raises:
        UserError: it is damaged, or on another grid.
    """
    path = truth_beside(image.path)
    if path is None:
        return None
    mask = open_nifti(path)
    if mask.volumes > 1:
        raise UserError(f"{shown(path)}: {mask.volumes} volumes, but a mask has one; restore it or move it away")
    turned, affine = _turned(mask.read() >= 0.5, mask.affine, image.affine)
    if turned.shape != image.shape:
        sizes = ["x".join(map(str, one.shape)) for one in (mask, image)]
        raise UserError(f"{shown(path)}: {sizes[0]} voxels, but its image has {sizes[1]}; restore it or move it away")
    if not same_place(affine, turned.shape, image.affine, image.shape):
        raise UserError(
            f"{shown(path)}: does not lie where its image lies (its affine differs); resample it onto the image's grid "
            "or move it away"
        )
    return turned


def _turned(values: np.ndarray, affine: np.ndarray, wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Give values the axes of another affine, without resampling: the values and their affine then."""
    from nibabel.orientations import apply_orientation, inv_ornt_aff, io_orientation, ornt_transform

    turn = ornt_transform(io_orientation(affine), io_orientation(wanted))
    return apply_orientation(values, turn), affine @ inv_ornt_aff(turn, values.shape)
