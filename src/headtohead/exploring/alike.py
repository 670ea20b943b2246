"""The picture of the most alike slices of different patients, pair by pair, so that a reader can judge for himself."""

from pathlib import Path

import numpy as np

from headtohead.cohort import Cohort
from headtohead.drawing.brightness import brightened, white_of
from headtohead.drawing.lettering import FAINT, shorten, write
from headtohead.drawing.sizes import resized
from headtohead.exploring.duplicates import ALIKE, Duplicates
from headtohead.saving import write_picture

SIDE, MARGIN, GAP, HEADER, CAPTION = 200, 20, 26, 58, 46
PAPER = (255, 255, 255)


def draw_alike(cohort: Cohort, duplicates: Duplicates, path: Path) -> None:
    """Draw the nearest pairs, at least one, beside each other, the two slices of a pair one above the other."""
    pairs = duplicates.nearest.to_dict("records")
    numbers = {name: number for number, name in enumerate(cohort.table["case"])}
    columns = max(len(pairs), 3)  # room for the heading
    size = (HEADER + 2 * (SIDE + CAPTION) + 22, 2 * MARGIN + columns * (SIDE + GAP) - GAP, 3)
    canvas = np.full(size, PAPER, np.uint8)
    write(canvas, "The most similar slices of different patients", MARGIN, 32, 20, bold=True)
    for place, pair in enumerate(pairs):
        left = MARGIN + place * (SIDE + GAP)
        verdict = "near-duplicate" if pair["correlation"] >= ALIKE else "not a duplicate"
        write(canvas, f"{pair['correlation']:.2f}: {verdict}", left, HEADER - 4 + 14, 14, bold=True)
        for row, side in enumerate("ab"):
            name, index = pair[f"case_{side}"], int(pair[f"slice_{side}"])
            grey = cohort.primary(numbers[name])[index - 1]
            top = HEADER + 22 + row * (SIDE + CAPTION)
            canvas[top : top + SIDE, left : left + SIDE] = _tile(grey)
            write(canvas, shorten(name, SIDE, 14), left, top + SIDE + 18, 14)
            write(canvas, f"slice {index}", left, top + SIDE + 36, 13, colour=FAINT)
    write_picture(path, canvas[:, :, ::-1])


def _tile(grey: np.ndarray) -> np.ndarray:
    """Fit a slice, uint8 [H, W], into the tile and brighten it: uint8 [SIDE, SIDE, 3]."""
    square = resized(np.ascontiguousarray(grey), (SIDE, SIDE))
    return np.repeat(brightened(square, white_of(square))[:, :, None], 3, axis=2)
