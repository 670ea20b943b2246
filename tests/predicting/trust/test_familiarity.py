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

Spacing = tuple[float, float, float]


@pytest.fixture(scope="session")
def familiar(phantom_cohort: Cohort) -> dict[str, Any]:
    """The made-up patients, measured."""
    return measure_cohort(phantom_cohort, range(len(phantom_cohort)))


def volume_of(cohort: Cohort, case: int = 0) -> np.ndarray:
    return np.array(cohort.images(case))


def said(volume: np.ndarray, familiar: dict[str, Any], spacing: Spacing | None = None) -> str:
    lines = unfamiliar_features(volume, spacing, familiar, len(familiar["sequences"]) // 2)
    assert all("\n" not in line for line in lines)
    return "; ".join(lines)


def test_it_is_plain_data(familiar: dict[str, Any]) -> None:
    assert json.loads(json.dumps(familiar, allow_nan=False)) == familiar
    assert len(json.dumps(familiar)) < 8000


def test_its_own_cases_are_usual(phantom_cohort: Cohort, familiar: dict[str, Any]) -> None:
    assert [said(volume_of(phantom_cohort, case), familiar) for case in range(len(phantom_cohort))] == [""] * 12


def test_nothing_known_nothing_said(phantom_cohort: Cohort, familiar: dict[str, Any]) -> None:
    assert measure_cohort(phantom_cohort, []) == {}
    for nothing in ({}, familiar | {"version": 0}):
        assert unfamiliar_features(np.zeros((1, 9, 9, 3), np.uint8), None, nothing, 1) == []


def test_numbers_of_slices(phantom_cohort: Cohort, familiar: dict[str, Any]) -> None:
    volume = volume_of(phantom_cohort)
    low, high = (int(end) for end in familiar["slices"])
    assert said(np.repeat(volume, 5, axis=0), familiar).startswith(
        f"{5 * len(volume)} slices; training cases had {low} to {high}"
    )
    assert said(volume[[3]], familiar).startswith(f"a single slice; training cases had {low} to {high}")


def test_size_of_the_image(phantom_cohort: Cohort, familiar: dict[str, Any]) -> None:
    small = volume_of(phantom_cohort)[:, ::4, ::4]
    assert "a longer side of 16 px; in training 64 px" in said(small, familiar)


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
    assert "left and right are less alike than in training" in lines


def test_a_blurred_one_is_smoother(phantom_cohort: Cohort, familiar: dict[str, Any]) -> None:
    calm = familiar | {"volume": familiar["volume"] | {"texture": [0.1, 0.2]}}
    assert "smoother than in training" in said(volume_of(phantom_cohort), calm)


def test_swapped_channels_are_named_as_they_stand(phantom_cohort: Cohort, familiar: dict[str, Any]) -> None:
    found = [said(volume_of(phantom_cohort, case)[..., [1, 2, 0]], familiar) for case in range(12)]
    expected = "its channels look like flair, post, pre; the model takes pre, flair, post"
    assert sum(line.startswith(expected) for line in found) >= 6


def test_sequences_missing_as_never_in_training(phantom_cohort: Cohort, familiar: dict[str, Any]) -> None:
    volume = volume_of(phantom_cohort)
    volume[..., 0] = volume[..., 1]
    strict = familiar | {"missing": [""]}
    assert "without pre; no training case lacked exactly these" in said(volume, strict)
    assert "without" not in said(volume, strict | {"missing": ["", "pre"]})


def test_grey_values_that_stand_alone(phantom_cohort: Cohort, familiar: dict[str, Any]) -> None:
    narrow = json.loads(json.dumps(familiar))
    narrow["volume"]["grey"]["much"] = dict.fromkeys(narrow["volume"]["grey"]["much"], 0.01)
    assert "its grey values are unlike those of the training cases (" in said(volume_of(phantom_cohort), narrow)


def test_few_cases_say_nothing_of_grey_values(phantom_cohort: Cohort) -> None:
    few = measure_cohort(phantom_cohort, [0, 1, 2])
    assert few["cases"] == 3 and few["volume"]["grey"] is None
    assert said(volume_of(phantom_cohort, 1), few) == ""


class OneSequence:
    """Made-up patients as a cohort of one sequence and a known spacing."""

    def __init__(self, cohort: Cohort) -> None:
        self.cohort, self.task = cohort, NIFTI_TASK

    def in_bytes(self, case: int) -> np.ndarray:
        return self.cohort.images(case)[..., 1:2]

    def spacing(self, case: int) -> Spacing:
        return (3.3, 1.0 + case / 100, 1.0)


def test_one_sequence_and_a_spacing(phantom_cohort: Cohort) -> None:
    cohort: Any = OneSequence(phantom_cohort)
    familiar = measure_cohort(cohort, range(12))
    assert familiar["missing"] == [""] and familiar["apart"] == [3.3, 3.3] and familiar["pixel"] == [1.0, 1.11]
    volume = volume_of(phantom_cohort)[..., 1:2]
    for same in (volume, np.repeat(volume, 3, axis=-1), volume.astype(np.float32) * 20):
        assert said(same, familiar, (3.0, 1.1, 1.1)) == ""
    assert said(volume, familiar) == "", "an unknown spacing is not an odd one"
    lines = said(volume, familiar, (1.0, 0.5, 0.5))
    assert lines == "slices 1 mm apart; in training 3.3 mm; pixels of 0.5 mm; in training 1 to 1.11 mm"


def test_a_file_of_one_sequence_stands_for_all(phantom_cohort: Cohort, familiar: dict[str, Any]) -> None:
    assert "without" in said(volume_of(phantom_cohort)[..., 1:2], familiar | {"missing": [""]})


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
