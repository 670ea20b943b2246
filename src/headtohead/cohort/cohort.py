"""A Cohort: all cases of a data set as one table and memory-mapped files of pixels."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from headtohead.cohort.made_up import made_up_data
from headtohead.options.data import DEFAULT_DATA
from headtohead.preparing.intensities import to_eight_bits
from headtohead.readers.reader import AS_NAMED, Reading
from headtohead.records.array_reader import read_array
from headtohead.task import Task

if TYPE_CHECKING:
    import pandas as pd  # half a second to import, and prediction asks for no table

SPACING = ["spacing_slices", "spacing_rows", "spacing_columns"]
PIXELS = ("images", "labels", "inner")
"""The packed files of pixels, case after case; `images` has a channel for each sequence, the others one."""

DEPTHS: dict[str, np.dtype[Any]] = {".u8": np.dtype(np.uint8), ".u16": np.dtype("<u2")}
"""How a packed file ends -> the type of its pixels."""

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
        reading: how a user wanted its files to be understood.
    """

    def __init__(
        self,
        root: Path,
        key: str,
        table: "pd.DataFrame",
        packed: Path,
        task: Task,
        data: str = DEFAULT_DATA,
        reading: Reading = AS_NAMED,
    ) -> None:
        """Map the packed pixels into memory; nothing is read yet."""
        self.root, self.key, self.table, self.packed = root, key, table, packed
        self.task, self.data, self.reading = task, data, reading
        self._first = table["first"].to_numpy(np.int64)
        self._shapes = [tuple(int(n) for n in row) for row in table[["slices", "height", "width"]].to_numpy()]
        self._starts = np.concatenate([[0], np.cumsum([np.prod(shape, dtype=np.int64) for shape in self._shapes])])
        self._pixels = {name: np.memmap(*packed_file(packed, name), "r") for name in PIXELS}

    def __reduce__(self) -> tuple[type["Cohort"], "tuple[Path, str, pd.DataFrame, Path, Task, str, Reading]"]:
        # Sent to a worker process by name: pickling a memory map would copy every pixel.
        return Cohort, (self.root, self.key, self.table, self.packed, self.task, self.data, self.reading)

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
        """Pixels of one case: uint8 (uint16 where the reader asks for it) [slices, H, W, C], as `task.sequences`."""
        channels = len(self.task.sequences)
        start, stop = channels * self._starts[case], channels * self._starts[case + 1]
        return self._pixels["images"][start:stop].reshape(*self._shapes[case], channels)

    def in_bytes(self, case: int) -> np.ndarray:
        """`images` in 8 bits, as they are drawn and looked at."""
        return to_eight_bits(self.images(case))

    def primary(self, case: int) -> np.ndarray:
        """The primary sequence of one case in 8 bits, as it is drawn: uint8 [slices, H, W]."""
        return to_eight_bits(self.images(case)[..., self.task.primary_channel])

    def labels(self, case: int) -> np.ndarray:
        """Label map of one case: uint8, or uint16 where a label needs it, [slices, H, W]."""
        return self._plane("labels", case)

    def truth(self, case: int) -> np.ndarray:
        """Targets of one case: bool [K, slices, H, W]; of single slices, encode their `labels`."""
        return self.task.targets.encode(self.labels(case))

    def masks(self, case: int) -> np.ndarray:
        """Where a case has any target: uint8 {0, 1} [slices, H, W]."""
        if self.task.targets.labels == (1,):  # the label map is the mask, and need not be encoded
            return self.labels(case)
        return np.asarray(self.truth(case).any(axis=0)).view(np.uint8)

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
        return np.concatenate([self.masks(case).any(axis=(1, 2)) for case in range(len(self))])

    def patients(self) -> np.ndarray:
        """Whose every slice is, as the table names patients: [n_slices]."""
        return np.repeat(self.table["patient"].to_numpy(str), self.table["slices"])

    def statistics(self, normalise: str) -> np.ndarray:
        """Centre and scale of each case's channels: float32 [cases, C, 2], in units of 8 bits."""
        return read_statistics(self.packed, normalise, len(self), len(self.task.sequences))


def packed_file(copy: Path, name: str) -> tuple[Path, np.dtype]:
    """Find one of `PIXELS` in a packed copy, and the type of its values; raises FileNotFoundError."""
    for end, kind in DEPTHS.items():
        if (copy / f"{name}{end}").is_file():
            return copy / f"{name}{end}", kind
    raise FileNotFoundError(copy / name)


def read_statistics(copy: Path, normalise: str, cases: int, channels: int) -> np.ndarray:
    """Read what `Cohort.statistics` gives from a packed copy of so many cases and channels; raises as `read_array`."""
    return read_array(copy / "statistics.npz", normalise, np.float32, (cases, channels, 2))
