"""A file of a volume, NIfTI or FreeSurfer's MGH: its header read and checked apart from its voxels.

A damaged header is refused before memory is asked for. The formats: https://nifti.nimh.nih.gov/nifti-1 (R. W. Cox et
al., 2004); https://surfer.nmr.mgh.harvard.edu/fswiki/FsTutorial/MghFormat.
"""

import math
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from isal import igzip, isal_zlib

from headtohead.errors import UserError, printable
from headtohead.quiet import NIBABEL, quiet_loggers
from headtohead.readers.opening import first_bytes
from headtohead.readers.volume_names import MGH, PACKED
from headtohead.task.grid import Grid

if TYPE_CHECKING:
    from nibabel.spatialimages import SpatialImage

GZIP = b"\x1f\x8b"

DEFLATE = 1032
"""Bytes at most that one byte of gzip expands to (RFC 1951: 258 bytes for two bits)."""

CHUNK = 2**20
"""Bytes that are read at a time."""

LOOSE = 2**24
"""Bytes that a packed file may hold behind its voxels, besides as much again as these; more would cost time alone."""

MOST_VOXELS = 2**31
"""More is a damaged header, not a scan: it is sixteen times 512^3."""


MILLIMETRES = {"meter": 1000.0, "micron": 0.001}
"""Of one unit of length; a header that names none means millimetres."""


@dataclass(frozen=True, eq=False)
class VolumeFile:
    """A file of volumes with a usable header; `open_volume` makes one."""

    path: Path
    header: Any  # as nibabel reads it; never changed
    packed: bool  # by gzip
    stored_shape: tuple[int, ...]  # as in the header, two to seven axes
    volumes: int  # how many the file holds
    grid: Grid  # of one volume; an axis that a 2-D file has not is 1
    oriented: bool  # whether the header says how the grid lies in the patient

    @property
    def shape(self) -> tuple[int, int, int]:
        """The grid's three sizes."""
        return self.grid.shape

    @property
    def affine(self) -> np.ndarray:
        """float64 [4, 4], from voxel to millimetres."""
        assert self.grid.affine is not None
        return self.grid.affine

    @property
    def spacing(self) -> tuple[float, float, float]:
        """Millimetres along the grid's axes."""
        assert self.grid.spacing is not None
        return self.grid.spacing

    @property
    def dtype(self) -> np.dtype:
        """The type of the stored values."""
        return np.dtype(self.header.get_data_dtype())

    def read(self, volume: int = 0, strict: bool = False) -> np.ndarray:
        """Read one volume, counted from 0.

        Returns:
            [x, y, z]: uint8 where the file holds just that, else float32; scaled as the header says, and finite: what
            is no number, or none that float32 holds, is 0.

        Raises:
            UserError: the file is cut short or damaged, or holds what is no number and `strict` refuses.
        """
        lost = False
        with _damage_named(self.path), np.errstate(all="ignore"):
            slope, intercept = self.header.get_slope_inter()
            scaled = slope is not None and (slope, intercept) not in ((1, 0), (1, None))
            plain = self.dtype == np.uint8 and not scaled
            values = np.empty(math.prod(self.shape), np.uint8 if plain else np.float32)
            size, done = values.size * self.dtype.itemsize, 0
            # In parts: whatever type is stored, no more than the result lies in memory.
            for part in self._parts(int(self.header.get_data_offset()) + volume * size, size):
                stored = np.frombuffer(part, self.dtype)
                if scaled:  # integers become float64 by this, so that no sum runs over
                    stored = stored * float(slope) + float(intercept or 0)
                place = values[done : done + len(stored)]
                place[:] = stored
                done += len(stored)
                if not plain and not np.isfinite(place).all():
                    lost = True
                    np.nan_to_num(place, copy=False, nan=0, posinf=0, neginf=0)
            if done < values.size:
                raise EOFError
        if lost and strict:
            raise UserError(f"{printable(self.path)}: holds values that are no numbers; replace them")
        return values.reshape(self.shape, order="F")

    @property
    def image(self) -> "SpatialImage":
        """The file as nibabel's image, its voxels not read: for its stored values, header and version."""
        from nibabel.fileholders import FileHolder

        # By hand, for nibabel finds a file by its name only where the suffix is in small letters or in capitals.
        with quiet_loggers(NIBABEL), _damage_named(self.path):
            return image_class(self.header).from_file_map({"image": FileHolder(str(self.path))})

    def _parts(self, start: int, size: int) -> Iterator[bytes]:
        claimed = math.prod(self.stored_shape) * self.dtype.itemsize
        behind = int(self.header.get_data_offset()) + claimed - start - size
        with igzip.open(self.path) if self.packed else self.path.open("rb") as file:
            file.seek(start)
            while size and (part := file.read(min(size, CHUNK))):
                yield part
                size -= len(part)
            # Only at the end of a packed file stands its checksum, without which flipped bits would pass for voxels.
            while self.packed and (part := file.read(CHUNK)):
                behind -= len(part)
                if behind < -claimed - LOOSE:
                    raise UserError(
                        f"{printable(self.path)}: unpacks to far more than the {_sizes(self.stored_shape)} voxels that "
                        "its header claims; it is damaged: restore it"
                    )


