"""A plate of test cases: one slice each, every contour of truth and prediction, and the Dice of the whole case."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from headtohead.drawing.brightness import brightened, white_of
from headtohead.drawing.legend import LINE, PAPER, legend_lines, write_legend
from headtohead.drawing.lettering import FAINT, shorten, text_width, write
from headtohead.drawing.outlines import Colour, draw_outlines, named_colours, overlaid
from headtohead.drawing.sheet import evenly_spread
from headtohead.drawing.sizes import resized, resized_mask, within
from headtohead.saving import write_picture
from headtohead.scoring.counts import count, dice, mean_dice
from headtohead.task import Targets

if TYPE_CHECKING:
    import pandas as pd

SIDE = 256  # pixels of a tile's side
COLUMNS, ROWS = 5, 3
MARGIN, GAP, TITLE, LEGEND = 20, 10, 34, 26
TITLE_SIZES = (20, 18, 16, 14)  # the largest that fits
AIR = (0, 0, 0)


@dataclass(frozen=True)
class SegmentedCase:
    """One test case as one entrant segmented it."""

    caption: str  # what stands below it, such as the case's name
    images: np.ndarray  # uint8 [S, H, W, C]
    truth: np.ndarray  # bool [K, S, H, W]
    prediction: np.ndarray  # bool, the same shape
    targets: Targets  # the K that are segmented
    notes: tuple[str, ...] = ()  # further lines below it
    primary: int = 0  # channel of `images` that is drawn

    @cached_property
    def dice(self) -> float:
        """Dice of the whole case in 3-D, the mean over the targets that the truth holds; NaN where it holds none."""
        pairs = zip(self.prediction.astype(bool), self.truth.astype(bool), strict=True)
        return mean_dice([dice(*count(predicted, true)) for predicted, true in pairs if true.any()])

    @property
    def score(self) -> str:
        """The Dice; where the truth holds no lesion, whether it was left alone."""
        if math.isnan(self.dice):
            return "false alarm" if self.prediction.any() else "left alone"
        return f"{self.dice:.2f}"

    @cached_property
    def grey(self) -> np.ndarray:
        """The primary sequence, brightened for the eye by one factor for all slices: uint8 [S, H, W]."""
        grey = self.images[..., self.primary]
        white = white_of(grey)
        return np.stack([brightened(np.ascontiguousarray(one), white) for one in grey])

    def fullest_slice(self) -> int:
        """The slice with the most lesion in truth; without any, with the most predicted; without any, the middle."""
        for mask in (self.truth, self.prediction):
            if mask.any():
                return int(mask.any(axis=0).sum(axis=(1, 2)).argmax())
        return len(self.images) // 2


def cases_to_draw(scores: "pd.Series", most: int = COLUMNS * ROWS) -> list[str]:
    """Choose cases evenly from the worst score to the best, both among them, so that none is picked by taste.

    A score of NaN is left out.
    """
    ranked = scores.dropna().sort_values(kind="stable").index.tolist()
    return [str(ranked[place]) for place in evenly_spread(len(ranked), most)]


def write_plate(scans: Sequence[SegmentedCase], path: Path, title: str) -> Path:
    """Write a plate of the fullest slice of each case as PNG, row by row.

    Raises:
        UserError: the file cannot be written.
    """
    picture = draw_plate(scans, [scan.fullest_slice() for scan in scans], title)
    write_picture(path, picture[:, :, ::-1])
    return path


def draw_plate(
    scans: Sequence[SegmentedCase], slices: Sequence[int], title: str, columns: int = COLUMNS, side: int = SIDE
) -> np.ndarray:
    """Draw one slice of each case, counted from 0, in rows of so many tiles, a title above: uint8 RGB.

    A tile's side has `side` pixels.
    """
    columns = min(columns, len(scans))
    rows = -(-len(scans) // columns)
    caption = (2 + max(len(scan.notes) for scan in scans)) * LINE + 8
    room, entries = columns * (side + GAP) - GAP, named_colours(scans[0].targets)
    top = MARGIN + TITLE + LEGEND + LINE * (len(legend_lines(entries, room)) - 1)
    height = top + rows * (side + caption + GAP) - GAP + MARGIN // 2
    canvas = np.full((height, room + 2 * MARGIN, 3), PAPER, np.uint8)
    size = next((size for size in TITLE_SIZES if text_width(title, size, bold=True) <= room), TITLE_SIZES[-1])
    write(canvas, shorten(title, room, size, bold=True), MARGIN, MARGIN + 16, size, bold=True)
    note = "Dice: of the whole case, in 3-D" + (", mean over targets" if len(scans[0].targets) > 1 else "")
    write_legend(canvas, entries, MARGIN, MARGIN + TITLE + 8, room, note)
    for place, (scan, number) in enumerate(zip(scans, slices, strict=True)):
        left = MARGIN + place % columns * (side + GAP)
        upper = top + place // columns * (side + caption + GAP)
        canvas[upper : upper + side, left : left + side] = draw_tile(scan, number, side)
        score = f"no lesion: {scan.score}" if math.isnan(scan.dice) else f"Dice {scan.score}"
        where = f"slice {number + 1} of {len(scan.images)}"
        write(canvas, shorten(scan.caption, side, 14, bold=True), left, upper + side + LINE - 2, 14, bold=True)
        write(canvas, score, left, upper + side + 2 * LINE, 14)
        start = left + side - text_width(where, 13)
        if start > left + text_width(score, 14) + 8:
            write(canvas, where, start, upper + side + 2 * LINE, 13, colour=FAINT)
        for line, note in enumerate(scan.notes, start=3):
            write(canvas, shorten(note, side, 13), left, upper + side + line * LINE, 13, colour=FAINT)
    return canvas


def draw_tile(scan: SegmentedCase, number: int, side: int) -> np.ndarray:
    """Draw one slice with its outlines in a black square, its proportions kept: uint8 RGB [side, side, 3].

    A slice larger than the tile is averaged down; its masks keep every part, however small.
    """
    return fit_tile(scan.grey[number], overlaid(scan.truth[:, number], scan.prediction[:, number], scan.targets), side)


def fit_tile(grey: np.ndarray, masks: dict[Colour, np.ndarray], side: int) -> np.ndarray:
    """Fit a slice, uint8 [H, W], and the outlines of its masks, [H, W] by colour, into a tile as `draw_tile` does."""
    if max(grey.shape) > side:
        size = within(grey.shape, side)
        grey, masks = resized(grey, size), {colour: resized_mask(mask, size) for colour, mask in masks.items()}
    scale = side // max(grey.shape)
    drawn = draw_outlines(grey, masks, scale)
    tile = np.full((side, side, 3), AIR, np.uint8)
    height, width = drawn.shape[:2]
    top, left = (side - height) // 2, (side - width) // 2
    tile[top : top + height, left : left + width] = drawn
    return tile
