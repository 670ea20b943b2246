"""Slices at the ends of a case left out, which scanners often spoil."""

from dataclasses import dataclass

from headtohead.preparing.step import Step, Undo
from headtohead.preparing.steps.crop import Box, cropped
from headtohead.task import Case


@dataclass(frozen=True)
class Trim(Step):
    """Leave out slices at both ends; of a case that would have none left, none is left out.

    Attributes:
        ends: how many at each end.
    """

    kind = "trim"
    ends: int

    def apply(self, case: Case) -> tuple[Case, Undo]:
        """See `Step`; what was left out holds 0."""
        slices, height, width = case.grid.shape
        first = self.ends if slices > 2 * self.ends else 0
        box: Box = (slice(first, slices - first), slice(0, height), slice(0, width))
        return cropped(case, box)
