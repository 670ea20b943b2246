"""Made-up NIfTI volumes: bright balls in noise, with their masks."""

from collections.abc import Callable
from pathlib import Path

import nibabel
import numpy as np
import pytest

from tests.readers.brats_cases import AFFINE, WriteCase, values_of

WriteVolume = Callable[..., Path]


@pytest.fixture
def volumes(tmp_path: Path) -> Path:
    """An empty folder for volumes."""
    folder = tmp_path / "volumes"
    folder.mkdir()
    return folder


@pytest.fixture
def write_volume(volumes: Path) -> WriteVolume:
    """Give `write_volume(name, values, affine)`: a NIfTI file below the folder of volumes."""

    def write(name: str, values: np.ndarray, affine: np.ndarray | None = None, unit: str = "mm") -> Path:
        path = volumes / name
        path.parent.mkdir(parents=True, exist_ok=True)
        image = nibabel.Nifti1Image(values, np.diag([1.0, 1.0, 3.0, 1.0]) if affine is None else affine)
        image.header.set_xyzt_units(unit)
        nibabel.save(image, path)
        return path

    return write


@pytest.fixture
def write_pair(write_volume: WriteVolume) -> Callable[..., tuple[np.ndarray, np.ndarray]]:
    """Give `write_pair(stem)`: an image of a ball and its mask; their values on the grid are returned."""

    def write(
        stem: str, mask: str = "_mask", end: str = ".nii.gz", seed: int = 0, affine: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        rng = np.random.default_rng(seed)
        place = np.stack(np.meshgrid(*(np.linspace(-1, 1, size) for size in (20, 24, 6)), indexing="ij"))
        inside = (np.linalg.norm(place, axis=0) < 0.5 + 0.05 * (seed % 4)).astype(np.uint8)
        values = (inside * np.int16(600) + rng.integers(20, 200, inside.shape)).astype(np.int16)
        write_volume(f"{stem}{end}", values, affine)
        write_volume(f"{stem}{mask}{end}", inside, affine)
        return values, inside

    return write


@pytest.fixture
def write(tmp_path: Path) -> WriteCase:
    """Give `write(name, ends, enhancing=4, end=".nii.gz", below=".")`: a folder of a case below `tmp_path / brats`."""

    def case(name: str, ends: dict[str, str], enhancing: int = 4, end: str = ".nii.gz", below: str = ".") -> Path:
        folder = tmp_path / "brats" / below / name
        folder.mkdir(parents=True)
        for sequence, values in values_of(name).items():
            stored = np.where(values == 4, np.uint8(enhancing), values) if sequence == "seg" else values
            nibabel.save(nibabel.Nifti1Image(stored, AFFINE), folder / f"{name}{ends[sequence]}{end}")
        return folder

    return case
