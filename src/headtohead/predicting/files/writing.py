"""Values on a file's own grid, written as a file of its kind: NIfTI with the same header, PNG or TIFF of pictures."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from headtohead.errors import UserError, printable
from headtohead.predicting.files.finding import Job
from headtohead.saving import write_picture

if TYPE_CHECKING:
    from headtohead.readers.nifti_file import VolumeFile

HELD = {
    ".png": (np.uint8, np.uint16),
    ".tif": (np.uint8, np.int8, np.uint16, np.int16, np.int32, np.float32, np.float64),
}
"""What kinds of picture hold. OpenCV would write 8 bits of anything else, without a word."""


def write_like(job: Job, values: np.ndarray, paths: Sequence[Path], source: "VolumeFile | None" = None) -> None:
    """Write values on the grid of a job's first file.

    Volumes are written as `write_volume` does. In pictures a mask is {0, 255}, as in LGG. What is a mask follows from
    the type, bool, and not from the values: a label map keeps its labels, also where only 0 and 1 occur in it.

    Args:
        job: what was predicted.
        values: on the file's own grid: [x, y, z] of NIfTI, or the shape of the file; [slices, H, W] of pictures, or
            RGB [slices, H, W, 3]. Types stay what they are, but for bool and for float in PNG: uint16, 65535 is 1.
        paths: one, `.nii` or `.nii.gz`; `.png`, `.tif` or `.tiff`, of a folder one for each slice.
        source: the job's first file, if it was opened before.

    Raises:
        UserError: it cannot be written there.
    """
    try:
        if job.kind == "nifti":
            from headtohead.readers.nifti_file import open_volume  # not for pictures
            from headtohead.readers.nifti_writing import write_volume

            write_volume(paths[0], values, source or open_volume(job.files[0]))
        else:
            for path, image in zip(paths, values, strict=True):
                _write_picture(image, path)
    except OSError as fault:
        raise UserError(
            f"{printable(paths[0])}: cannot be written ({fault.strerror or fault}); choose another `output`"
        ) from fault


def _write_picture(values: np.ndarray, path: Path) -> None:
    suffix = path.suffix.lower()
    if suffix not in (".png", ".tif", ".tiff"):
        raise UserError(
            f"{printable(path)}: masks of images are written as .png or .tif; change `mask_suffix` or `outputs`"
        )
    if values.dtype == np.bool_:
        values = values.astype(np.uint8) * np.uint8(255)
    elif values.dtype.kind == "f" and suffix == ".png":
        values = (np.clip(np.nan_to_num(values), 0, 1) * 65535).round().astype(np.uint16)
    if values.dtype not in HELD[suffix[:4]]:
        raise UserError(
            f"{printable(path)}: its values are {values.dtype}, which this file type cannot hold; write .tif"
        )
    write_picture(path, np.ascontiguousarray(values[..., ::-1] if values.ndim == 3 else values))
