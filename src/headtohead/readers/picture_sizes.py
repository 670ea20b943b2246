"""How large a picture is, from its header alone: a file of a kilobyte may claim more pixels than the memory holds.

Formats: PNG (ISO/IEC 15948), JPEG (ITU T.81), TIFF 6.0 with BigTIFF.
"""

import math
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

PNG, JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"
TIFF = {b"II*\0": "<", b"MM\0*": ">", b"II+\0": "<", b"MM\0+": ">"}
"""How a TIFF begins -> its byte order; those with a plus are BigTIFF."""

COLOURS = {0: 1, 2: 3, 3: 4, 4: 2, 6: 4}
"""Type of colour in a PNG -> its channels once decoded; a palette may hold transparency."""

WIDTH, HEIGHT, BITS, SAMPLES, ROWS, TILE_WIDTH, TILE_HEIGHT = 256, 257, 258, 277, 278, 322, 323
NUMBERS = {1: "B", 3: "H", 4: "I", 16: "Q"}
"""Type of a field of a TIFF that holds whole numbers -> its letter in `struct`."""

MEND = "crop or resample it, restore it if its header is damaged"
"""What helps against a picture that is too large."""

MOST_FIELDS = 4096
MOST_PAGES = 10_000
"""Pages are counted up to here; a file may hold a million empty ones."""

PROGRESSIVE = {0xC2, 0xC6, 0xCA, 0xCE}
"""Frames of a JPEG whose coefficients are all kept until the last is read."""


@dataclass(frozen=True)
class PictureSize:
    """What a header claims, in pixels."""

    width: int
    height: int
    channels: int  # once decoded
    itemsize: int  # bytes of a channel of a pixel, once decoded
    pages: int = 1  # how many pictures the file holds; a TIFF may hold several
    working: int = 0  # bytes that decoding takes besides the pixels

    @property
    def pixels(self) -> int:
        """How many there are."""
        return self.width * self.height

    @property
    def decoded(self) -> int:
        """Bytes at the peak of decoding it, and of bringing its channels in order."""
        return self.pixels * self.itemsize * (self.channels + 3) + self.working


def picture_size(path: Path) -> PictureSize | None:
    """Read the size of a picture from its header; what it is, its first bytes say and not its name.

    Returns:
        The size; None where it is no PNG, JPEG or TIFF, or one with a damaged header.

    Raises:
        OSError: the file cannot be opened.
    """
    with path.open("rb") as file:
        start = file.read(8)
        try:
            if start == PNG:
                return _png(file)
            if start[:3] == JPEG:
                return _jpeg(file)
            if start[:4] in TIFF:
                return _tiff(file, start, path.stat().st_size)
        except (struct.error, KeyError, ValueError, OverflowError):
            return None
    return None


def _png(file: BinaryIO) -> PictureSize:
    name, width, height, depth, colour = struct.unpack(">4x4sIIBB", file.read(18))
    if name != b"IHDR":
        raise ValueError
    return PictureSize(width, height, COLOURS[colour], 2 if depth == 16 else 1)


def _jpeg(file: BinaryIO) -> PictureSize:
    file.seek(2)
    while True:
        marker = file.read(2)
        while marker[1:] == b"\xff":  # filled up
            marker = marker[1:] + file.read(1)
        if len(marker) < 2 or marker[0] != 0xFF:
            raise ValueError
        kind = marker[1]
        if kind == 1 or 0xD0 <= kind <= 0xD8:  # no length
            continue
        (length,) = struct.unpack(">H", file.read(2))
        if 0xC0 <= kind <= 0xCF and kind not in (0xC4, 0xC8, 0xCC):
            height, width, channels = struct.unpack(">xHHB", file.read(6))
            working = 2 * width * height * channels if kind in PROGRESSIVE else 0
            return PictureSize(width, height, max(3, channels), 1, 1, working)
        file.seek(max(0, length - 2), 1)


def _tiff(file: BinaryIO, start: bytes, held: int) -> PictureSize:
    order, big = TIFF[start[:4]], start[2:4] in (b"+\0", b"\0+")
    offset, count, entry = (order + one for one in (("Q", "Q", "HHQ8s") if big else ("I", "H", "HHI4s")))
    file.seek(8 if big else 4)
    place = _number(file, offset)
    found: dict[int, list[int]] = {}
    seen: set[int] = set()
    while place and place not in seen and len(seen) < MOST_PAGES and place < held:
        file.seek(place)
        fields = _number(file, count)
        if not seen:  # of the first page alone the size counts
            if fields > MOST_FIELDS:
                raise ValueError
            found = _fields(file, file.read(fields * struct.calcsize(entry)), entry, order, offset)
        seen.add(place)
        file.seek(place + struct.calcsize(count) + fields * struct.calcsize(entry))
        try:
            place = _number(file, offset)
        except struct.error:  # the file ends here
            place = 0
    width, height = found[WIDTH][0], found[HEIGHT][0]
    channels = max(1, found.get(SAMPLES, [1])[0])
    itemsize = max(1, math.ceil(max(found.get(BITS, [1])) / 8))
    tile = found.get(TILE_WIDTH, [width])[0] * found.get(TILE_HEIGHT, found.get(ROWS, [height]))[0]
    tile = tile if TILE_WIDTH in found else min(tile, width * height)
    return PictureSize(width, height, channels, itemsize, len(seen), tile * max(4, channels) * itemsize)


def _number(file: BinaryIO, layout: str) -> int:
    [value] = struct.unpack(layout, file.read(struct.calcsize(layout)))
    return int(value)


def _fields(file: BinaryIO, entries: bytes, entry: str, order: str, offset: str) -> dict[int, list[int]]:
    """Give the fields of a page that hold whole numbers, at most eight of each."""
    found = {}
    for tag, kind, count, value in struct.iter_unpack(entry, entries):
        if kind not in NUMBERS or not count:
            continue
        layout = f"{order}{min(count, 8)}{NUMBERS[kind]}"
        size = struct.calcsize(layout)
        if size > len(value):
            file.seek(struct.unpack(offset, value)[0])
            value = file.read(size)
        found[tag] = list(struct.unpack(layout, value[:size]))
    return found
