"""Moving pictures of test cases: the plate, or one case, scrolling through its slices. Small enough to mail."""

from collections.abc import Iterable, Sequence
from io import BytesIO
from pathlib import Path

import numpy as np

from headtohead.drawing.plate import COLUMNS, SegmentedCase, draw_plate
from headtohead.saving import write_bytes

MOST_BYTES = 2_000_000
SHADES = (24, 16, 10)  # of grey in a GIF: its size grows with them, and the eye misses few
COLOURS = 200  # other colours that fit beside them in a GIF's 256
TINT = 16  # channels that differ by no more are grey: the ink of the lettering has a breath of blue
FRAMES = 20  # of a plate
PLATE_SIDE, CASE_SIDE = 128, 256  # pixels of a tile's side
MILLISECONDS = 200  # a frame
AROUND = 1  # slices shown before the first and after the last with any lesion, true or predicted


def write_plate_gif(scans: Sequence[SegmentedCase], path: Path, title: str) -> Path:
    """Write a plate as GIF in which every case scrolls through the slices that hold lesion, true or predicted.

    Cases have different numbers of slices; all take the same time from their first to their last, in `FRAMES` pictures,
    or fewer where no case has as many slices to show.
    """
    ranges = [slices_to_show(scan) for scan in scans]
    steps = min(FRAMES, max(map(len, ranges)))
    pictures = (
        draw_plate(
            scans,
            [one[round(step * (len(one) - 1) / max(steps - 1, 1))] for one in ranges],
            title,
            COLUMNS,
            PLATE_SIDE,
        )
        for step in range(steps)
    )
    return write_gif(pictures, path)


def write_case_gif(
    scans: Sequence[SegmentedCase],
    path: Path,
    title: str,
    side: int = CASE_SIDE,
    shades: Sequence[int] = SHADES,
    comment: str = "",
) -> Path:
    """Write one case as GIF, once for each entrant side by side, scrolling through all its slices.

    A tile's side has so many pixels; shades and comment are as for `write_gif`.
    """
    pictures = (
        draw_plate(scans, [number] * len(scans), title, len(scans), side) for number in range(len(scans[0].images))
    )
    return write_gif(pictures, path, shades, comment)


def slices_to_show(scan: SegmentedCase) -> range:
    """The slices from the first to the last with lesion, true or predicted, and `AROUND` more; all where none has."""
    found = np.flatnonzero((scan.truth | scan.prediction).any(axis=(0, 2, 3)))
    if not found.size:
        return range(len(scan.images))
    return range(max(0, int(found[0]) - AROUND), min(len(scan.images), int(found[-1]) + AROUND + 1))


def write_gif(frames: Iterable[np.ndarray], path: Path, shades: Sequence[int] = SHADES, comment: str = "") -> Path:
    """Write pictures as an endless GIF with one palette: few shades of grey, every other colour exactly as it is.

    Args:
        frames: uint8 RGB [H, W, 3], all of one size: grey images with lines in few colours, as `draw_plate` gives.
            Taken one by one, and kept at two bytes a pixel.
        path: where to.
        shades: of grey. A file that would be larger than `MOST_BYTES` is written in the next number, to the last.
        comment: text that the file carries and no viewer shows.

    Raises:
        ValueError: the pictures have more than `COLOURS` colours that are not grey.
    """
    colours: list[int] = []
    pages = [_number_colours(frame, colours) for frame in frames]
    for number in shades:
        content = _encode(pages, colours, number, comment)
        if len(content) <= MOST_BYTES:
            break
    write_bytes(path, content)
    return path


def _number_colours(frame: np.ndarray, colours: list[int]) -> np.ndarray:
    """Give a frame as uint16 [H, W]: below 256 a grey, from there on a place in the list of colours, which grows."""
    channels = frame.astype(np.int64)
    page = channels[..., 1].astype(np.uint16)
    coloured = np.ptp(channels, axis=-1) > TINT
    red, green, blue = channels[coloured].T
    known, inverse = np.unique(red << 16 | green << 8 | blue, return_inverse=True)
    colours += [int(code) for code in known if int(code) not in colours]
    if len(colours) > COLOURS:
        raise ValueError(f"a GIF has room for {COLOURS} colours beside grey; these pictures have more")
    page[coloured] = np.array([256 + colours.index(int(code)) for code in known], np.uint16)[inverse]
    return page


def _encode(pages: list[np.ndarray], colours: list[int], shades: int, comment: str) -> bytes:
    from PIL import Image

    places = np.concatenate([np.arange(256) * (shades - 1) / 255, shades + np.arange(len(colours))])
    greys = np.linspace(0, 255, shades).round().astype(int)
    codes = [int(grey) * 0x010101 for grey in greys] + colours
    palette = [channel for code in codes for channel in code.to_bytes(3, "big")]
    images = [Image.fromarray(places.round().astype(np.uint8)[page]) for page in pages]
    for image in images:
        image.putpalette(palette)
    content = BytesIO()
    images[0].save(
        content,
        format="GIF",
        save_all=True,
        append_images=images[1:],
        duration=MILLISECONDS,
        loop=0,
        comment=comment.encode(),
        optimize=False,  # would sort the palette anew for each picture
    )
    return content.getvalue()
