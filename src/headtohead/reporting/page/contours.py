"""Outlines of a mask as an SVG path along the edges of its pixels: every part, every hole, exact and small."""

import numpy as np
from numpy.typing import NDArray

# Steps along pixel edges, clockwise: east, south, west, north.
STEPS = ((1, 0), (0, 1), (-1, 0), (0, -1))


def outline_path(mask: NDArray[np.generic]) -> str:
    """Trace the border between inside and outside.

    The line runs on the edges between pixels, so it is neither inside nor outside by half a pixel, and a lesion of
    one pixel is a square. Pixels that touch only at a corner are outlined apart.

    Args:
        mask: [H, W], nonzero inside; what lies beyond the image counts as outside.

    Returns:
        The `d` of a path in units of pixels, (0, 0) being the outer corner of the first pixel; empty for an empty mask.
    """
    inside = mask != 0
    rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    if not rows.size:
        return ""
    # Most masks fill a small part of their image; only that part is searched for edges.
    top, left = int(rows[0]), int(columns[0])
    ways = _edges(inside[top : rows[-1] + 1, left : columns[-1] + 1], left, top)
    path = []
    for start in sorted(ways, key=lambda corner: (corner[1], corner[0])):
        while ways[start]:
            path.append(_loop(ways, start))
    return "".join(path)


def _edges(inside: NDArray[np.bool_], left: int, top: int) -> dict[tuple[int, int], list[int]]:
    """The border as directed unit steps with the inside on their right: corner (x, y) -> directions out of it."""
    padded = np.pad(inside, 1)
    here = padded[1:-1, 1:-1]
    # For each direction: pixels whose neighbour on the step's left is outside, and where the step starts on them.
    bordering = (
        (here & ~padded[:-2, 1:-1], 0, 0),  # outside is above: east along the upper edge
        (here & ~padded[1:-1, 2:], 1, 0),  # to the right: south along the right edge
        (here & ~padded[2:, 1:-1], 1, 1),  # below: west along the lower edge
        (here & ~padded[1:-1, :-2], 0, 1),  # to the left: north along the left edge
    )
    ways: dict[tuple[int, int], list[int]] = {}
    for direction, (pixels, across, down) in enumerate(bordering):
        rows, columns = np.nonzero(pixels)
        for x, y in zip((columns + left + across).tolist(), (rows + top + down).tolist(), strict=True):
            ways.setdefault((x, y), []).append(direction)
    return ways


def _loop(ways: dict[tuple[int, int], list[int]], start: tuple[int, int]) -> str:
    """Walk one closed border and take its steps out of `ways`. It starts at a corner: nothing of it lies above."""
    direction = ways[start].pop()
    x, y = start
    runs: list[tuple[int, int]] = []  # direction, length
    while True:
        step = STEPS[direction]
        x, y = x + step[0], y + step[1]
        if runs and runs[-1][0] == direction:
            runs[-1] = (direction, runs[-1][1] + 1)
        else:
            runs.append((direction, 1))
        if (x, y) == start:
            break
        out = ways[x, y]
        # Where two pixels touch at a corner two ways lead on; the right turn stays with the pixel we come from.
        right = (direction + 1) % 4
        direction = right if right in out else out[0]
        out.remove(direction)
    # The last run is what `z` draws by itself.
    written = [f"{'hv'[way % 2]}{length if way < 2 else -length}" for way, length in runs[:-1]]
    return f"M{start[0]} {start[1]}{''.join(written)}z"
