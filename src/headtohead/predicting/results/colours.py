"""In which colours a prediction and its truth are outlined."""

import numpy as np

from headtohead.drawing.outlines import PREDICTION, TRUTH, Colour
from headtohead.task import Targets

Outlines = dict[Colour, np.ndarray]


def outlines_of(truth: np.ndarray | None, labels: np.ndarray, targets: Targets) -> tuple[Outlines, Outlines]:
    """Give the colours and masks to draw.

    A lone target is told from its truth by two colours. Several have the task's colours, and the truth of any of them
    is white: twice as many outlines could not be told apart.

    Args:
        truth: label map; None where there is none.
        labels: label map of the prediction.
        targets: whose labels they are.

    Returns:
        Those of the truth, empty without one, and of the prediction, one for each target in their order.
    """
    lone = len(targets) == 1
    colours = [PREDICTION] if lone else _apart(targets)
    drawn: Outlines = (
        {} if truth is None else {TRUTH if lone else "white": np.asarray(targets.encode(truth).any(axis=0))}
    )
    return drawn, dict(zip(colours, targets.encode(labels), strict=True))


def _apart(targets: Targets) -> list[Colour]:
    """Give each target a colour of its own: where two are declared alike, a hair apart, as keys must differ."""
    found: list[Colour] = []
    for target in targets.all:
        red, green, blue = target.colour
        while (red, green, blue) in found:
            blue = blue + 1 if blue < 255 else 0
        found.append((red, green, blue))
    return found