def open_volume(path: Path) -> VolumeFile:
    """Open a file of a volume and check its header; no voxel is read.

    Raises:
        UserError: it is no such file of numbers in space, or damaged; the message says which and how to fix it.
    """
    packed, name = first_bytes(path)[:2] == GZIP, path.name.lower()
    if packed != name.endswith(PACKED):
        end = ".mgz" if name.endswith(MGH) else ".gz"
        fault = "compressed with gzip; add .gz to" if packed else f"not compressed with gzip; remove {end} from"
        raise UserError(f"{printable(path)}: {fault} its name")
    with quiet_loggers(NIBABEL), _damage_named(path), np.errstate(all="ignore"):
        with igzip.open(path) if packed else path.open("rb") as file:
            header, oriented = _mgh_header(file) if name.endswith(MGH) else _nifti_header(file)
        stored = tuple(int(size) for size in header.get_data_shape())
        dtype = header.get_data_dtype()
        needed = int(header.get_data_offset()) + math.prod(stored) * dtype.itemsize
        affine = np.array(header.get_best_affine(), np.float64)
        affine[:3] *= MILLIMETRES.get(_unit(header), 1.0)
        header.get_slope_inter()
    if dtype.kind == "c":
        raise UserError(f"{printable(path)}: complex numbers; save their magnitude as a separate file")
    if dtype.kind not in "iuf":
        raise UserError(f"{printable(path)}: colour (RGB) voxels; save one intensity per voxel")
    shape, volumes = _grid(path, stored)
    held = path.stat().st_size
    if needed > (held * DEFLATE if packed else held) or math.prod(stored) > MOST_VOXELS:
        raise UserError(
            f"{printable(path)}: its header claims {_sizes(stored)} voxels, more than the file can hold; "
            "it is cut short or damaged: restore it"
        )
    try:
        if not np.isfinite(affine).all():
            raise ValueError("its affine holds values that are not numbers")
        grid = Grid(shape, affine)
    except ValueError as fault:
        raise UserError(f"{printable(path)}: {fault}; restore the file, or correct its header") from fault
    return VolumeFile(path, header, packed, stored, volumes, grid, oriented)


def _nifti_header(file: Any) -> tuple[Any, bool]:
    """Read a header from an open file, and say whether it tells how the grid lies in the patient."""
    from nibabel.nifti1 import Nifti1Header
    from nibabel.nifti2 import Nifti2Header

    size = file.read(4)
    version = 2 if 540 in struct.unpack("<i", size) + struct.unpack(">i", size) else 1
    file.seek(0)
    header = (Nifti2Header if version == 2 else Nifti1Header).from_fileobj(file)
    if bytes(header["magic"])[:3] != f"n+{version}".encode():
        raise ValueError("header and voxels in two files, or no NIfTI at all")
    return header, bool(header["sform_code"] or header["qform_code"])


def _mgh_header(file: Any) -> tuple[Any, bool]:
    from nibabel.freesurfer.mghformat import DATA_OFFSET, MGHHeader

    start = file.read(DATA_OFFSET)
    if len(start) < DATA_OFFSET:
        raise EOFError
    header = MGHHeader(start[: MGHHeader._hdrdtype.itemsize])  # what stands behind the voxels says nothing of them
    if header["version"] != 1:
        raise ValueError("another version")
    return header, bool(header["goodRASFlag"])


def _unit(header: Any) -> str:
    try:
        return str(header.get_xyzt_units()[0])
    except (KeyError, AttributeError):  # a code that the standard does not know; MGH has millimetres only
        return "mm"


def image_class(header: Any) -> Any:
    """Give the class of nibabel's images that have such a header."""
    from nibabel.freesurfer.mghformat import MGHHeader, MGHImage
    from nibabel.nifti1 import Nifti1Image
    from nibabel.nifti2 import Nifti2Header, Nifti2Image

    if isinstance(header, MGHHeader):
        return MGHImage
    return Nifti2Image if isinstance(header, Nifti2Header) else Nifti1Image


def _grid(path: Path, stored: tuple[int, ...]) -> tuple[tuple[int, int, int], int]:
    """Give the three sizes of the grid and the number of volumes."""
    if any(size < 1 for size in stored) or len(stored) < 2:
        raise UserError(
            f"{printable(path)}: its header claims {_sizes(stored)} voxels, which is not an image; restore it"
        )
    if any(size > 1 for size in stored[4:]):
        raise UserError(
            f"{printable(path)}: {len(stored)}-D ({_sizes(stored)}); save the volumes you mean as a 3-D or 4-D file"
        )
    first, second, third, volumes = (*stored, 1, 1)[:4]
    return (first, second, third), volumes


def _sizes(shape: tuple[int, ...]) -> str:
    return "x".join(str(size) for size in shape) or "0"


@contextmanager
def _damage_named(path: Path) -> Iterator[None]:
    """Turn the many ways in which a damaged file fails into one line."""
    from nibabel.spatialimages import HeaderDataError
    from nibabel.wrapstruct import WrapStructError

    try:
        yield
    except PermissionError:
        raise UserError(f"{printable(path)}: no permission to read it; change its permissions") from None
    except (  # type: ignore[misc]  # isal's stubs do not declare its error as a class
        HeaderDataError,
        WrapStructError,
        struct.error,
        EOFError,
        isal_zlib.error,
        OSError,
        ValueError,
        TypeError,
        KeyError,
        OverflowError,
    ) as fault:
        kind = "MGH" if path.name.lower().endswith(MGH) else "NIfTI"
        raise UserError(f"{printable(path)}: not a readable {kind} file (cut short or damaged); restore it") from fault
    except MemoryError:
        raise UserError(
            f"{printable(path)}: does not fit into this machine's memory; split it into smaller files"
        ) from None
