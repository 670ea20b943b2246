"""A volume's slices with the outlines of its mask, on a sheet or scrolling: to look at before trusting it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from headtohead.drawing.brightness import WHITE
from headtohead.drawing.legend import LINE, PAPER, Entry, legend_lines, write_legend
from headtohead.drawing.lettering import FAINT, shorten, text_width, write
from headtohead.drawing.outlines import PREDICTION, Colour, by_colour, draw_outlines, named_colours, overlaid
from headtohead.drawing.sizes import resized, resized_mask
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

    def outlines(self, number: int) -> dict[Colour, np.ndarray]:
        """The outlines to draw on a slice, the truth below the prediction."""
        here = self.masks[:, number]
        if self.true_masks is None:
            return by_colour(here, self.targets, PREDICTION)
        return overlaid(self.true_masks[:, number], here, self.targets)

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


def draw_sheet(slices: Preview, title: str, subtitle: str) -> np.ndarray:
    """Draw slices beside and below each other: uint8 RGB.

    Args:
        slices: the volume; those are drawn that show something.
        title: the first line, in bold.
        subtitle: the second line.
    """
    return _draw(slices, title, subtitle, slices.chosen, LONE if len(slices.grey) == 1 else TILE)


def draw_frames(slices: Preview, title: str, subtitle: str) -> Iterator[np.ndarray]:
    """Draw slices one after the other, from the first to the last that shows something; as `draw_sheet`."""
    for number in slices.chosen:
        yield _draw(slices, title, subtitle, [number], FRAME)


def _draw(slices: Preview, title: str, subtitle: str, shown: Sequence[int], longest: int) -> np.ndarray:
    grey = slices.grey
    low, high = slices.levels
    height, width = _size(grey.shape[1:], slices.pixel, longest)
    columns = min(COLUMNS, len(shown))
    rows = -(-len(shown) // columns)
    across = max(columns * (width + GAP) - GAP, NARROWEST)
    top = MARGIN + TITLE
    entries = _entries(slices)
    bottom = top + rows * (height + GAP) + LEGEND
    below = bottom + (len(legend_lines(entries, across)) - 1) * LINE + MARGIN
    canvas = np.full((below, across + 2 * MARGIN, 3), PAPER, np.uint8)
    write(canvas, shorten(title, across, 20, bold=True), MARGIN, MARGIN + 18, 20, bold=True)
    write(canvas, shorten(subtitle, across, 14), MARGIN, MARGIN + 42, 14, colour=FAINT)
    for place, number in enumerate(shown):
        window = np.clip((grey[number] - low) * (255 / max(high - low, 1e-6)), 0, 255).astype(np.uint8)
        outlines = {colour: resized_mask(mask, (height, width)) for colour, mask in slices.outlines(number).items()}
        tile = draw_outlines(resized(window, (height, width)), outlines)
        if len(grey) > 1:
            write(tile, str(number + 1), 4, 14, 12, colour=NUMBER)
        upper, left = top + place // columns * (height + GAP), MARGIN + place % columns * (width + GAP)
        canvas[upper : upper + height, left : left + width] = tile
    note = "" if len(shown) == len(grey) else f"{len(shown)} of {len(grey)} slices"
    if len(shown) == 1 < len(grey):
        note = f"slice {shown[0] + 1} of {len(grey)}"
    write_legend(canvas, entries, MARGIN, bottom - 9, across)
    write(canvas, note, MARGIN + across - text_width(note, 13), bottom - 4, 13, colour=FAINT)
    return canvas


def choose_slices(mask: np.ndarray, bright: np.ndarray, most: int = MOST) -> list[int]:
    """Choose slices evenly from the first that shows something to the last, among them the one with the most mask.

    Args:
        mask: bool [slices, H, W].
        bright: bool [slices], whether a slice is more than air.
        most: how many to choose where there are more.

    Returns:
        Their numbers, ascending; all of them where there are no more.
    """
    area = mask.sum(axis=(1, 2))
    worth = np.flatnonzero(bright | (area > 0))
    if len(mask) <= most or not len(worth):
        return np.linspace(0, len(mask) - 1, min(most, len(mask))).round().astype(int).tolist()
    first, last = worth[0], worth[-1]
    chosen = np.linspace(first, last, min(most, last - first + 1)).round().astype(int)
    if area.any():
        fullest = area.argmax()
        chosen[np.abs(chosen - fullest).argmin()] = fullest
    return chosen.tolist()


def _size(shape: Sequence[int], pixel: tuple[float, float], longest: int) -> tuple[int, int]:
    height, width = shape[0] * pixel[0], shape[1] * pixel[1]
    scale = longest / max(height, width)
    return max(1, round(height * scale)), max(1, round(width * scale))


def _entries(slices: Preview) -> list[Entry]:
    """Give the entries of the legend, which say where nothing of a target was found."""
    there = [bool(mask.any()) for mask in slices.masks]
    if slices.true_masks is not None:  # of a lone target it stands first, of several there is a note of it last
        there = [bool(slices.true_masks.any()), *there] if len(there) == 1 else [*there, True]
    entries = named_colours(slices.targets, slices.truth is not None)
    return [
        (f"{name}{'' if some else ': empty'}", colours) for (name, colours), some in zip(entries, there, strict=True)
    ]
