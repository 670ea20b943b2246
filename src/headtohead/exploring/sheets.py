"""Two sheets of the data set as a model meets it: samples in all sequences, and the largest slice of every lesion.

One case is in memory at a time and a sheet shows a limited number of them, so memory does not grow with the data set.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from headtohead.cohort import Cohort
from headtohead.drawing.brightness import brightened, white_of
from headtohead.drawing.legend import LINE, Entry
from headtohead.drawing.lettering import FAINT, shorten, text_width, write
from headtohead.drawing.outlines import TRUTH, by_colour
from headtohead.drawing.plate import fit_tile
from headtohead.drawing.sheet import CAPTION, evenly_spread, lay_out_sheet
from headtohead.readers.sequence_names import sequence_title
from headtohead.saving import write_picture
from headtohead.task import Targets

SAMPLES, LESIONS = 12, 117  # cases on a sheet at most
ACROSS = 6  # tiles in a row of the samples
SEAM = 2  # pixels between the tiles of a block
LEAST = 620  # pixels across, for the heading
NAME_SIZES = (13, 12, 11, 10)  # the largest that fits


class Layout(NamedTuple):
    """How many tiles a case has, how many cases stand in a row, and the pixels of a tile's side."""

    tiles: int
    columns: int
    side: int


class Block(NamedTuple):
    """One case on a sheet.

    Attributes:
        tiles: uint8 RGB [side, side, 3] each, side by side.
        name: of the case, below them.
        note: right of the name where there is room, else in a line of its own.
        captions: a line below each tile, if there are any.
    """

    tiles: Sequence[np.ndarray]
    name: str
    note: str
    captions: Sequence[str] = ()


