"""Predictions kept beside their scores: masks.npz and probabilities.npz, one array a case.

Both are ordinary NumPy archives (`np.load(path, allow_pickle=False)`). They are written case by case and read case by
case, so neither ever needs the memory of more than one.
"""

import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from headtohead.errors import UserError
from headtohead.records.array_reader import NoSuchArrayError, OtherShapeError, read_array, read_arrays
from headtohead.records.regular import UnreadableError
from headtohead.saving import atomic_path
from headtohead.scoring.probabilities import BINS

MASKS = "masks.npz"
PROBABILITIES = "probabilities.npz"


class CaseWriter:
    """Adds cases to an archive that is being written; `writing` makes one."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        """Write into an open archive."""
        self._archive = archive
        self._cases: set[str] = set()

    def add_mask(self, case: str, mask: NDArray[np.bool_]) -> None:
        """Add a predicted mask, bool [K, slices, H, W], eight voxels to the byte; the cohort's table has its shape.

        Raises:
            ValueError: if the mask is not bool, or the case was added before.
        """
        if mask.dtype != np.bool_:
            raise ValueError(f"masks must be bool, not {mask.dtype}")
        self._add(case, np.packbits(mask))

    def add_histogram(self, case: str, histogram: NDArray[np.uint32]) -> None:
        """Add the histograms of a case's probabilities, as `probability_histogram` gives them: uint32 [K, 2, 256].

        Of one target, [2, 256] is kept.

        Raises:
            ValueError: if it is of another shape or type, or the case was added before.
        """
        if histogram.shape[1:] != (2, BINS) or histogram.dtype != np.uint32:
            raise ValueError(f"histogram must be uint32 (K, 2, {BINS}), not {histogram.dtype} {histogram.shape}")
        self._add(case, histogram if len(histogram) > 1 else histogram[0])

    def _add(self, case: str, array: NDArray[np.generic]) -> None:
        if case in self._cases:
            raise ValueError(f"{case} was added before")
        self._cases.add(case)
        # A ZipInfo of our own has a fixed date, so that the same predictions give the same bytes.
        entry = zipfile.ZipInfo(f"{case}.npy")
        entry.compress_type = zipfile.ZIP_DEFLATED
        with self._archive.open(entry, "w") as stream:
            np.lib.format.write_array(stream, array, allow_pickle=False)


@contextmanager
def writing(path: Path) -> Iterator[CaseWriter]:
    """Open masks.npz or probabilities.npz to add cases to; the file appears, or is replaced, when all are in it."""
    with atomic_path(path, lasting=True) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        yield CaseWriter(archive)


def read_mask(path: Path, case: str, shape: Sequence[int]) -> NDArray[np.bool_]:
    """Read one case's predicted mask, bool.

    Args:
        path: masks.npz of a run folder.
        case: name of the case.
        shape: (K, slices, H, W) of the case, from the cohort's table; of one target K may be left out.

    Raises:
        UserError: the file is missing or damaged, or has no such case, or holds another number of voxels for it.
    """
    voxels = int(np.prod(shape))
    with _reading(path):
        packed = read_array(path, case, np.uint8, (-(-voxels // 8),))
    return np.unpackbits(packed, count=voxels).astype(bool).reshape(shape)


def check_masks(path: Path, shapes: Mapping[str, Sequence[int]]) -> None:
    """Read the masks of these cases, of these shapes, one after the other, to see that `read_mask` can.

    Raises:
        UserError: as `read_mask`.
    """
    packed = {case: (-(-int(np.prod(shape)) // 8),) for case, shape in shapes.items()}
    with _reading(path):
        for _ in read_arrays(path, packed, np.uint8):
            pass


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise UserError(f"{path}: there is no such file; run `test` to make it") from None
    except NoSuchArrayError as fault:
        raise UserError(f"{path}: no prediction of {fault.name}; run `test` again") from fault
    except OtherShapeError as fault:
        raise UserError(
            f"{path}: {fault.name} is of another size than its images; the data set has changed: run `test` again"
        ) from fault
    except UnreadableError as fault:
        raise UserError(f"{path}: damaged ({fault}); delete it and run `test` again") from fault
