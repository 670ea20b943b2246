"""A Cohort: all cases of a data set as one table and two memory-mapped files of pixels."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

CHANNELS = ("pre", "flair", "post")
FLAIR = CHANNELS.index("flair")


@dataclass(frozen=True)
class Cohort:
    """Cases in a fixed order; opened by `open_cohort`, read-only.

    Attributes:
        root: the data set's folder.
        key: hash of everything the pixels and the table were made from.
        table: one row a case: case, patient, site, slices, height, width, first (global number of its
            first slice), lesion_voxels, lesion_slices, missing ("", "post" or "pre post"), then the clinical columns.
        packed: the folder of the packed arrays.
    """

    root: Path
    key: str
    table: pd.DataFrame
    packed: Path

    def __post_init__(self) -> None:
        pixels = self.table["slices"] * self.table["height"] * self.table["width"]
        object.__setattr__(self, "_offset", np.concatenate([[0], np.cumsum(pixels.to_numpy(np.int64))]))
        object.__setattr__(self, "_first", self.table["first"].to_numpy(np.int64))
        shapes = self.table[["slices", "height", "width"]].to_numpy(np.int64)
        object.__setattr__(self, "_shapes", [tuple(int(n) for n in shape) for shape in shapes])
        object.__setattr__(self, "_images", np.memmap(self.packed / "images.u8", np.uint8, "r"))
        object.__setattr__(self, "_masks", np.memmap(self.packed / "masks.u8", np.uint8, "r"))

    def __reduce__(self) -> tuple[type["Cohort"], tuple[Path, str, pd.DataFrame, Path]]:
        # Sent to a worker process by name: pickling a memory map would copy every pixel.
        return Cohort, (self.root, self.key, self.table, self.packed)

    def __len__(self) -> int:
        return len(self.table)

    @property
    def n_slices(self) -> int:
        """Slices of all cases together."""
        return int(self.table["slices"].sum())

    def images(self, case: int) -> np.ndarray:
        """Pixels of one case: uint8 [slices, H, W, 3], channels as in `CHANNELS`."""
        start, stop = self._offset[case] * 3, self._offset[case + 1] * 3
        return self._images[start:stop].reshape(*self._shapes[case], 3)

    def masks(self, case: int) -> np.ndarray:
        """Truth of one case: uint8 {0, 1} [slices, H, W]."""
        return self._masks[self._offset[case] : self._offset[case + 1]].reshape(self._shapes[case])

    def case_of(self, number: int) -> tuple[int, int]:
        """Give (case index, slice within the case) of a global slice number."""
        case = int(np.searchsorted(self._first, number, side="right")) - 1
        return case, int(number - self._first[case])

    def slices_of(self, case: int) -> np.ndarray:
        """Global slice numbers of one case, in order: int64 [slices]."""
        first = self._first[case]
        return np.arange(first, first + self._shapes[case][0])

    def has_lesion(self) -> np.ndarray:
        """Say for every slice whether its mask holds any lesion: bool [n_slices]."""
        return np.concatenate([self.masks(case).any(axis=(1, 2)) for case in range(len(self))])

    def statistics(self, normalise: str) -> np.ndarray:
        """Centre and scale of each case's channels: float32 [cases, 3, 2], in uint8 units."""
        return np.load(self.packed / "statistics.npz", allow_pickle=False)[normalise]