def draw_samples(cohort: Cohort, path: Path) -> list[str]:
    """Draw some cases, evenly through the table, in all sequences with the outlines of the masks.

    The slice is the middle one of those that hold a lesion; of a case without any, which the caption says, the middle
    slice.

    Returns:
        The cases that were drawn.
    """
    chosen = evenly_spread(len(cohort), SAMPLES)
    channels = len(cohort.task.sequences)
    layout = Layout(channels, max(1, ACROSS // channels), side=200)
    healthy = ", or of a case without one" if (cohort.table["lesion_voxels"].iloc[chosen] == 0).any() else ""
    title = f"Samples: the middle of the lesion{healthy}, {some_of(len(chosen), len(cohort))}"
    blocks = (_sample(cohort, number, layout.side) for number in chosen)
    _write_sheet(path, title, blocks, len(chosen), layout, cohort.task.targets)
    return cohort.table["case"].iloc[chosen].tolist()


def draw_lesions(cohort: Cohort, path: Path) -> list[str]:
    """Draw the slice with the most lesion of each case, from the smallest lesion to the largest, outlined.

    Of more cases than there is room for, those drawn are spread evenly over the sizes, the smallest and the largest
    among them. Cases without a lesion are left out; where no other is left, nothing is written.

    Returns:
        The cases that were drawn.
    """
    sizes = lesion_sizes(cohort)
    ranked = [int(number) for number in np.argsort(sizes, kind="stable") if sizes[number] > 0]
    chosen = [ranked[place] for place in evenly_spread(len(ranked), LESIONS)]
    if chosen:
        title = f"The largest slice of each lesion, smallest lesion first: {some_of(len(chosen), len(ranked))}"
        layout = Layout(tiles=1, columns=9, side=152)
        blocks = (_lesion(cohort, number, float(sizes[number]), layout.side) for number in chosen)
        _write_sheet(path, title, blocks, len(chosen), layout, cohort.task.targets)
    return cohort.table["case"].iloc[chosen].tolist()


def some_of(drawn: int, all_: int) -> str:
    """Say how many of all cases are drawn."""
    return f"{drawn} of {all_} cases" if drawn < all_ else f"all {all_} cases" if all_ > 1 else "1 case"


def lesion_sizes(cohort: Cohort) -> np.ndarray:
    """The size of each case's lesion in millilitres, in voxels where the files give no spacing: float [cases]."""
    voxels = cohort.table["lesion_voxels"].to_numpy(float)
    steps = [cohort.spacing(number) for number in range(len(cohort))]
    return voxels * [1.0 if step is None else np.prod(step) / 1000 for step in steps]


def _sample(cohort: Cohort, number: int, side: int) -> Block:
    row = cohort.table.iloc[number]
    holding = np.flatnonzero(cohort.masks(number).any(axis=(1, 2)))
    chosen = int(holding[len(holding) // 2]) if len(holding) else int(row["slices"]) // 2
    volume, masks = cohort.in_bytes(number), _outlined(cohort, number, chosen)
    tiles, captions = [], []
    for channel, sequence in enumerate(cohort.task.sequences):
        grey = np.ascontiguousarray(volume[chosen, ..., channel])
        tiles.append(fit_tile(brightened(grey, white_of(volume[..., channel])), masks, side))
        stand_in = cohort.task.stand_ins.get(sequence, "") if sequence in row["missing"].split() else ""
        instead = f" missing: {sequence_title(stand_in)}" if stand_in else ""
        without = ", no lesion" if sequence == cohort.task.primary and not len(holding) else ""
        captions.append(f"{sequence_title(sequence)}{instead}{without}")
    return Block(tiles, row["case"], f"slice {chosen + 1} of {row['slices']}", captions)


def _lesion(cohort: Cohort, number: int, size: float, side: int) -> Block:
    chosen = int(cohort.masks(number).sum(axis=(1, 2), dtype=np.int64).argmax())
    primary = cohort.primary(number)
    tile = fit_tile(
        brightened(np.ascontiguousarray(primary[chosen]), white_of(primary)),
        _outlined(cohort, number, chosen),
        side,
    )
    amount = f"{size:,.0f} voxels" if cohort.spacing(number) is None else f"{size:,.1f} ml"
    return Block([tile], cohort.table["case"].iloc[number], amount)


def _outlined(cohort: Cohort, number: int, chosen: int) -> dict[str | tuple[int, int, int], np.ndarray]:
    """The masks of one slice by the colours of their outlines."""
    targets = cohort.task.targets
    return by_colour(targets.encode(np.asarray(cohort.labels(number)[chosen])), targets, TRUTH)


def _entries(targets: Targets) -> list[Entry]:
    if len(targets) == 1:
        return [(targets.names[0], (TRUTH,))]
    return [(target.name, (target.colour,)) for target in targets.all]


def _write_sheet(path: Path, title: str, blocks: Iterable[Block], count: int, layout: Layout, targets: Targets) -> None:
    """Set so many blocks row by row, a title above, and write them as PNG."""
    size = layout.side + CAPTION, layout.tiles * (layout.side + SEAM) - SEAM
    sheet = lay_out_sheet(title, _entries(targets), count, layout.columns, size, LEAST)
    for place, block in zip(sheet.blocks, blocks, strict=True):
        _set_block(place, block, layout.side)
    write_picture(path, sheet.canvas[:, :, ::-1])


def _set_block(canvas: np.ndarray, block: Block, side: int) -> None:
    """Set a block into its place on the sheet, uint8 RGB [H, W, 3]."""
    first, second = side + LINE - 3, side + 2 * LINE - 3
    for place, tile in enumerate(block.tiles):
        left = place * (side + SEAM)
        canvas[:side, left : left + side] = tile
    for place, caption in enumerate(block.captions):
        write(canvas, shorten(caption, side, 13), place * (side + SEAM), first, 13, colour=FAINT)
    room, note_at = canvas.shape[1], 0
    if block.captions:
        note_at = room - text_width(block.note, 13)
        room = note_at - 8
    bold = bool(block.captions)  # where there is a tile's width only, a name fits better in regular letters
    size = next((size for size in NAME_SIZES if text_width(block.name, size, bold) <= room), NAME_SIZES[-1])
    write(canvas, shorten(block.name, room, size, bold), 0, second if block.captions else first, size, bold)
    write(canvas, block.note, note_at, second, 13, colour=FAINT)
