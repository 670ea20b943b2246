"""Values written as a volume on the grid of another file, or on any grid: NIfTI or FreeSurfer's MGH."""

import io
import math
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
from isal import igzip

from headtohead.readers.nifti_file import VolumeFile, image_class
from headtohead.readers.volume_names import MGH, PACKED
from headtohead.saving import atomic_path
from headtohead.task.grid import Grid

WRITER = b"predicted by Head-to-Head"


def write_volume(path: Path, values: np.ndarray, like: VolumeFile | Grid) -> None:
    """Write values on a grid, all of the file or nothing.

    A file of the format of `like` keeps its affine, zooms, units and codes, its byte order and its version; no scale
    factor applies. Equal values give equal bytes.

    Args:
        path: `.nii`, `.nii.gz`, `.mgh` or `.mgz`.
        values: [x, y, z] of the grid. Bool becomes uint8 {0, 1}; other types are kept where the format has them.
        like: the file whose grid it is, or a grid with an affine.

    Raises:
        UserError: it cannot be written there.
    """
    values = values.astype(np.uint8) if values.dtype == np.bool_ else values
    name = path.name.lower()
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        # No time stamp: equal masks, equal bytes.
        packed = igzip.IGzipFile("", "wb", 1, file, mtime=0) if name.endswith(PACKED) else nullcontext(file)
        with packed as out:
            if name.endswith(MGH):
                out.write(_mgh_bytes(values, like.grid if isinstance(like, VolumeFile) else like))
            else:
                _nifti_image(values, like).to_stream(out)


def _nifti_image(values: np.ndarray, like: VolumeFile | Grid) -> Any:
    from nibabel.nifti1 import Nifti1Header, Nifti1Image

    shape: tuple[int, ...] = values.shape
    if isinstance(like, VolumeFile) and isinstance(like.header, Nifti1Header):
        # A 2-D file gets a 2-D mask, one with a last axis of length 1 keeps it, a 4-D one gets a single volume.
        shape = like.stored_shape if values.size == math.prod(like.stored_shape) else like.shape
        header, kind = like.header.copy(), image_class(like.header)
        header.set_data_shape(shape)
        # Nibabel forgets the steps beyond the last axis, by which the qform places a 2-D file among its neighbours.
        header["pixdim"] = like.header["pixdim"]
    else:
        grid = like.grid if isinstance(like, VolumeFile) else like
        header, kind = Nifti1Image(np.empty(shape, np.uint8), grid.affine).header.copy(), Nifti1Image
        header.set_sform(grid.affine, 1)
        header.set_qform(grid.affine, 1)
        header.set_xyzt_units("mm")
    header.set_data_dtype(values.dtype)
    header.set_slope_inter(1, 0)
    header["descrip"] = WRITER
    header["cal_min"] = header["cal_max"] = 0
    header["intent_code"], header["intent_name"] = 0, b""
    header.extensions.clear()
    header["vox_offset"] = 0
    return kind(values.reshape(shape), None, header)


def _mgh_bytes(values: np.ndarray, grid: Grid) -> bytes:
    from nibabel.freesurfer.mghformat import MGHImage

    kept = {"u1": "u1", "i1": "i2", "i2": "i2"}.get(values.dtype.str[1:], "i4")
    values = values.astype(np.float32 if values.dtype.kind == "f" else kept)
    image = MGHImage(values, grid.affine)
    image.update_header()
    header, block = image.header, io.BytesIO()
    header.writehdr_to(block)
    start = block.getvalue().ljust(header.get_data_offset(), b"\0")
    return start + values.astype(values.dtype.newbyteorder(">")).tobytes(order="F")
