"""Faults of the SegNet that was trained on BraTS before, in how it read its data; each would be seen here."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from headtohead.batches.datamodule import SliceDataset
from headtohead.batches.splits import make_split
from headtohead.cohort import Cohort, open_cohort
from headtohead.preparing.recipe import InputRecipe
from headtohead.readers import volumes
from headtohead.readers.nifti_file import VolumeFile
from tests.readers.brats_cases import OLD, SHAPE, WriteCase

CASES = 12
RECIPE = InputRecipe(image_size=16, normalise="unit", neighbours=0, primary=3, sequences=4)


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Count how often each file is opened as a volume."""
    counts: Counter[str] = Counter()
    open_volume = volumes.open_volume

    def counted(path: Path) -> VolumeFile:
        counts[path.name] += 1
        return open_volume(path)

    monkeypatch.setattr(volumes, "open_volume", counted)
    return counts


@pytest.fixture
def cohort(tmp_path: Path, write: WriteCase, opened: Counter[str]) -> Cohort:
    for number in range(CASES):
        write(f"BraTS20_Training_{number + 1:03}", OLD)
    return open_cohort(tmp_path / "brats", tmp_path / "packed", "brats")


def test_a_volume_is_read_once_and_not_for_each_slice(tmp_path: Path, cohort: Cohort, opened: Counter[str]) -> None:
    assert len(opened) == 5 * CASES and set(opened.values()) == {1}
    opened.clear()
    again = open_cohort(tmp_path / "brats", tmp_path / "packed", "brats")
    dataset = SliceDataset(again, RECIPE)
    for epoch in range(2):
        for number in range(again.n_slices):
            dataset[(epoch, number)]
    assert not opened


def test_the_last_slice_of_every_volume_is_seen(cohort: Cohort) -> None:
    depth = SHAPE[2]
    assert cohort.n_slices == CASES * depth
    split = make_split(cohort, "patient", 0)
    parts = np.concatenate([split.train, split.val, split.test])
    assert sorted(parts) == list(range(CASES * depth)), "every slice is in one part, and in one only"
    item = SliceDataset(cohort, RECIPE)[(0, CASES * depth - 1)]
    assert (item["case"], item["slice"]) == (CASES - 1, depth - 1)
    last = cohort.images(CASES - 1)[depth - 1]
    assert (last > 0).any()
    np.testing.assert_array_equal(item["truth"], cohort.labels(CASES - 1)[depth - 1])


def test_the_split_is_of_patients_and_follows_from_its_seed(cohort: Cohort) -> None:
    split, again, other = (make_split(cohort, "patient", seed) for seed in (3, 3, 4))
    cases = [set(map(int, split.cases(cohort, part))) for part in ("train", "val", "test")]
    assert all(cases) and sum(map(len, cases)) == len(set().union(*cases)) == CASES
    assert split.key == again.key != other.key
