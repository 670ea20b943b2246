"""Axes put in the order slices, rows, columns, as a reader holds the slices of a plane; no value changes."""

from dataclasses import dataclass, replace

from headtohead.preparing.step import Step, Undo, as_it_is
from headtohead.task import Case, Grid
from headtohead.task.slicing import ACQUIRED


@dataclass(frozen=True)
class Reorient(Step):
    """Cut a case into slices."""

    kind = "reorient"
    plane: str = ACQUIRED  # as `task.slicing` takes it

    def apply(self, case: Case) -> tuple[Case, Undo]:
        """Pictures are slices already."""
        cut = case.grid.slices(self.plane)
        if cut is None or case.grid.affine is None:
            return case, as_it_is
        images = cut.to_slices(case.images)
        labels = None if case.labels is None else cut.to_slices(case.labels)
        slices, height, width = images.shape[:3]
        grid = Grid((slices, height, width), case.grid.affine @ cut.matrix(case.grid.shape))
        return replace(case, images=images, labels=labels, grid=grid), cut.to_grid
