"""What the colours of a picture mean: samples and words, in as many lines as they need."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from headtohead.drawing.lettering import FAINT, shorten, text_width, write
from headtohead.drawing.outlines import Colour, named_colours, rgb
from headtohead.task import Targets

LINE, SIZE, MARGIN = 19, 14, 24
PAPER = (255, 255, 255)

Entry = tuple[str, tuple[Colour, ...]]
"""Words, and the colours before them; none where it is only words."""


class Spacing(NamedTuple):
    """Pixels from line to line, between entries, from a sample's start to its words, and of the sample."""

    line: int = LINE
    between: int = 20
    words: int = 27
    sample: int = 20


USUAL = Spacing()


def legend_entries(masks: np.ndarray, truth: np.ndarray | None, targets: Targets, some: str, none: str) -> list[Entry]:
    """Give the entries of the legend of outlines of masks, bool [K, ...], and of their truth, if there is one.

    After the name of what has pixels stands `some`, in which `{}` is how many; else `none`.
    """
    entries = named_colours(targets, truth is not None)
    # The truth of a lone target has an entry of its own, the first; that of several shares theirs.
    counted = [*truth, *masks] if truth is not None and len(targets) == 1 else masks
    sizes = [int(np.count_nonzero(mask)) for mask in counted]
    words = [(some if size else none).format(size) for size in sizes]
    named = [(name + more, colours) for (name, colours), more in zip(entries, words, strict=False)]
    return named + entries[len(sizes) :]


def legend_lines(entries: Sequence[Entry], room: int, spacing: Spacing = USUAL) -> list[list[Entry]]:
    """Set the entries in lines of at most `room` pixels; one that is too long is shortened."""
    lines: list[list[Entry]] = [[]]
    left = 0
    for words, colours in entries:
        words = shorten(words, room - spacing.words, SIZE)
        wide = spacing.words * bool(colours) + text_width(words, SIZE)
        if left and left + wide > room:
            lines.append([])
            left = 0
        lines[-1].append((words, colours))
        left += wide + spacing.between
    return lines


def write_legend(
    canvas: np.ndarray,
    entries: Sequence[Entry],
    left: int,
    middle: int,
    room: int,
    note: str = "",
    spacing: Spacing = USUAL,
) -> None:
    """Write a legend onto a canvas, uint8 RGB [H, W, 3], from its left end and the middle of its first line.

    A note stands at the right end of the last line, where there is room for it. All lengths are in pixels.
    """
    at = left
    for number, line in enumerate(legend_lines(entries, room, spacing)):
        base, at = middle + number * spacing.line, left
        for words, colours in line:
            for place, colour in enumerate(colours):
                start, end = at + place * spacing.sample // len(colours), at + spacing.sample
                canvas[base - 2 : base + 2, start:end] = rgb(colour)
            at += spacing.words * bool(colours)
            write(canvas, words, at, base + 5, SIZE)
            at += text_width(words, SIZE) + spacing.between
    if at + text_width(note, SIZE) <= left + room:
        write(canvas, note, left + room - text_width(note, SIZE), base + 5, SIZE, colour=FAINT)


def legend(entries: Sequence[Entry], width: int, note: str = "") -> np.ndarray:
    """Draw a legend on paper of its own: uint8 RGB [H, width, 3]."""
    room = width - 2 * MARGIN
    entries = [*entries, *([(f"({note})", ())] if note else [])]
    canvas = np.full((len(legend_lines(entries, room)) * LINE + 8, width, 3), PAPER, np.uint8)
    write_legend(canvas, entries, MARGIN, LINE // 2, room)
    return canvas
