"""Values of a mask file as labels of the targets."""

import numpy as np

from headtohead.errors import UserError
from headtohead.task import Targets

SHOWN = 6


def is_any_mask(targets: Targets) -> bool:
    """Say whether whatever is not 0 in a mask is the target: there is one, and no labels of others are known."""
    return targets.labels == (1,) and not targets.others


def labels_of(values: np.ndarray, targets: Targets, path: object) -> np.ndarray:
    """Take the values of a mask for labels: uint8 or uint16, the same shape.

    Args:
        values: of any real type, finite.
        targets: whose labels they should be.
        path: of the mask, for messages.

    Raises:
        UserError: there are values that are no labels of the targets.
    """
    whole = np.rint(values)
    labels = whole.astype(np.uint16)
    found = targets.strays(labels) if (whole == values).all() and (labels == whole).all() else np.unique(values)
    if len(found):
        shown = ", ".join(f"{value:g}" for value in found[:SHOWN]) + (", ..." if len(found) > SHOWN else "")
        raise UserError(
            f"{path}: holds the values {shown}, but the model knows the labels "
            f"{', '.join(map(str, targets.labels))} ({', '.join(targets.names)}); convert it, or move it away"
        )
    return labels
