"""Made-up patients in the layout of BraTS 2020: four sequences, and a tumour of three regions within each other.

The heads and the growth are those of the other made-up patients, without the skull, on small grids.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from headtohead.cohort.phantom.anatomy import Head, Lesion, Tissue, draw_head, grow_lesion
from headtohead.cohort.phantom.noise import Field, smooth_noise
from headtohead.cohort.phantom.planning import Parameters
from headtohead.cohort.phantom.writing import make_data_set
from headtohead.readers.nifti_writing import write_volume
from headtohead.task import Grid

NECROSIS, OEDEMA, ENHANCING = 1, 2, 4
"""Labels as BraTS 2020 has them."""

SIDE, LENGTH = 240.0, 155.0
"""Millimetres of the grid of BraTS, across and along the head; here with fewer voxels."""

WITHOUT_ENHANCEMENT = 6
"""Every so many patients have a tumour that takes up no contrast agent."""

WHITE_LEVEL = 900.0
"""Grey level of white matter before the scanner's factor; BraTS has no unit."""


TISSUES = (Tissue.CSF, Tissue.GREY, Tissue.DEEP_GREY, Tissue.VESSEL)
PARTS = (OEDEMA, NECROSIS, ENHANCING)
CONTRASTS = {
    "t1": ((0.40, 0.76, 0.88, 0.55), (-0.20, -0.45, -0.25)),
    "t1ce": ((0.42, 0.80, 0.92, 1.90), (-0.20, -0.45, 0.80)),
    "t2": ((2.20, 1.35, 1.15, 0.50), (0.75, 0.95, 0.55)),
    "flair": ((0.30, 1.18, 1.10, 0.35), (0.75, 0.15, 0.55)),
}
"""Sequence -> brightness of `TISSUES` relative to white matter, and by how much `PARTS` of the tumour differ."""


def make_brats_phantoms(
    dest: Path, n_cases: int = 24, seed: int = 0, size: int = 64, slices: tuple[int, int] = (12, 16)
) -> None:
    """Write made-up patients in the layout of BraTS 2020, as `make_phantoms` writes those of LGG's."""
    parameters = Parameters(n_cases, seed, size, (slices[0], slices[1]))
    names = [f"BraTS20_Training_{number:03d}" for number in range(1, n_cases + 1)]

    def fill(folder: Path) -> list[dict[str, object]]:
        with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
            return list(pool.map(partial(_write_case, folder, parameters), names, range(n_cases)))

    def lacks(folder: Path) -> str:
        ends = (*CONTRASTS, "seg")
        files = (folder / name / f"{name}_{end}.nii.gz" for name in names for end in ends)
        return next((f"{path}: is missing" for path in files if not path.is_file()), "")

    make_data_set(dest, {"data": "brats", **parameters.to_dict()}, fill, lacks)


def draw_brats_case(parameters: Parameters, number: int) -> tuple[dict[str, NDArray[np.int16]], NDArray[np.uint8]]:
    """Draw one case: sequence -> [n, size, size], 0 outside the brain; and the label map [n, size, size]."""
    rng = np.random.default_rng((parameters.seed, number))
    head = draw_head(rng, int(rng.integers(parameters.slices[0], parameters.slices[1] + 1)), parameters.size)
    lesion = grow_lesion(rng, head)
    labels = _label(rng, lesion, enhances=bool(number % WITHOUT_ENHANCEMENT))
    shading = np.exp(0.08 * smooth_noise(rng, head.z, parameters.size, 1.1))
    return {sequence: _render(rng, head, labels, sequence, shading) for sequence in CONTRASTS}, labels


def _label(rng: np.random.Generator, lesion: Lesion, enhances: bool) -> NDArray[np.uint8]:
    core, necrosis = rng.uniform(0.55, 0.75), rng.uniform(0.25, 0.4)
    labels = np.where(lesion.mask, np.uint8(OEDEMA), np.uint8(0))
    labels[lesion.mask & (lesion.distance < core)] = ENHANCING if enhances else NECROSIS
    labels[lesion.mask & (lesion.distance < necrosis)] = NECROSIS
    if enhances and not (labels == ENHANCING).any():  # a growth of a few voxels
        labels[np.unravel_index(np.where(lesion.mask, lesion.distance, np.inf).argmin(), labels.shape)] = ENHANCING
    return labels


def _render(
    rng: np.random.Generator, head: Head, labels: NDArray[np.uint8], sequence: str, shading: Field
) -> NDArray[np.int16]:
    brightness, changes = CONTRASTS[sequence]
    table = np.ones(len(Tissue), np.float32)
    table[list(TISSUES)] = brightness
    picture = table[np.where((labels > 0) & (head.tissue == Tissue.CSF), np.uint8(Tissue.GREY), head.tissue)]
    picture *= 1 + 0.06 * smooth_noise(rng, head.z, labels.shape[1], 0.2)
    strength = rng.uniform(0.6, 1.1)
    for label, change in zip(PARTS, changes, strict=True):
        picture += (labels == label) * np.float32(strength * change)
    picture *= shading
    for index, plane in enumerate(picture):
        picture[index] = cv2.GaussianBlur(plane, (0, 0), 0.6)
    picture += rng.normal(0, rng.uniform(0.03, 0.07), picture.shape).astype(np.float32)
    level = WHITE_LEVEL * rng.uniform(0.5, 2)
    # Brains of BraTS are cut out: what is not brain is 0.
    return (np.clip(picture, 0.02, 8) * level * head.brain).astype(np.int16)


def _write_case(root: Path, parameters: Parameters, name: str, number: int) -> dict[str, object]:
    images, labels = draw_brats_case(parameters, number)
    folder = root / name
    folder.mkdir()
    slices, size = labels.shape[:2]
    # Columns run to the left, rows to the back, slices to the head, as in BraTS.
    grid = Grid((size, size, slices), np.diag([-SIDE / size, -SIDE / size, LENGTH / slices, 1.0]))
    volumes: dict[str, NDArray[Any]] = {**images, "seg": labels}
    for end, values in volumes.items():
        write_volume(folder / f"{folder.name}_{end}.nii.gz", np.asfortranarray(values.transpose(2, 1, 0)), grid)
    return {"case": folder.name, "slices": slices, "lesion_slices": int(labels.any(axis=(1, 2)).sum())}
