"""The cases of a cohort as a training reads them: as they are packed, or prepared as whole volumes."""

from functools import cache

import numpy as np

from headtohead.cohort.cohort import Cohort
from headtohead.cohort.prepared import grid_of, prepared_copy
from headtohead.preparing.chain import restored
from headtohead.preparing.recipe import InputRecipe
from headtohead.preparing.step import Undo
from headtohead.preparing.steps.scale import FIXED
from headtohead.task import Case


class PackedCases:
    """Cases as they are packed. Slices are named by their global numbers, or by case and place in its scan.

    Attributes:
        cohort: whose cases they are.
        steps: what is left to do with single slices; of scaling, a training does it on its device.
    """

    def __init__(self, cohort: Cohort, recipe: InputRecipe) -> None:
        """Measure nothing anew: the statistics were measured when the cohort was packed."""
        self.cohort, self.steps = cohort, recipe.chain.slice_steps
        self._scaling = recipe.chain.scaling
        by = self._scaling.by
        self._measured = np.stack([FIXED[by]] * len(cohort)) if by in FIXED else cohort.statistics(by)

    def shown(self, numbers: np.ndarray) -> np.ndarray:
        """Keep those of some slices that a model is shown: all."""
        return numbers

    def has_lesion(self, numbers: np.ndarray) -> np.ndarray:
        """Say of slices that are shown whether they hold any target: bool, one each."""
        return self.cohort.has_lesion()[numbers]

    def areas(self, numbers: np.ndarray) -> np.ndarray:
        """Count the pixels of slices that are shown that are of any target: int64, one each."""
        masks = (self.cohort.masks(case) for case in range(len(self.cohort)))
        return np.concatenate([one.sum(axis=(1, 2), dtype=np.int64) for one in masks])[numbers]

    def place(self, case: int, index: int) -> int:
        """Give the place of a slice in `images` and `labels` of its case."""
        return index

    def images(self, case: int) -> np.ndarray:
        """Grey levels of one case: uint8 or uint16 [slices, H, W, C]."""
        return self.cohort.images(case)

    def labels(self, case: int) -> np.ndarray:
        """Label map of one case, on the grid of its `images`: uint8 or uint16 [slices, H, W]."""
        return self.cohort.labels(case)

    def statistics(self, case: int) -> np.ndarray:
        """Centre and scale of each channel of the model's input, in units of 8 bits: float32 [channels, 2]."""
        return self._scaling.by_channel(self._measured[case])


class PreparedCases(PackedCases):
    """Cases after the steps that need all of a volume. Slices that these left out are not shown."""

    def __init__(self, cohort: Cohort, recipe: InputRecipe) -> None:
        """Map what an earlier command has prepared, or prepare it now.

        Raises:
            UserError: it cannot be written.
        """
        self.cohort, self.recipe, self.steps = cohort, recipe, recipe.chain.slice_steps
        self._copy = prepared_copy(cohort, recipe)
        voxels = [int(np.prod(shape[:3])) for shape in self._copy.shapes]
        self._starts = np.concatenate([[0], np.cumsum(voxels)])
        self._inverse = cache(self._make_inverse)

    def __reduce__(self) -> "tuple[type[PreparedCases], tuple[Cohort, InputRecipe]]":
        # Sent to a worker process by name: pickling a memory map would copy every pixel.
        return PreparedCases, (self.cohort, self.recipe)

    def shown(self, numbers: np.ndarray) -> np.ndarray:
        return numbers[self._copy.shown[numbers]]

    def has_lesion(self, numbers: np.ndarray) -> np.ndarray:
        return self.areas(numbers) > 0

    def areas(self, numbers: np.ndarray) -> np.ndarray:
        targets, found = self.cohort.task.targets, np.zeros(len(self._copy.shown), np.int64)
        masks = (targets.encode(self.labels(case)).any(axis=0) for case in range(len(self.cohort)))
        found[self._copy.shown] = np.concatenate([one.sum(axis=(1, 2)) for one in masks])
        return found[numbers]

    def place(self, case: int, index: int) -> int:
        first = int(self.cohort.slices_of(case)[0])
        return int(np.count_nonzero(self._copy.shown[first : first + index]))

    def images(self, case: int) -> np.ndarray:
        shape = self._copy.shapes[case]
        return self._copy.images[shape[3] * self._starts[case] : shape[3] * self._starts[case + 1]].reshape(shape)

    def labels(self, case: int) -> np.ndarray:
        return self._copy.labels[self._starts[case] : self._starts[case + 1]].reshape(self._copy.shapes[case][:3])

    def statistics(self, case: int) -> np.ndarray:
        return self._copy.statistics[case]

    def restore(self, case: int, probability: np.ndarray) -> np.ndarray:
        """Bring what a net answers for all inputs of a case onto the grid of its scan, as prediction does.

        Args:
            case: its index.
            probability: float32 [K, inputs, S, S].

        Returns:
            float32 [K, slices, H, W]; 0 where the steps have left something out.
        """
        _, height, width, _ = self._copy.shapes[case]
        undo = self._inverse(case)
        return np.stack([undo(restored(one, self.steps, height, width)) for one in probability])

    def _make_inverse(self, case: int) -> Undo:
        images = self.cohort.images(case)
        return self.recipe.chain.inverse(Case("", images, grid_of(images)))


def cases_of(cohort: Cohort, recipe: InputRecipe) -> PackedCases:
    """Open the cases of a cohort as a recipe wants them; see `PackedCases` and `PreparedCases`."""
    return PreparedCases(cohort, recipe) if recipe.whole else PackedCases(cohort, recipe)
