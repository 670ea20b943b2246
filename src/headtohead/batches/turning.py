"""The eight ways a square can be flipped and turned, for the old protocol's fault of flipping what it scores.

The field's LGG comparison ran its augmentation on validation and test slices too: left-right, up-down, quarter turns
and transposition, each with a chance of a half. Together they make all eight ways equally likely, so one draw
of eight replays them. (Its shift of 1 % and scale of 4 %, on one slice in four, cannot be undone exactly: left out.)
"""

import numpy as np
from numpy.typing import NDArray

WAYS = 8


def draw_turn(seed: int, number: int) -> int:
    """Draw the way a slice is turned: 0 to 7, the same whenever (seed, global slice number) are the same."""
    return int(np.random.default_rng((seed, number)).integers(WAYS))


def turn(image: NDArray[np.uint8], way: int) -> NDArray[np.uint8]:
    """Turn [S, S] or [S, S, C]: `way` % 4 quarter turns against the clock, then from 4 on transposed, as a copy."""
    turned = np.rot90(image, way % 4)
    return (turned.swapaxes(0, 1) if way >= 4 else turned).copy()
