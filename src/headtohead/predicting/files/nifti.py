"""A NIfTI file opened and checked, so that a damaged header is refused before memory is asked for.

The format: https://nifti.nimh.nih.gov/nifti-1 (R. W. Cox et al., 2004).
"""

import math
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from isal import igzip, isal_zlib

from headtohead.errors import UserError
from headtohead.predicting.files.naming import printable
from headtohead.predicting.files.opening import first_bytes
from headtohead.quiet import NIBABEL, quiet_loggers
from headtohead.task.slicing import slicing

if TYPE_CHECKING:
    from nibabel.nifti1 import Nifti1Header, Nifti1Image

GZIP = b"\x1f\x8b"

DEFLATE = 1032
"""Bytes at most that one byte of gzip expands to (RFC 1951: 258 bytes for two bits)."""

CHUNK = 2**20
"""Bytes that are read at a time."""

LOOSE = 2**24
"""Bytes that a packed file may hold behind its voxels, besides as much again as these; more would cost time alone."""

MOST_VOXELS = 2**31
"""More is a damaged header, not a scan: it is sixteen times 512^3."""

MISALIGNED = 0.1
"""Two grids are one if no voxels lie farther apart than this share of a voxel: headers are rounded in many ways."""

MILLIMETRES = {"meter": 1000.0, "micron": 0.001}
"""Of one unit of length; a header that names none means millimetres."""


@dataclass(frozen=True)
class Nifti:
    """A NIfTI file with a usable header; `open_nifti` makes one.

    Attributes:
        path: the file.
        header: as nibabel reads it.
        packed: whether the file is packed by gzip.
        stored_shape: as in the header, two to seven axes.
        shape: the grid's three sizes; 1 for an axis that a 2-D file has not.
        volumes: how many of this grid the file holds.
        affine: float64 [4, 4], from voxel to millimetres.
        spacing: millimetres along the grid's axes.
    """

    path: Path
    header: "Nifti1Header"
    packed: bool
    stored_shape: tuple[int, ...]
    shape: tuple[int, int, int]
    volumes: int
    affine: np.ndarray
    spacing: tuple[float, float, float]

    def read(self, volume: int = 0) -> np.ndarray:
        """Read one volume.

        Args:
            volume: which, from 0.

        Returns:
            [x, y, z]: uint8 where the file holds just that, else float32; scaled as the header says, and finite: what
            is no number, or none that float32 holds, is 0.

        Raises:
            UserError: the file is cut short or damaged.
        """
        with _damage_told(self.path), np.errstate(all="ignore"):
            dtype = self.header.get_data_dtype()
            slope, intercept = self.header.get_slope_inter()
            scaled = slope is not None and (slope, intercept) != (1, 0)
            values = np.empty(math.prod(self.shape), np.uint8 if dtype == np.uint8 and not scaled else np.float32)
            size, done = values.size * dtype.itemsize, 0
            # In parts: whatever type is stored, no more than the result lies in memory.
            for part in self._parts(int(self.header.get_data_offset()) + volume * size, size):
                stored = np.frombuffer(part, dtype)
                if scaled:  # integers become float64 by this, so that no sum runs over
                    stored = stored * float(slope) + float(intercept or 0)
                place = values[done : done + len(stored)]
                place[:] = stored
                done += len(stored)
                if values.dtype != np.uint8 and not np.isfinite(place).all():
                    np.nan_to_num(place, copy=False, nan=0, posinf=0, neginf=0)
            if done < values.size:
                raise EOFError
        return values.reshape(self.shape, order="F")

    @property
    def image(self) -> "Nifti1Image":
        """The file as nibabel's image, its voxels not read: for its stored values, header and version."""
        from nibabel.fileholders import FileHolder
        from nibabel.nifti1 import Nifti1Image
        from nibabel.nifti2 import Nifti2Header, Nifti2Image

        kind = Nifti2Image if isinstance(self.header, Nifti2Header) else Nifti1Image
        # By hand, for nibabel finds a file by its name only where the suffix is in small letters or in capitals.
        with quiet_loggers(NIBABEL), _damage_told(self.path):
            return kind.from_file_map({"image": FileHolder(str(self.path))})

    def _parts(self, start: int, size: int) -> Iterator[bytes]:
        claimed = math.prod(self.stored_shape) * self.header.get_data_dtype().itemsize
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


