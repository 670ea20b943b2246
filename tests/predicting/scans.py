"""Scans to predict, of which is known where they are bright, and what a command left of them."""

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import nibabel
import numpy as np

from headtohead.predicting.results.written import Written, checksum, name_below

Predict = Callable[..., int]
OURS = {"summary.csv", "predicted.sha256"}
SHAPE = (20, 24, 6)
INSIDE = np.zeros(SHAPE, bool)
INSIDE[5:12, 6:15, 2:5] = True


def head(path: Path, inside: np.ndarray = INSIDE, zooms: tuple[float, ...] = (1, 1, 4), dtype: Any = np.int16) -> Path:
    """Write a volume that is bright where `inside`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    values = np.where(inside, 1000, 100).astype(dtype)
    values[0, 0, 0] = 0
    nibabel.save(nibabel.Nifti1Image(values, np.diag([*zooms, 1.0]), dtype=dtype), path)
    return path


def drawn(path: Path, inside: np.ndarray = INSIDE) -> Path:
    """Write a mask as a person would have drawn it."""
    if path.suffix == ".png":
        assert cv2.imwrite(str(path), inside[:, :, 3].astype(np.uint8) * 255)
    else:
        nibabel.save(nibabel.Nifti1Image(inside.astype(np.uint8), np.diag([1.0, 1, 4, 1])), path)
    return path


def picture(path: Path, inside: np.ndarray = INSIDE[:, :, 3]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), np.where(inside, 250, 20).astype(np.uint8))
    return path


def case_of_slices(folder: Path, slices: int = 3) -> Path:
    for number in range(1, slices + 1):
        picture(folder / f"{folder.name}_{number}.tif")
    return folder


def listed(folder: Path, *paths: Path) -> None:
    """Take files down as written by `--predict` into a folder."""
    Written(folder).expect({name_below(path, folder): checksum(path) for path in paths})


def files_in(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def summary_of(folder: Path) -> dict[str, dict[str, str]]:
    with (folder / "summary.csv").open(newline="") as file:
        return {row["file"]: row for row in csv.DictReader(file)}
