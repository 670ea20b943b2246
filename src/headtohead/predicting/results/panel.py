"""The panel of one prediction: image, truth, probability and prediction in a square, all on one pixel grid.

Drawn with OpenCV alone: importing a plotting library would take longer than the prediction.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from headtohead.drawing.brightness import brightened, white_of
from headtohead.drawing.legend import PAPER, Spacing, legend_entries, legend_lines, write_legend
from headtohead.drawing.lettering import FAINT, INK, shorten, text_width, write
from headtohead.drawing.outlines import TRUTH, by_colour, draw_outlines, enlarge, overlaid
from headtohead.drawing.sizes import resized, resized_mask, within
from headtohead.predicting.files.pictures import drawn_channel
from headtohead.readers.sequence_names import sequence_title
from headtohead.task import Task
from headtohead.task.targets import CLASSES

SIDE = 512  # small images are enlarged up to this many pixels
LARGEST = 768  # larger ones are drawn smaller
NARROWEST = 340  # so that a caption fits above a slim image
MARGIN, GAP, HEADER, CAPTION, FOOTER = 24, 24, 78, 28, 46
LINE, BETWEEN = 20, "  ·  "
LEGEND = Spacing(line=20, between=24, words=30, sample=22)
SURROUND = (241, 242, 244)
COLOURS = cv2.COLORMAP_INFERNO  # rises evenly in lightness, so it also reads in grey


@dataclass(frozen=True)
class Prediction:
    """What the panel shows.

    Attributes:
        image: uint8 RGB [H, W, 3].
        probability: float32 [K, H, W].
        threshold: probability from which a region was there.
        labels: uint8 or uint16 [H, W], the label map that is written.
        truth: the same of the truth, or None.
        task: of the model.
    """

    image: np.ndarray
    probability: np.ndarray
    threshold: float
    labels: np.ndarray
    truth: np.ndarray | None
    task: Task

    @property
    def any_target(self) -> np.ndarray:
        """Probability of any target: float32 [H, W]; the highest of regions, which may overlap, the sum of classes."""
        exclusive = self.task.targets.kind == CLASSES
        return self.probability.sum(axis=0) if exclusive else self.probability.max(axis=0)

    @property
    def masks(self) -> np.ndarray:
        """The prediction: bool [K, H, W]."""
        return self.task.targets.encode(self.labels)

    @property
    def true_masks(self) -> np.ndarray | None:
        """The truth: bool [K, H, W], or None."""
        return None if self.truth is None else self.task.targets.encode(self.truth)


def draw_panel(prediction: Prediction, title: str, *facts: str) -> np.ndarray:
    """Draw the panel: uint8 RGB. The facts below its title take as many lines as they need with several targets."""
    shown = _shrink(prediction)
    height, width = shown.labels.shape
    scale = max(1, SIDE // max(height, width))
    box_height, box_width = height * scale, max(width * scale, NARROWEST)
    room = 2 * box_width + GAP
    lines = [BETWEEN.join(facts)] if len(prediction.task.targets) == 1 else _lines(facts, room)
    header = HEADER + LINE * (len(lines) - 1)
    tall = header + 2 * (CAPTION + box_height) + GAP + FOOTER + MARGIN
    entries = legend_entries(prediction.masks, prediction.true_masks, prediction.task.targets, ": {:,} px", ": {:,} px")
    # The scale of the colours beside it takes two lines.
    further = max(0, len(legend_lines(entries, box_width, LEGEND)) - 2) * LEGEND.line
    canvas = np.full((tall + further, room + 2 * MARGIN, 3), PAPER, np.uint8)
    write(canvas, shorten(title, room, 22, bold=True), MARGIN, 38, 22, bold=True)
    for number, line in enumerate(lines):
        write(canvas, shorten(line, room), MARGIN, 63 + number * LINE, colour=FAINT)

    for place, (caption, tile) in enumerate(_tiles(shown, scale)):
        left = MARGIN + place % 2 * (box_width + GAP)
        top = header + place // 2 * (CAPTION + box_height + GAP)
        write(canvas, shorten(caption, box_width, 16), left, top + CAPTION - 9, 16)
        top += CAPTION
        canvas[top : top + box_height, left : left + box_width] = SURROUND
        inset = left + (box_width - tile.shape[1]) // 2
        canvas[top : top + box_height, inset : inset + tile.shape[1]] = tile

    footer = tall - MARGIN - FOOTER + 12
    _colour_bar(canvas, MARGIN, footer, box_width, prediction.threshold)
    write_legend(canvas, entries, MARGIN + box_width + GAP, footer + 6, box_width, spacing=LEGEND)
    return canvas


def _lines(facts: Sequence[str], room: int) -> list[str]:
    """Put as many facts in a line as there is room for; the measures of each target stay together."""
    lines = [""]
    for fact in (part for one in facts for part in one.split("; ")):
        longer = BETWEEN.join(filter(None, (lines[-1], fact)))
        if lines[-1] and text_width(longer) > room:
            lines.append(fact)
        else:
            lines[-1] = longer
    return lines


def _tiles(shown: Prediction, scale: int) -> list[tuple[str, np.ndarray]]:
    """Caption and drawing of the four tiles, row by row."""
    image = brightened(shown.image, white_of(shown.image.max(axis=-1)))
    channel = drawn_channel(shown.task)
    grey = np.ascontiguousarray(image[:, :, channel])
    coloured = bool((shown.image != shown.image[:, :, channel, None]).any())
    name = sequence_title(shown.task.primary) if coloured and not shown.task.unnamed else "image"
    sequences = ", ".join(map(sequence_title, shown.task.sequences))
    targets, true = shown.task.targets, shown.true_masks
    truth = {} if true is None else by_colour(true, targets, TRUTH)
    whole = "lesion" if len(targets) == 1 else "any target"
    decided = "the most probable" if not targets.thresholded else f"probability ≥ {shown.threshold:g}"
    return [
        (f"image: {sequences} as red, green, blue" if coloured else "image", enlarge(image, scale)),
        (f"{name} with truth" if truth else f"{name} (no truth found)", draw_outlines(grey, truth, scale)),
        (f"probability of {whole}", enlarge(probability_colours(shown.any_target), scale)),
        (f"{name} with prediction, {decided}", draw_outlines(grey, overlaid(true, shown.masks, targets), scale)),
    ]


def probability_colours(probability: np.ndarray) -> np.ndarray:
    """Probability [H, W] from 0 to 1 as colours: uint8 RGB [H, W, 3]."""
    steps = (np.clip(probability, 0, 1) * 255).round().astype(np.uint8)
    return np.ascontiguousarray(cv2.applyColorMap(steps, COLOURS)[:, :, ::-1])


def _colour_bar(canvas: np.ndarray, left: int, top: int, width: int, threshold: float) -> None:
    bar = probability_colours(np.linspace(0, 1, width, dtype=np.float32)[None])
    canvas[top : top + 12, left : left + width] = bar
    at = left + round(threshold * (width - 1))
    canvas[top - 3 : top + 15, at - 1 : at + 2] = PAPER
    canvas[top - 3 : top + 15, at] = INK
    label = f"threshold {threshold:g}"
    start = min(max(at - text_width(label, 14) // 2, left), left + width - text_width(label, 14))
    write(canvas, label, start, top + 31, 14)
    if start > left + 20:
        write(canvas, "0", left, top + 31, 14, colour=FAINT)
    if start + text_width(label, 14) < left + width - 20:
        write(canvas, "1", left + width - text_width("1", 14), top + 31, 14, colour=FAINT)


def _shrink(prediction: Prediction) -> Prediction:
    """Bring a large image to `LARGEST` by averaging; a mask keeps every part, however small."""
    shape = prediction.labels.shape
    if max(shape) <= LARGEST:
        return prediction
    size, targets = within(shape, LARGEST), prediction.task.targets

    def smaller(labels: np.ndarray) -> np.ndarray:
        return targets.decode(np.stack([resized_mask(mask, size) for mask in targets.encode(labels)]))

    return replace(
        prediction,
        image=resized(prediction.image, size),
        probability=np.stack([resized(one, size) for one in prediction.probability]),
        labels=smaller(prediction.labels),
        truth=None if prediction.truth is None else smaller(prediction.truth),
    )
