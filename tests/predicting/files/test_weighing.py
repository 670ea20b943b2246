"""What is reckoned from a header, beside what a prediction allocates: masks that fill the volume take most."""

import tracemalloc
from dataclasses import replace
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest

from headtohead.memory import Claims
from headtohead.predicting.cleaning.postprocessing import parse_clean_up
from headtohead.predicting.files.weighing import ENGINE
from headtohead.readers.lgg import TASK as LGG_TASK
from headtohead.task import Target, Targets
from tests.predicting.conftest import FACTS
from tests.predicting.scans import Predict, summary_of

CONSTANT, FRAMES = 12e6, 36e6
"""Bytes that do not grow with the volume: what is counted at a time; the frames of a preview."""

STEPS = "largest,fill,min_size=2vox,close=2px,open=2px,dilate=2px,erode=2px"
ALL = ("--save_probability", "--save_uncertainty", "entropy", "--preview")


REGIONS = Targets((Target("a", (1, 2, 4)), Target("b", (1, 4)), Target("c", (4,))))
THREE = replace(FACTS, task=replace(LGG_TASK, targets=REGIONS))
EACH = {"clean_up": parse_clean_up(STEPS, REGIONS)}
CLEANED = {"clean_up": parse_clean_up(STEPS, LGG_TASK.targets)}


def repeated(brightness: Any, targets: int) -> Any:
    """Give a stand-in that answers alike for each of several targets."""

    class Repeated(brightness):  # type: ignore[misc]
        def ask(self, inputs: Any) -> Any:
            found = super().ask(inputs)
            return replace(found, probability=np.repeat(found.probability, targets, axis=0))

    return brightness if targets == 1 else Repeated


@pytest.mark.parametrize(
    ("flags", "settings", "dtype", "zooms"),
    [
        pytest.param((), {}, np.int16, (1, 1, 1), marks=pytest.mark.exhaustive),
        ((), CLEANED, np.int16, (1, 1, 1)),
        (ALL, {}, np.int16, (1, 1, 1)),
        pytest.param(
            ALL,
            CLEANED,
            np.uint8,
            (1, 2, 1),
            marks=pytest.mark.exhaustive,
        ),
        (("--outputs", "0.2:_dim.nii.gz"), {"threshold": 1.0}, np.float64, (1, 1, 1)),
        (("--save_uncertainty", "variance"), {"members": 2}, np.int16, (1, 1, 1)),
        ((*ALL, "--outputs", "0.2:_dim.nii.gz"), {"facts": THREE}, np.int16, (1, 1, 1)),
        pytest.param((), {"facts": THREE, **EACH}, np.int16, (1, 1, 1), marks=pytest.mark.exhaustive),
    ],
    ids=["mask", "cleaned", "all", "resampled", "dimmed", "models", "several targets", "each cleaned"],
)
def test_the_estimate_is_sufficient(
    predict: Predict,
    brightness: type,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    flags: tuple[str, ...],
    settings: dict[str, Any],
    dtype: type,
    zooms: tuple[int, int, int],
) -> None:
    values = np.random.default_rng(0).integers(20, 250, (128, 128, 128)).astype(dtype)
    (tmp_path / "in").mkdir()
    nibabel.save(nibabel.Nifti1Image(values, np.diag([*zooms, 1.0]), dtype=dtype), tmp_path / "in" / "a.nii.gz")
    reckoned = []
    take = Claims.take

    def noted(claims: Claims, owner: Any, need: int) -> None:
        reckoned.append(need)
        take(claims, owner, need)

    monkeypatch.setattr(Claims, "take", noted)
    several = len(settings.get("facts", FACTS).task.targets)
    predictor = repeated(brightness, several)(**{"threshold": 1e-6, **settings})
    tracemalloc.start()
    try:
        assert predict(*flags, predictor=predictor) == 0
        taken = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert several > 1 or (summary_of(tmp_path / "out")["a"]["voxels"] == str(values.size)) == (predictor.threshold < 1)
    [need] = reckoned
    assert taken <= need - ENGINE * predictor.members + CONSTANT + FRAMES * ("--preview" in flags)
