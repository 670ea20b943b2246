"""Read one array of a NumPy archive (.npz) within bounds: its type and shape are known before it is unpacked.

`numpy.load` would allocate whatever a header says. Source: the format of .npy files, version 1.0
(https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html), in the spelling that NumPy writes.
"""

import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from headtohead.records.archives import FAULTS
from headtohead.records.regular import UnreadableError, opened

MAGIC = b"\x93NUMPY\x01\x00"
LONGEST = 256
"""Bytes of the description of an array: NumPy writes 118 for one of a few dimensions."""

DESCRIPTION = re.compile(rb"\{'descr': '([^']+)', 'fortran_order': False, 'shape': \(([0-9, ]*)\), \} *\n")


class NoSuchArrayError(UnreadableError):
    """The archive has no array of that name."""

    def __init__(self, name: str) -> None:
        """Keep the name."""
        super().__init__(f"no array {name}")
        self.name = name


class OtherShapeError(UnreadableError):
    """The array is of another shape."""

    def __init__(self, name: str, found: str, wanted: str) -> None:
        """Keep the name."""
        super().__init__(f"{name} has shape ({found}), not ({wanted})")
        self.name = name


def read_array(path: Path, name: str, dtype: DTypeLike, shape: Sequence[int]) -> NDArray[Any]:
    """Read one array, whose type and shape must be these; never objects, which are pickles.

    Raises:
        FileNotFoundError: there is none.
        NoSuchArrayError: it has no such array.
        OtherShapeError: the array is of another shape.
        UnreadableError: it is no file or damaged, or the array is of another type.
    """
    return next(read_arrays(path, {name: shape}, dtype))


def read_arrays(path: Path, shapes: Mapping[str, Sequence[int]], dtype: DTypeLike) -> Iterator[NDArray[Any]]:
    """Read several arrays of one type one after the other; `shapes` are by name.

    Raises:
        FileNotFoundError, UnreadableError: as `read_array`.
    """
    with _archive(path) as archive:
        for name, shape in shapes.items():
            yield _read(archive, name, np.dtype(dtype), shape)


def _read(archive: zipfile.ZipFile, name: str, dtype: np.dtype[Any], shape: Sequence[int]) -> NDArray[Any]:
    try:
        entry = archive.getinfo(f"{name}.npy")
    except KeyError:
        raise NoSuchArrayError(name) from None
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise UnreadableError("compressed in another way than NumPy's")
    size = dtype.itemsize * int(np.prod(shape, dtype=np.int64))
    with archive.open(entry) as stream:
        kind, found = _description(stream)
        if kind != dtype.str:
            raise UnreadableError(f"{name} is of type {kind}, not {dtype.str}")
        if found != _text(shape):
            raise OtherShapeError(name, found, _text(shape))
        content = stream.read(size + 1)  # to its end, where the checksum is compared
    if len(content) != size:
        raise UnreadableError(f"{name} is not as long as it says")
    return np.frombuffer(content, dtype).reshape(shape).copy()


@contextmanager
def _archive(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with opened(path) as file, zipfile.ZipFile(file) as archive:
            yield archive
    except (*FAULTS, zlib.error) as fault:
        raise UnreadableError(str(fault).splitlines()[0] if str(fault) else "cut short") from fault


def _description(stream: IO[bytes]) -> tuple[str, str]:
    """Read the head of an array: its type and shape, as text."""
    if stream.read(len(MAGIC)) != MAGIC:
        raise UnreadableError("not an array of NumPy, or of another version")
    length = int.from_bytes(stream.read(2), "little")
    match = DESCRIPTION.fullmatch(stream.read(length)) if length <= LONGEST else None
    if match is None:
        raise UnreadableError("no description of an array")
    return match[1].decode("latin-1"), match[2].decode("ascii")


def _text(shape: Sequence[int]) -> str:
    return str(tuple(int(side) for side in shape))[1:-1]
