"""A Trainer that writes nothing, a tiny module, and a small split of the made-up patients."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from headtohead.batches.splits import Split
from headtohead.cohort import Cohort
from headtohead.learning.module import SegmentationModule, pl

RECIPE = {"image_size": 32, "normalise": "inner", "neighbours": 1}

MakeTrainer = Callable[..., pl.Trainer]
MakeModule = Callable[..., SegmentationModule]


@pytest.fixture
def make_trainer() -> MakeTrainer:
    def make(**settings: Any) -> pl.Trainer:
        quiet = {"logger": False, "enable_checkpointing": False, "enable_progress_bar": False}
        plain = {"accelerator": "cpu", "num_sanity_val_steps": 0, "use_distributed_sampler": False}
        return pl.Trainer(**(quiet | plain | {"enable_model_summary": False} | settings))

    return make


@pytest.fixture(scope="session")
def make_module(phantom_cohort: Cohort) -> MakeModule:
    """Give `make_module(seed=0, **changes)`: a net of two channels that sees 32x32 pixels."""

    def make(seed: int = 0, **changes: Any) -> SegmentationModule:
        pl.seed_everything(seed, verbose=False)
        tiny = {"model": "buda", "width": 2, "in_channels": 5, "recipe": RECIPE, "threshold": 0.5}
        return SegmentationModule(**(tiny | {"cases": len(phantom_cohort), "learning_rate": 0.01} | changes))

    return make


@pytest.fixture(scope="session")
def small_split(phantom_cohort: Cohort) -> Split:
    """Two cases each."""
    parts = [np.concatenate([phantom_cohort.slices_of(case) for case in pair]) for pair in ((0, 1), (2, 3), (4, 5))]
    return Split("patient", 0, *parts)
