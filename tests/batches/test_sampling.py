"""Lesion-weighted batches: the published formula, defined for every patient, drawn from (seed, epoch) alone."""

from collections import Counter
from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest

from headtohead.batches.datamodule import SliceDataModule
from headtohead.batches.sampling import Key, LesionWeightedSampler, slice_weights
from headtohead.batches.splits import Split
from headtohead.cohort import Cohort
from headtohead.preparing.recipe import InputRecipe

AREAS = np.array([0, 30, 70, 0, 0, 0, 5, 0])
PATIENTS = np.array(["a", "a", "a", "a", "b", "b", "c", "c"])
SLICES = np.arange(100, 108)


def sampler(seed: int = 0, batch_size: int = 3) -> LesionWeightedSampler:
    return LesionWeightedSampler(SLICES, PATIENTS, AREAS, batch_size, seed)


def drawn(sampler: LesionWeightedSampler, epoch: int) -> list[Key]:
    sampler.set_epoch(epoch)
    return [key for batch in sampler for key in batch]


@pytest.mark.parametrize("areas", [[0, 30, 70, 0], [5], [1, 0], [250] * 7])
def test_weights_are_the_formula(areas: list[int]) -> None:
    total, count = sum(areas), len(areas)
    expected = [(area + Fraction(1, 10) * total / count) / (Fraction(11, 10) * total) for area in areas]
    found = slice_weights(np.array(areas))
    assert found == pytest.approx([float(one) for one in expected], abs=1e-12)
    assert found.sum() == pytest.approx(1, abs=1e-12) and sum(expected) == 1


def test_a_patient_without_a_lesion_has_even_weights() -> None:
    assert slice_weights(np.zeros(5, int)).tolist() == [0.2] * 5


def test_an_epoch_draws_as_many_slices_as_there_are() -> None:
    batches = list(sampler())
    assert [len(batch) for batch in batches] == [3, 3, 2]
    assert len(batches) == len(sampler())
    assert [draw for batch in batches for _, _, draw in batch] == list(range(8))


def test_patients_come_evenly_and_their_slices_by_weight() -> None:
    one, epochs = sampler(), 4000
    counts = Counter(number for epoch in range(epochs) for _, number, _ in drawn(one, epoch))
    each = epochs * len(SLICES) / 3
    for patient in "abc":
        own = np.flatnonzero(np.equal(PATIENTS, patient))
        found = np.array([counts[int(number)] for number in SLICES[own]])
        assert found.sum() == pytest.approx(each, rel=0.03)
        assert found / found.sum() == pytest.approx(slice_weights(AREAS[own]), abs=0.015)


def test_epochs_and_seeds_differ_and_the_same_epoch_is_the_same() -> None:
    assert drawn(sampler(), 3) == drawn(sampler(), 3)
    assert [key[1] for key in drawn(sampler(), 0)] != [key[1] for key in drawn(sampler(), 1)]
    assert drawn(sampler(), 0) != drawn(sampler(seed=1), 0)


def module(cohort: Cohort, workers: int = 0) -> SliceDataModule:
    parts = [np.concatenate([cohort.slices_of(case) for case in cases]) for cases in (range(8), (8,), (10,))]
    return SliceDataModule(
        cohort,
        Split("patient", 0, *parts),
        InputRecipe(32, "inner", 0),
        batch_size=8,
        augmentation="buda",
        sampling="lesion_weighted",
        num_workers=workers,
    )


Pixels = dict[tuple[int, int], list[bytes]]


@pytest.fixture(scope="module")
def pixels(phantom_cohort: Cohort) -> Callable[..., list[Pixels]]:
    def of_epochs(epochs: range, workers: int = 0) -> list[Pixels]:
        """The images of each slice that each epoch shows, in the order of their draws."""
        loader = module(phantom_cohort, workers).train_dataloader()
        found = []
        for epoch in epochs:
            loader.batch_sampler.set_epoch(epoch)  # type: ignore[union-attr]
            seen: Pixels = {}
            for batch in loader:
                for case, number, image in zip(
                    batch["case"].tolist(), batch["slice"].tolist(), batch["image"], strict=True
                ):
                    seen.setdefault((case, number), []).append(image.numpy().tobytes())
            found.append(seen)
        return found

    return of_epochs


def test_no_augmentation_is_replayed_within_an_epoch_or_in_the_next(pixels: Callable[..., list[Pixels]]) -> None:
    """The fault of the original: processes with fixed seeds gave each epoch the augmentations of the first."""
    first, second = pixels(range(2))
    again = [images for images in first.values() if len(images) > 1]
    assert len(again) > 5
    assert all(len(set(images)) == len(images) for images in again)
    both = first.keys() & second.keys()
    assert len(both) > 5
    assert all(not set(first[key]) & set(second[key]) for key in both)


def test_workers_change_nothing(pixels: Callable[..., list[Pixels]]) -> None:
    assert pixels(range(1, 2), workers=2) == pixels(range(1, 2))
