"""What the values of a mask file mean: a mask of the one target, or labels of several."""

import numpy as np
from numpy.typing import NDArray

from headtohead.errors import UserError
from headtohead.task import Targets
from headtohead.task.targets import LARGEST_LABEL


def labels_of(name: str, values: np.ndarray, targets: Targets, united: bool = False) -> NDArray[np.unsignedinteger]:
    """Take the values of a mask for labels.

    With one target that is label 1, 0 and one other value are a mask, whatever that value is. Else the values are
    whole numbers, each of them a label that the targets know.

    Args:
        name: of the file, for messages.
        values: of any shape and real type, finite.
        targets: of the task.
        united: with one target, take every label for it.

    Returns:
        uint8 of the same shape, or uint16 where a label needs it.

    Raises:
        UserError: it is no label map of these targets.
    """
    levels = np.unique(values)
    inside = levels[levels != 0]
    whole = bool(((inside > 0) & (inside <= LARGEST_LABEL) & (inside == np.rint(inside))).all())
    alone = len(targets) == 1
    if alone and ((len(inside) <= 1 and targets.labels == (1,)) or (united and whole)):
        label = targets.labels[0]
        return (values != 0) * np.array(label, np.uint8 if label < 256 else np.uint16)
    strays: tuple[int, ...] = ()
    if whole:
        kind = np.uint8 if inside[-1:].max(initial=0) < 256 else np.uint16
        strays = targets.strays(inside.astype(kind))
        if not strays:
            return values.astype(kind)
    some = ", ".join(f"{level:g}" for level in levels[:4]) + (", ..." if len(levels) > 4 else "")
    if alone and targets.labels == (1,):
        raise UserError(
            f"{name}: a mask must hold 0 and one other value, but this one holds {some}; make it binary, or name its "
            "values with `labels`"
        )
    due = ", ".join(map(str, targets.labels))
    odd = f"label {strays[0]} belongs to no target" if whole else f"it holds {some}, but labels are whole numbers"
    raise UserError(f"{name}: {odd}; the labels of this task are {due}; correct the map")
