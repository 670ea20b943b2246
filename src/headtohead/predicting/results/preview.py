"""A volume's slices with the outlines of its mask, on a sheet or scrolling: to look at before trusting it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from headtohead.drawing.brightness import WHITE
from headtohead.drawing.legend import LINE, PAPER, Entry, legend_entries, legend_lines, write_legend
from headtohead.drawing.lettering import FAINT, shorten, text_width, write
from headtohead.drawing.outlines import draw_outlines, overlaid
from headtohead.drawing.sizes import resized, resized_mask, within
from headtohead.task import Targets

MOST = 48  # slices shown of a volume that has more
COLUMNS = 8
TILE, LONE = 176, 640  # pixels of the longer side of one of many slices, and of a picture that stands alone
FRAME = 384  # of a slice that scrolls
NARROWEST = 360  # so that title and legend fit
MARGIN, GAP, TITLE, LEGEND = 16, 4, 58, 30
NUMBER = (255, 255, 255)
AIR = 0.2  # between black and white: nothing in the air around a head is brighter


@dataclass(frozen=True)
class Preview:
    """What is drawn of a volume.

    Attributes:
        grey: float32 [slices, H, W], any range.
        labels: label map of the prediction, the same shape.
        truth: the same of the truth; None where there is none.
        pixel: height and width of a pixel, in any unit.
        targets: whose labels they are.
    """

    grey: np.ndarray
    labels: np.ndarray
    truth: np.ndarray | None
    pixel: tuple[float, float]
    targets: Targets

    @cached_property
    def masks(self) -> np.ndarray:
        """The prediction: bool [K, slices, H, W]."""
        return self.targets.encode(self.labels)

    @cached_property
    def true_masks(self) -> np.ndarray | None:
        """The truth: bool [K, slices, H, W], or None."""
        return None if self.truth is None else self.targets.encode(self.truth)

    @cached_property
    def legend(self) -> list[Entry]:
        """What the colours mean, and where nothing of a target was found."""
        return legend_entries(self.masks, self.true_masks, self.targets, "", ": empty")

    @cached_property
    def levels(self) -> tuple[float, float]:
        """What is drawn black and white: of the whole volume, so that slices stay comparable."""
        low, high = np.percentile(self.grey, (0.5, WHITE))
        return float(low), float(high)

    @property
    def chosen(self) -> list[int]:
        """Numbers of the slices that show something; see `choose_slices`."""
        low, high = self.levels
        return choose_slices(self.labels != 0, self.grey.max(axis=(1, 2)) > low + AIR * (high - low))

    def tile(self, number: int, longest: int) -> np.ndarray:
        """Draw a slice with its outlines, its longer side of so many pixels: uint8 RGB."""
        low, high = self.levels
        size = within((self.grey.shape[1] * self.pixel[0], self.grey.shape[2] * self.pixel[1]), longest)
        window = np.clip((self.grey[number] - low) * (255 / max(high - low, 1e-6)), 0, 255).astype(np.uint8)
        truth = None if self.true_masks is None else self.true_masks[:, number]
        outlines = overlaid(truth, self.masks[:, number], self.targets)
        drawn = {colour: resized_mask(mask, size) for colour, mask in outlines.items()}
        tile = draw_outlines(resized(window, size), drawn)
        if len(self.grey) > 1:
            write(tile, str(number + 1), 4, 14, 12, colour=NUMBER)
        return tile


def draw_sheet(slices: Preview, title: str, subtitle: str) -> np.ndarray:
    """Draw the slices that show something beside and below each other: uint8 RGB."""
    return _draw(slices, title, subtitle, slices.chosen, LONE if len(slices.grey) == 1 else TILE)


def draw_frames(slices: Preview, title: str, subtitle: str) -> Iterator[np.ndarray]:
    """Draw the same slices one after the other."""
    for number in slices.chosen:
        yield _draw(slices, title, subtitle, [number], FRAME)


def _draw(slices: Preview, title: str, subtitle: str, shown: Sequence[int], longest: int) -> np.ndarray:
    tiles = [slices.tile(number, longest) for number in shown]
    height, width = tiles[0].shape[:2]
    columns = min(COLUMNS, len(shown))
    rows = -(-len(shown) // columns)
    across = max(columns * (width + GAP) - GAP, NARROWEST)
    top = MARGIN + TITLE
    bottom = top + rows * (height + GAP) + LEGEND
    below = bottom + (len(legend_lines(slices.legend, across)) - 1) * LINE + MARGIN
    canvas = np.full((below, across + 2 * MARGIN, 3), PAPER, np.uint8)
    write(canvas, shorten(title, across, 20, bold=True), MARGIN, MARGIN + 18, 20, bold=True)
    write(canvas, shorten(subtitle, across, 14), MARGIN, MARGIN + 42, 14, colour=FAINT)
    for place, tile in enumerate(tiles):
        upper, left = top + place // columns * (height + GAP), MARGIN + place % columns * (width + GAP)
        canvas[upper : upper + height, left : left + width] = tile
    total = len(slices.grey)
    note = "" if len(shown) == total else f"{len(shown)} of {total} slices"
    if len(shown) == 1 < total:
        note = f"slice {shown[0] + 1} of {total}"
    write_legend(canvas, slices.legend, MARGIN, bottom - 9, across)
    write(canvas, note, MARGIN + across - text_width(note, 13), bottom - 4, 13, colour=FAINT)
    return canvas


def choose_slices(mask: np.ndarray, bright: np.ndarray) -> list[int]:
    """Choose slices evenly from the first that shows something to the last, among them the one with the most mask.

    Of a mask [slices, H, W], and whether each slice is brighter than air: their numbers, ascending, `MOST` at most; all
    of them where there are no more.
    """
    area = mask.sum(axis=(1, 2))
    worth = np.flatnonzero(bright | (area > 0))
    if len(mask) <= MOST or not len(worth):
        return np.linspace(0, len(mask) - 1, min(MOST, len(mask))).round().astype(int).tolist()
    first, last = worth[0], worth[-1]
    chosen = np.linspace(first, last, min(MOST, last - first + 1)).round().astype(int)
    if area.any():
        fullest = area.argmax()
        chosen[np.abs(chosen - fullest).argmin()] = fullest
    return chosen.tolist()
