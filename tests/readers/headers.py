"""Fields of a NIfTI header, to write odd ones; and how a file is refused."""

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest

from headtohead.errors import UserError
from headtohead.readers.nifti_file import open_volume

DIM, DATATYPE, PIXDIM, OFFSET, SLOPE, UNITS, CODES, ROWS, MAGIC = 40, 70, 76, 108, 112, 123, 252, 280, 344
"""Where the fields of a NIfTI-1 header begin."""

VALUES = np.arange(1, 61, dtype=np.int16).reshape(3, 4, 5)


def patch(path: Path, place: int, form: str, *values: float | bytes) -> Path:
    """Overwrite a field of a header, little-endian, in a packed file too."""
    packed = path.suffix == ".gz"
    data = bytearray(gzip.decompress(path.read_bytes()) if packed else path.read_bytes())
    struct.pack_into("<" + form, data, place, *values)
    path.write_bytes(gzip.compress(bytes(data)) if packed else bytes(data))
    return path


def refused(path: Path, message: str, capfd: pytest.CaptureFixture[str]) -> None:
    """Check that a file is refused in one line that names it, at opening or at reading, and nothing else is said."""
    with pytest.raises(UserError, match=message) as caught:
        open_volume(path).read()
    assert str(caught.value).startswith(f"{path}: ") and "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")
