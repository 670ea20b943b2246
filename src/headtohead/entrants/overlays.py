"""A sheet of the cases that entrants agree on least: the outline of each in its colour, where the masks differ most.

Two cases are in memory at most. There is no truth on it, and no score.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from headtohead.cohort.pack import cut_into_slices
from headtohead.drawing.brightness import brightened, white_of
from headtohead.drawing.legend import LINE, Entry
from headtohead.drawing.lettering import FAINT, shorten, text_width, write
from headtohead.drawing.outlines import Colour
from headtohead.drawing.plate import fit_tile
from headtohead.drawing.sheet import CAPTION, lay_out_sheet
from headtohead.entrants.agreeing import MasksOfCase, OverImages
from headtohead.errors import UserError
from headtohead.preparing.chain import Chain
from headtohead.preparing.steps.window import Window
from headtohead.readers.file_names import is_volume
from headtohead.readers.nifti_file import open_volume
from headtohead.readers.pictures import read_pixels
from headtohead.readers.reader import CaseFiles
from headtohead.statistics.targets import TARGET
from headtohead.task import Case, Grid, Task

MOST, COLUMNS, SIDE = 12, 4, 320  # cases on the sheet, tiles in a row, pixels of a tile's side
LEAST = 660  # pixels across, for the heading
IN_TURN = ("sky", "orange", "green", "yellow", "vermilion", "purple", "white")
"""Colours of the entrants, in their order; further ones are not drawn."""


class Differing(NamedTuple):
    """One case on the sheet: the target that is outlined, the mean Dice of the pairs, and the slice, from 0, of all.

    Those without an outline on it are named.
    """

    case: str
    target: str
    dice: float
    tile: np.ndarray
    number: int
    slices: int
    without: list[str]


def draw_overlays(over: OverImages, table: pd.DataFrame) -> NDArray[np.uint8]:
    """Draw the cases that agree least, the least first: uint8 RGB.

    Of several targets, the one that a case agrees least on is outlined. Cases that nobody marks anything in come last.

    Args:
        over: masks and images.
        table: as `agreeing.compare_cases` gives it.

    Raises:
        UserError: an image or a mask cannot be read.
    """
    each = table.groupby(["case", TARGET], sort=False)["dice"].mean()
    least = each.groupby("case", sort=False).min().sort_values(kind="stable", na_position="last")
    files = {case.name: case for case in over.cases}
    blocks = []
    for name in least.index[:MOST]:
        own = each[name]
        target = str(own.index[0] if own.isna().all() else own.idxmin())
        blocks.append(_differing(over, files[str(name)], target, float(least[name])))
    return _sheet(blocks, list(over.files), len(least), over.task)


def _differing(over: OverImages, case: CaseFiles, target: str, dice: float) -> Differing:
    place = over.task.targets.names.index(target)
    masks = {name: mask[place] for name, mask in over.masks(case)[0].items()}
    number = slice_that_differs(masks)
    grey = _grey(case, over.task)
    drawn: dict[Colour, np.ndarray] = {
        colour: masks[name][number] for name, colour in zip(masks, IN_TURN, strict=False)
    }
    detail = around(np.any([*masks.values()], axis=0)[number], SIDE)
    shown = brightened(np.ascontiguousarray(grey[number][detail]), white_of(grey))
    without = [name for name, mask in masks.items() if not mask[number].any()]
    tile = fit_tile(shown, {colour: mask[detail] for colour, mask in drawn.items()}, SIDE)
    return Differing(case.name, target, dice, tile, number, len(grey), without)


def around(mask: NDArray[np.bool_], side: int) -> tuple[slice, slice]:
    """Choose a square detail of a slice around what is marked, bool [H, W], that fills a tile of `side` pixels.

    It has at least half of the slice's longer side, so that one sees where in the head it is; all where nothing is
    marked.
    """
    if not mask.any():
        return slice(None), slice(None)
    ends = [
        (int(places[0]), int(places[-1]) + 1) for axis in (1, 0) for places in [np.flatnonzero(mask.any(axis=axis))]
    ]
    wanted = max(max(mask.shape) // 2, *(3 * (high - low) // 2 for low, high in ends))
    wide = max(wanted, side // max(1, side // wanted))  # so that whole pixels fill the tile
    starts = [
        max(0, min((low + high - wide) // 2, size - wide)) for (low, high), size in zip(ends, mask.shape, strict=True)
    ]
    return slice(starts[0], starts[0] + wide), slice(starts[1], starts[1] + wide)


def slice_that_differs(masks: MasksOfCase) -> int:
    """Choose the slice with the most voxels that some entrants mark and others do not.

    Without any, the one with the most marked; without any, the middle one. Masks are bool [slices, H, W] here.
    """
    marks = np.sum([mask.astype(np.uint8) for mask in masks.values()], axis=0)
    for wanted in ((marks > 0) & (marks < len(masks)), marks > 0):
        if wanted.any():
            return int(wanted.sum(axis=(1, 2)).argmax())
    return len(marks) // 2


def _grey(case: CaseFiles, task: Task) -> np.ndarray:
    """Read the image of a case in the slices of its masks: uint8 [slices, H, W].

    Of a picture in colour the green channel is shown, which is FLAIR in LGG.
    """
    if is_volume(case.images[0]):
        file = open_volume(case.images[0])
        images, grid = file.read(0), file.grid
    else:
        pixels = [read_pixels(path) for path in case.images]
        if len({one.shape[:2] for one in pixels}) > 1:
            raise UserError(f"`images`: the slices of {case.name} have more than one size; restore them")
        images = np.stack([one if one.ndim == 2 else one[..., min(1, one.shape[2] - 1)] for one in pixels])
        slices, height, width = images.shape
        grid = Grid((slices, height, width))
    whole = Case(case.name, images[..., None], grid)
    cut, _ = Chain((*cut_into_slices(task, square=False), Window("uint8"))).fitted(whole).apply(whole)
    return cut.images[..., 0]


def _sheet(blocks: Sequence[Differing], entrants: Sequence[str], all_: int, task: Task) -> NDArray[np.uint8]:
    entries: list[Entry] = [(name, (colour,)) for name, colour in zip(entrants, IN_TURN, strict=False)]
    if further := entrants[len(IN_TURN) :]:
        entries.append((f"(not drawn: {', '.join(further)})", ()))
    pairs = "Dice: mean of the pairs; " if len(entrants) > 2 else ""
    entries.append((f"(details; {pairs}no truth is known, so nobody is scored)", ()))
    many = f"{len(blocks)} of {all_} cases" if len(blocks) < all_ else "all cases" if all_ > 1 else "the one case"
    title = f"Where entrants differ, least agreement first: {many}"
    sheet = lay_out_sheet(title, entries, len(blocks), COLUMNS, (SIDE + CAPTION, SIDE), LEAST)
    for place, block in zip(sheet.blocks, blocks, strict=True):
        _set_block(place, block, several=len(task.targets) > 1)
    return sheet.canvas


def _set_block(canvas: NDArray[np.uint8], block: Differing, several: bool) -> None:
    """Set a case into its place on the sheet; of several targets, the one that is outlined is named."""
    canvas[:SIDE, :SIDE] = block.tile
    target = f"{block.target}, " if several else ""
    where = f"slice {block.number + 1} of {block.slices}"
    nothing = f"; no outline: {', '.join(block.without)}" if block.without else ""
    said = f"{target}Dice {block.dice:.2f}{nothing}" if block.dice == block.dice else "nobody marks anything"
    write(canvas, shorten(block.case, SIDE, 14, bold=True), 0, SIDE + LINE - 2, 14, bold=True)
    beside = SIDE - text_width(where, 13) - 8
    write(canvas, shorten(said, beside, 13), 0, SIDE + 2 * LINE, 13)
    write(canvas, where, beside + 8, SIDE + 2 * LINE, 13, colour=FAINT)
