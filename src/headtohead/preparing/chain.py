"""A chain of steps: how a case becomes what a model sees, and its inverse."""

from dataclasses import dataclass

import numpy as np

from headtohead.preparing.step import Step, Undo
from headtohead.task import Case


@dataclass(frozen=True)
class Chain:
    """Steps in their order."""

    steps: tuple[Step, ...]

    def fitted(self, case: Case) -> "Chain":
        """Settle all that the case decides, by the case as it was read."""
        return Chain(tuple(step.fitted(case) for step in self.steps))

    def apply(self, case: Case) -> tuple[Case, Undo]:
        """Apply all steps, as they are settled; see `Step.apply`."""
        undoes: list[Undo] = []
        for step in self.steps:
            case, undo = step.apply(case)
            undoes.append(undo)

        def back(values: np.ndarray) -> np.ndarray:
            for undo in reversed(undoes):
                values = undo(values)
            return values

        return case, back
