"""Which inputs are warned of, in which words, and which are not; on made-up patients and on the real ones."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import headtohead
from headtohead.cohort import Cohort, open_cohort
from headtohead.predicting.trust.familiarity import measure_cohort, unfamiliar_features
from headtohead.readers.nifti import TASK as NIFTI_TASK


@pytest.fixture(scope="session")
def familiar(phantom_cohort: Cohort) -> dict[str, Any]:
    """The made-up patients, measured."""
    return measure_cohort(phantom_cohort, range(len(phantom_cohort)))


def volume_of(cohort: Cohort, case: int = 0) -> np.ndarray:
    return np.array(cohort.images(case))


def said(volume: np.ndarray, familiar: dict[str, Any]) -> str:
    lines = unfamiliar_features(volume, familiar, len(familiar["sequences"]) // 2)
    assert all("\n" not in line for line in lines)
    return "; ".join(lines)


def test_it_is_plain_data(familiar: dict[str, Any]) -> None:
    assert json.loads(json.dumps(familiar, allow_nan=False)) == familiar
    assert len(json.dumps(familiar)) < 6000


def test_its_own_cases_are_usual(phantom_cohort: Cohort, familiar: dict[str, Any]) -> None:
    assert [said(volume_of(phantom_cohort, case), familiar) for case in range(len(phantom_cohort))] == [""] * 12


def test_nothing_known_nothing_said(phantom_cohort: Cohort, familiar: dict[str, Any]) -> None:
    assert measure_cohort(phantom_cohort, []) == {}
    for nothing in ({}, familiar | {"version": 0}):
        assert unfamiliar_features(np.zeros((1, 9, 9, 3), np.uint8), nothing, 1) == []


def test_dark_for_bright_is_no_head(phantom_cohort: Cohort, familiar: dict[str, Any]) -> None:
    assert (
        said(255 - volume_of(phantom_cohort), familiar)
        == "no head was found in it; is it an MRI with a dark background?"
    )


def test_noise(phantom_cohort: Cohort, familiar: dict[str, Any]) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (8, 64, 64, 3), np.uint8)
    lines = said(noise, familiar)
    assert "the head fills 100% of it; in training" in lines
    assert "noisier than in training (correlation" in lines


def test_a_blurred_one_is_smoother(phantom_cohort: Cohort, familiar: dict[str, Any]) -> None:
    calm = familiar | {"volume": familiar["volume"] | {"texture": [0.1, 0.2]}}
    assert "smoother than in training" in said(volume_of(phantom_cohort), calm)


def test_swapped_channels_are_named_as_they_stand(phantom_cohort: Cohort, familiar: dict[str, Any]) -> None:
    found = [said(volume_of(phantom_cohort, case)[..., [1, 2, 0]], familiar) for case in range(12)]
    expected = "its channels look like flair, post, pre; the model takes pre, flair, post"
    assert sum(line.startswith(expected) for line in found) >= 6


def test_grey_values_that_stand_alone(phantom_cohort: Cohort, familiar: dict[str, Any]) -> None:
    narrow = json.loads(json.dumps(familiar))
    narrow["volume"]["grey"]["scale"] = [one / 9 for one in narrow["volume"]["grey"]["scale"]]
    assert "its grey values are unlike those of the training cases (" in said(volume_of(phantom_cohort), narrow)


def test_few_cases_say_nothing_of_grey_values(phantom_cohort: Cohort) -> None:
    few = measure_cohort(phantom_cohort, [0, 1, 2])
    assert few["cases"] == 3 and few["volume"]["grey"] is None
    assert said(volume_of(phantom_cohort, 1), few) == ""


class OneSequence:
    """Made-up patients as a cohort of one sequence."""

    def __init__(self, cohort: Cohort) -> None:
        self.cohort, self.task = cohort, NIFTI_TASK

    def in_bytes(self, case: int) -> np.ndarray:
        return self.cohort.images(case)[..., 1:2]


def test_one_sequence(phantom_cohort: Cohort) -> None:
    cohort: Any = OneSequence(phantom_cohort)
    familiar = measure_cohort(cohort, range(12))
    volume = volume_of(phantom_cohort)[..., 1:2]
    for same in (volume, np.repeat(volume, 3, axis=-1), volume.astype(np.float32) * 20):
        assert said(same, familiar) == ""
    assert said(255 - volume, familiar)


def test_measurements_of_earlier_versions_are_looked_into(phantom_cohort: Cohort, familiar: dict[str, Any]) -> None:
    """They hold more, which nobody asks for any more."""
    earlier = json.loads(json.dumps(familiar)) | {"side": [64.0, 64.0], "missing": [""], "apart": [], "pixel": [1, 2]}
    earlier["volume"]["symmetry"] = [0.9, 1.0]
    earlier["volume"]["grey"]["much"] = {"": 0.1}
    assert said(volume_of(phantom_cohort), earlier) == ""


def test_a_file_of_one_sequence_stands_for_all(phantom_cohort: Cohort, familiar: dict[str, Any]) -> None:
    flair = volume_of(phantom_cohort)[..., 1:2]
    assert said(flair, familiar) == said(np.repeat(flair, 3, axis=-1), familiar) == ""


def test_nothing_slow_is_imported() -> None:
    source = str(Path(headtohead.__file__).parents[1])
    code = (
        f"import sys; sys.path.insert(0, {source!r})\n"
        "import headtohead.predicting.trust.familiarity\n"
        "print(sorted({'scipy', 'torch', 'pandas', 'matplotlib'} & sys.modules.keys()))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.stdout == "[]\n", run.stderr


@pytest.mark.exhaustive
def test_real_cases_are_usual_and_odd_ones_are_not(shared_lgg: Path, cache_dir: Path) -> None:
    """A third of the real cases, each measured by the others; the docs state the rates over all 110."""
    cohort = open_cohort(shared_lgg, cache_dir)
    chosen = np.arange(0, len(cohort), 3)
    train = np.setdiff1d(np.arange(len(cohort)), chosen)
    familiar = measure_cohort(cohort, train)
    volumes = [np.array(cohort.images(int(case))) for case in chosen]
    assert sum(bool(said(volume, familiar)) for volume in volumes) <= 3
    assert all(said(255 - volume, familiar) for volume in volumes)
    assert sum("channels look like" in said(volume[..., [1, 0, 2]], familiar) for volume in volumes) > len(chosen) / 2
