"""A Cohort: all cases of a data set as one table and memory-mapped files of pixels."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from headtohead.cohort.made_up import made_up_data
from headtohead.records.array_reader import read_array
from headtohead.task import Task

if TYPE_CHECKING:
    import pandas as pd  # half a second to import, and prediction asks for no table

LGG, NIFTI = "lgg", "nifti"
"""Kinds of data, as `--data` calls them."""

SPACING = ["spacing_slices", "spacing_rows", "spacing_columns"]
CHANNELS = 3
"""Of `images`; a single sequence is in all of them."""

PIXELS = ("images", "masks", "inner")
"""The packed files of pixels, uint8, case after case; `images` has three channels, the others one."""

STATISTICS = ("zscore", "inner")
"""By what the intensities of a case are measured, as `Cohort.statistics` takes it."""


class Cohort:
    """Cases in a fixed order, read-only; `open_cohort` makes one.

    Attributes:
        root: the data set's folder.
        key: hash of everything the pixels and the table were made from.
        table: one row a case: case, patient, site, slices, height, width, first (global number of its
            first slice), lesion_voxels, lesion_slices, missing ("", "post" or "pre post"), then, where the files
            say, spacing_slices, spacing_rows and spacing_columns (mm), then the clinical columns.
        packed: the folder of the packed arrays.
        task: what is segmented from what.
        data: what kind of data set it is, as `--data` calls it.
        patient_pattern: by which patients were told apart, as `--patient_pattern` takes it; empty: by names alone.
    """

    def __init__(
        self,
        root: Path,
        key: str,
        table: "pd.DataFrame",
        packed: Path,
        task: Task,
        data: str = LGG,
        patient_pattern: str = "",
    ) -> None:
        """Map the packed pixels into memory; nothing is read yet."""
        self.task = task
        self.patient_pattern = patient_pattern
        self.root, self.key, self.table, self.packed, self.data = root, key, table, packed, data
        self._first = table["first"].to_numpy(np.int64)
        self._shapes = [tuple(int(n) for n in row) for row in table[["slices", "height", "width"]].to_numpy()]
        self._starts = np.concatenate([[0], np.cumsum([np.prod(shape, dtype=np.int64) for shape in self._shapes])])
        self._pixels = {name: np.memmap(packed / f"{name}.u8", np.uint8, "r") for name in PIXELS}

    def __reduce__(self) -> tuple[type["Cohort"], "tuple[Path, str, pd.DataFrame, Path, Task, str, str]"]:
        # Sent to a worker process by name: pickling a memory map would copy every pixel.
        return Cohort, (self.root, self.key, self.table, self.packed, self.task, self.data, self.patient_pattern)

    def __len__(self) -> int:
        return len(self.table)

    @property
    def n_slices(self) -> int:
        """Slices of all cases together."""
        return int(self.table["slices"].sum())

    @property
    def made_up(self) -> bool:
        """Whether its patients are made up."""
        return made_up_data(self.root, self.table["case"])

    def spacing(self, case: int) -> tuple[float, float, float] | None:
        """Millimetres between slices, rows and columns of a case; None where its files do not say."""
        if SPACING[0] not in self.table:
            return None
        slices, rows, columns = (float(step) for step in self.table[SPACING].iloc[case])
        return slices, rows, columns

    def images(self, case: int) -> np.ndarray:
        """Pixels of one case: uint8 [slices, H, W, 3], channels as `task.sequences`; a single one is in all three."""
        start, stop = 3 * self._starts[case], 3 * self._starts[case + 1]
        return self._pixels["images"][start:stop].reshape(*self._shapes[case], 3)

    def primary(self, case: int) -> np.ndarray:
        """The primary sequence of one case: a view, uint8 [slices, H, W]."""
        return self.images(case)[..., self.task.primary_channel]

    def masks(self, case: int) -> np.ndarray:
        """Truth of one case: uint8 {0, 1} [slices, H, W]."""
        return self._plane("masks", case)

    def labels(self, case: int) -> np.ndarray:
        """The label map of one case: uint8 [slices, H, W]."""
        return self._plane("masks", case)

    def truth(self, case: int) -> np.ndarray:
        """The targets of one case: bool [K, slices, H, W]."""
        return self.task.targets.encode(self.labels(case))

    def inner_heads(self, case: int) -> np.ndarray:
        """The inner head of one case, as `head.inner_head` finds it: uint8 {0, 1} [slices, H, W]."""
        return self._plane("inner", case)

    def _plane(self, name: str, case: int) -> np.ndarray:
        return self._pixels[name][self._starts[case] : self._starts[case + 1]].reshape(self._shapes[case])

    def case_of(self, number: int) -> tuple[int, int]:
        """Give (case index, slice within the case) of a global slice number."""
        case = int(np.searchsorted(self._first, number, side="right")) - 1
        return case, int(number - self._first[case])

    def slices_of(self, case: int) -> np.ndarray:
        """Global slice numbers of one case, in order: int64 [slices]."""
        first = self._first[case]
        return np.arange(first, first + self._shapes[case][0])

    def has_lesion(self) -> np.ndarray:
        """Say for every slice whether it holds any target: bool [n_slices]."""
        return np.concatenate([self.truth(case).any(axis=(0, 2, 3)) for case in range(len(self))])

    def statistics(self, normalise: str) -> np.ndarray:
        """Centre and scale of each case's channels: float32 [cases, 3, 2], in uint8 units."""
        return read_statistics(self.packed, normalise, len(self))


def read_statistics(copy: Path, normalise: str, cases: int) -> np.ndarray:
    """Read what `Cohort.statistics` gives from a packed copy of so many cases.

    Raises:
        FileNotFoundError: there is none.
        UnreadableError: it is damaged, or of another number of cases.
    """
    return read_array(copy / "statistics.npz", normalise, np.float32, (cases, CHANNELS, 2))
