"""The headers of volumes as nibabel reads them, of NIfTI-1, NIfTI-2 and MGH."""

import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

MILLIMETRES = {"meter": 1000.0, "micron": 0.001}
"""Of one unit of length; a header that names none means millimetres."""


def read_header(file: Any, mgh: bool) -> Any:
    """Read a header from an open file.

    Raises:
        ValueError, EOFError, struct.error, nibabel's own: it is none, or damaged.
    """
    return _mgh_header(file) if mgh else _nifti_header(file)


def affine_of(header: Any) -> NDArray[np.float64]:
    """Give the affine from voxels to millimetres: float64 [4, 4]."""
    affine = np.array(header.get_best_affine(), np.float64)
    affine[:3] *= MILLIMETRES.get(_unit(header), 1.0)
    return affine


def is_oriented(header: Any) -> bool:
    """Say whether a header tells how the grid lies in the patient."""
    if "goodRASFlag" in header.keys():  # noqa: SIM118  # a header is no mapping
        return bool(header["goodRASFlag"])
    return bool(header["sform_code"] or header["qform_code"])


def image_class(header: Any) -> Any:
    """Give the class of nibabel's images that have such a header."""
    from nibabel.freesurfer.mghformat import MGHHeader, MGHImage
    from nibabel.nifti1 import Nifti1Image
    from nibabel.nifti2 import Nifti2Header, Nifti2Image

    if isinstance(header, MGHHeader):
        return MGHImage
    return Nifti2Image if isinstance(header, Nifti2Header) else Nifti1Image


def _nifti_header(file: Any) -> Any:
    from nibabel.nifti1 import Nifti1Header
    from nibabel.nifti2 import Nifti2Header

    size = file.read(4)
    version = 2 if 540 in struct.unpack("<i", size) + struct.unpack(">i", size) else 1
    file.seek(0)
    header = (Nifti2Header if version == 2 else Nifti1Header).from_fileobj(file)
    if bytes(header["magic"])[:3] != f"n+{version}".encode():
        raise ValueError("header and voxels in two files, or no NIfTI at all")
    return header


def _mgh_header(file: Any) -> Any:
    from nibabel.freesurfer.mghformat import DATA_OFFSET, MGHHeader

    start = file.read(DATA_OFFSET)
    if len(start) < DATA_OFFSET:
        raise EOFError
    header = MGHHeader(start[: MGHHeader._hdrdtype.itemsize])  # what stands behind the voxels says nothing of them
    if header["version"] != 1:
        raise ValueError("another version")
    return header


def _unit(header: Any) -> str:
    try:
        return str(header.get_xyzt_units()[0])
    except (KeyError, AttributeError):  # a code that the standard does not know; MGH has millimetres only
        return "mm"
