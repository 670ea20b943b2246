"""Values written as a volume on the grid of another file, or on any grid: NIfTI or FreeSurfer's MGH."""

import math
from pathlib import Path
from typing import Any

import numpy as np
from isal import igzip

from headtohead.readers.nifti_file import VolumeFile
from headtohead.readers.volume_headers import image_class
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
    write = _mgh_writer if name.endswith(MGH) else _nifti_writer
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        if name.endswith(PACKED):
            # No time stamp: equal masks, equal bytes.
            with igzip.IGzipFile("", "wb", 1, file, mtime=0) as packed:
                write(packed, values, like)
        else:
            write(file, values, like)


def _nifti_writer(file: Any, values: np.ndarray, like: VolumeFile | Grid) -> None:
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
    kind(values.reshape(shape), None, header).to_stream(file)


def _mgh_writer(file: Any, values: np.ndarray, like: VolumeFile | Grid) -> None:
    from nibabel.freesurfer.mghformat import MGHHeader, MGHImage

    grid = like.grid if isinstance(like, VolumeFile) else like
    kept = {"u1": "u1", "i1": "i2", "i2": "i2", "u2": "i4"}.get(values.dtype.str[1:], "i4")
    values = values.astype(">f4" if values.dtype.kind == "f" else f">{kept}")
    if isinstance(like, VolumeFile) and isinstance(like.header, MGHHeader):
        header = like.header.copy()
        header.set_data_shape(values.shape)
    else:
        header = MGHImage(np.empty(values.shape, np.uint8), grid.affine).header.copy()
    header.set_data_dtype(values.dtype.newbyteorder("="))
    header.writehdr_to(file)
    file.write(bytes(header.get_data_offset() - file.tell()))
    file.write(values.tobytes(order="F"))
