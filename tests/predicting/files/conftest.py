"""Models' facts and files that the tests of reading share."""

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