def open_nifti(path: Path) -> Nifti:
    """Open a NIfTI file and check its header; no voxel is read.

    Raises:
        UserError: it is no NIfTI file of numbers in space, or damaged; the message says which and how to fix it.
    """
    from nibabel.nifti1 import Nifti1Header
    from nibabel.nifti2 import Nifti2Header

    packed = first_bytes(path)[:2] == GZIP
    if packed != path.name.lower().endswith(".gz"):
        what = (
            "compressed with gzip; add .gz to its name"
            if packed
            else "not compressed with gzip; remove .gz from its name"
        )
        raise UserError(f"{printable(path)}: {what}")
    with quiet_loggers(NIBABEL), _damage_told(path), np.errstate(all="ignore"):
        with igzip.open(path) if packed else path.open("rb") as file:
            size = file.read(4)
            version = 2 if 540 in struct.unpack("<i", size) + struct.unpack(">i", size) else 1
            file.seek(0)
            header = (Nifti2Header if version == 2 else Nifti1Header).from_fileobj(file)
        if bytes(header["magic"])[:3] != f"n+{version}".encode():
            raise ValueError("header and voxels in two files, or no NIfTI at all")
        stored = tuple(int(size) for size in header.get_data_shape())
        needed = int(header.get_data_offset()) + math.prod(stored) * header.get_data_dtype().itemsize
        unit = MILLIMETRES.get(_unit(header), 1.0)
        affine = np.array(header.get_best_affine(), np.float64)
        header.get_slope_inter()
    _refuse_type(path, header.get_data_dtype())
    shape, volumes = _grid(path, stored)
    held = path.stat().st_size
    if needed > (held * DEFLATE if packed else held) or math.prod(stored) > MOST_VOXELS:
        raise UserError(
            f"{printable(path)}: its header claims {_sizes(stored)} voxels, more than the file can hold; "
            "it is cut short or damaged: restore it"
        )
    affine[:3] *= unit
    try:
        if not np.isfinite(affine).all():
            raise ValueError("its affine holds values that are not numbers")
        slicing(affine)
    except ValueError as fault:
        raise UserError(f"{printable(path)}: {fault}; restore the file, or correct its sform and qform") from fault
    first, second, third = (float(step) for step in np.linalg.norm(affine[:3, :3], axis=0))
    return Nifti(path, header, packed, stored, shape, volumes, affine, (first, second, third))


def same_place(affine: np.ndarray, shape: tuple[int, ...], other: np.ndarray, other_shape: tuple[int, ...]) -> bool:
    """Say whether the voxels of two grids (affines [4, 4], three sizes) lie at the same places."""
    if shape != other_shape:
        return False
    corners = np.array([(*corner, 1) for corner in product(*((0, size - 1) for size in shape))])
    apart = np.linalg.norm((corners @ (affine - other).T)[:, :3], axis=1).max()
    return bool(apart <= MISALIGNED * np.linalg.norm(other[:3, :3], axis=0).min())


def _unit(header: object) -> str:
    try:
        return str(header.get_xyzt_units()[0])  # type: ignore[attr-defined]
    except KeyError:  # a code that the standard does not know
        return "mm"


def _refuse_type(path: Path, dtype: np.dtype) -> None:
    if dtype.kind == "c":
        raise UserError(f"{printable(path)}: complex numbers; save their magnitude as a separate file")
    if dtype.kind not in "iuf":
        raise UserError(f"{printable(path)}: colour (RGB) voxels; save one intensity per voxel")


def _grid(path: Path, stored: tuple[int, ...]) -> tuple[tuple[int, int, int], int]:
    """Settle the three sizes of the grid and the number of volumes."""
    if any(size < 1 for size in stored) or len(stored) < 2:
        raise UserError(
            f"{printable(path)}: its header claims {_sizes(stored)} voxels, which is not an image; restore it"
        )
    if any(size > 1 for size in stored[4:]):
        raise UserError(
            f"{printable(path)}: {len(stored)}-D ({_sizes(stored)}); save the volumes you mean as a 3-D or 4-D file"
        )
    first, second, third, volumes = (*stored, 1, 1)[:4] if len(stored) < 4 else stored[:4]
    return (first, second, third), volumes


def _sizes(shape: tuple[int, ...]) -> str:
    return "x".join(str(size) for size in shape) or "0"


@contextmanager
def _damage_told(path: Path) -> Iterator[None]:
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
        raise UserError(f"{printable(path)}: not a readable NIfTI file (cut short or damaged); restore it") from fault
    except MemoryError:
        raise UserError(
            f"{printable(path)}: does not fit into this machine's memory; split it into smaller files"
        ) from None
