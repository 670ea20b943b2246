"""Made-up cases of BraTS, as small as can be, in the folders of its years."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

SHAPE = (9, 8, 5)
OLD = {"pre": "_t1", "post": "_t1ce", "t2": "_t2", "flair": "_flair", "seg": "_seg"}
NEW = {"pre": "-t1n", "post": "-t1c", "t2": "-t2w", "flair": "-t2f", "seg": "-seg"}
AFFINE = np.diag([-1.0, -1.0, 1.0, 1.0])
WriteCase = Callable[..., Path]


def values_of(name: str) -> dict[str, np.ndarray]:
    """Noise for each sequence of a case, and a label map with 1, 2 and 4."""
    rng = np.random.default_rng(sum(map(ord, name)))
    values = {sequence: rng.integers(0, 3000, SHAPE).astype(np.int16) for sequence in OLD}
    labels = np.zeros(SHAPE, np.uint8)
    labels[1:7, 1:7, 1:4], labels[2:5, 2:5, 2:4], labels[3, 3:5, 2] = 2, 1, 4
    return values | {"seg": labels}
