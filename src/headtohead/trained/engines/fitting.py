"""Whether model.onnx takes and gives what its model.json says, by what the file declares of itself.

Else it would show at the first scan only, once for every file.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from headtohead.errors import UserError
from headtohead.trained.facts import ModelFacts

FLOAT = "float32"


@dataclass(frozen=True)
class Port:
    """An input or an output.

    Attributes:
        dtype: as NumPy names it.
        shape: one number an axis, None where any will do or the file does not say; None where it says nothing at all.
    """

    dtype: str
    shape: tuple[int | None, ...] | None

    def __str__(self) -> str:
        """As a message shows it: `float32 [n, 3, 128, 128]`."""
        return f"{self.dtype} {'of any shape' if self.shape is None else sketch(self.shape)}"

    def fits(self, shape: tuple[int, ...]) -> bool:
        """Say whether values of this shape may go through, however many there are along the first axis."""
        if self.dtype != FLOAT:
            return False
        if self.shape is None:
            return True
        return (
            len(self.shape) == len(shape)
            and self.shape[0] is None
            and all(own in (None, due) for own, due in zip(self.shape[1:], shape[1:], strict=True))
        )


def sketch(shape: Sequence[int | None]) -> str:
    """Write a shape, `n` where any number will do: `[n, 3, 128, 128]`."""
    return f"[{', '.join('n' if side is None else str(side) for side in shape)}]"


def refuse_unfit(
    path: Path,
    facts: ModelFacts,
    inputs: Sequence[Port],
    outputs: Sequence[Port],
    ask: Callable[[np.ndarray], np.ndarray],
) -> None:
    """Refuse a net whose declared inputs and outputs are of another shape or type than the facts want.

    Where a shape is not declared, the net is asked once, for zeros.

    Raises:
        UserError: names what does not fit.
    """
    side = facts.image_size
    due = {"takes": (2, facts.in_channels, side, side), "gives": (2, len(facts.task.targets), side, side)}
    for verb, ports in (("takes", inputs), ("gives", outputs)):
        if len(ports) != 1 or not ports[0].fits(due[verb]):
            _refuse(path, verb, " and ".join(map(str, ports)) or "nothing", due[verb])
    known = [port.shape is not None and None not in port.shape[1:] for port in (*inputs, *outputs)]
    if all(known):
        return
    try:
        found = ask(np.zeros(due["takes"], np.float32))
    except Exception as fault:  # those of the engines share no base class
        raise UserError(
            f"{path}: does not take {FLOAT} {sketch((None, *due['takes'][1:]))}, as model.json says; run `test` again, "
            "or export the bundle again"
        ) from fault
    if found.shape != due["gives"]:
        _refuse(path, "gives", f"{found.dtype} {sketch((None, *found.shape[1:]))}", due["gives"])


def _refuse(path: Path, verb: str, found: str, due: tuple[int, ...]) -> None:
    raise UserError(
        f"{path}: {verb} {found}, but model.json wants {FLOAT} {sketch((None, *due[1:]))}; run `test` again, or export "
        "the bundle again"
    )
