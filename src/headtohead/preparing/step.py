"""A step of preparation: plain data that turns a case into the next, and values on the grid of that back."""

from collections.abc import Callable
from dataclasses import fields
from typing import Any, ClassVar, Self

import numpy as np

from headtohead.task import Case

Undo = Callable[[np.ndarray], np.ndarray]
"""Takes float32 values on the grid of a case after a step onto the grid before it: three axes each."""


class Step:
    """One act of preparation; a frozen dataclass, whose fields are its settings.

    Attributes:
        kind: its name in files.
    """

    kind: ClassVar[str]

    def fitted(self, case: Case) -> Self:
        """Settle what the case decides as it was read, before any step has changed it."""
        return self

    def apply(self, case: Case) -> tuple[Case, Undo]:
        """Give the case as it is after the step, and the inverse for values on its grid."""
        raise NotImplementedError

    def to_dict(self) -> dict[str, Any]:
        """Plain data: the kind, and the settings."""
        settings = {one.name: getattr(self, one.name) for one in fields(self) if one.init}  # type: ignore[arg-type]
        return {"step": self.kind, **settings}


def as_it_is(values: np.ndarray) -> np.ndarray:
    """Undo a step that moves nothing."""
    return values
