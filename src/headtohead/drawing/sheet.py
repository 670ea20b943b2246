"""A sheet of cases: a title and a legend, and below them, row by row, one block a case."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from headtohead.drawing.legend import LINE, PAPER, Entry, legend_lines, write_legend
from headtohead.drawing.lettering import shorten, write

MARGIN, GAP, TITLE, LEGEND = 20, 12, 34, 26
CAPTION = 2 * LINE + 8
"""Pixels below the tiles of a block, for two lines."""


class Sheet(NamedTuple):
    """A picture with its heading, uint8 RGB, and the part of it that each block is drawn into."""

    canvas: NDArray[np.uint8]
    blocks: list[NDArray[np.uint8]]


def lay_out_sheet(
    title: str, entries: Sequence[Entry], count: int, columns: int, size: tuple[int, int], least: int
) -> Sheet:
    """Make a sheet for so many blocks.

    Args:
        title: its first line.
        entries: of the legend.
        count: of blocks, one or more.
        columns: blocks in a row at most.
        size: height and width of a block in pixels.
        least: pixels that the heading has across, however few blocks there are.
    """
    high, wide = size
    columns = min(columns, count)
    room = max(columns * (wide + GAP) - GAP, least)
    top = MARGIN + TITLE + LEGEND + LINE * (len(legend_lines(entries, room)) - 1)
    height = top + -(-count // columns) * (high + GAP) - GAP + MARGIN // 2
    canvas = np.full((height, room + 2 * MARGIN, 3), PAPER, np.uint8)
    write(canvas, shorten(title, room, 20, bold=True), MARGIN, MARGIN + 16, 20, bold=True)
    write_legend(canvas, entries, MARGIN, MARGIN + TITLE + 8, room)
    corners = [
        (top + place // columns * (high + GAP), MARGIN + place % columns * (wide + GAP)) for place in range(count)
    ]
    return Sheet(canvas, [canvas[upper : upper + high, left : left + wide] for upper, left in corners])


def evenly_spread(count: int, most: int) -> list[int]:
    """Choose at most so many places of `count`, evenly spread, the first and the last among them."""
    return [int(place) for place in np.linspace(0, count - 1, min(most, count)).round()]
