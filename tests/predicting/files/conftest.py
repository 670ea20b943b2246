"""Models' facts and files that the tests of reading share."""

from pathlib import Path
from typing import Protocol

import nibabel
import numpy as np
import pytest

from headtohead.readers.lgg import TASK as LGG_TASK
from headtohead.readers.nifti import TASK as NIFTI_TASK
from headtohead.trained.facts import ModelFacts


@pytest.fixture
def lgg() -> ModelFacts:
    """A model of LGG: three sequences, axial, trained on 8 bits."""
    recipe = {"image_size": 128, "normalise": "inner", "neighbours": 1}
    return ModelFacts("lgg/unet", "unet", 0, 5, recipe, task=LGG_TASK)


@pytest.fixture
def lone() -> ModelFacts:
    """A model of one sequence that scales slices itself, in the plane of the scanner."""
    recipe = {"image_size": 256, "normalise": "slice", "neighbours": 0}
    return ModelFacts("fetal/fetal_unet", "fetal_unet", 0, 1, recipe, task=NIFTI_TASK)


@pytest.fixture
def texture() -> np.ndarray:
    """Positive numbers of which no two are alike: int16 [6, 7, 8]."""
    return np.random.default_rng(0).permutation(np.arange(1, 337, dtype=np.int16)).reshape(6, 7, 8)


class Saves(Protocol):
    def __call__(self, name: str, values: np.ndarray, affine: np.ndarray | None = None, version: int = 1) -> Path: ...


@pytest.fixture
def save(tmp_path: Path) -> Saves:
    """Write a NIfTI file as other programs do."""

    def write(name: str, values: np.ndarray, affine: np.ndarray | None = None, version: int = 1) -> Path:
        kind = nibabel.Nifti1Image if version == 1 else nibabel.Nifti2Image
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        nibabel.save(kind(values, np.eye(4) if affine is None else affine), tmp_path / name)
        return tmp_path / name

    return write
