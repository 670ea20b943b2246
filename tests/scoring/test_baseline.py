"""The FLAIR threshold: exact counts from histograms, the best threshold found, tests untouched by fitting."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from headtohead.cohort import Cohort
from headtohead.errors import UserError
from headtohead.readers.lgg import TASK as LGG_TASK
from headtohead.scoring.baseline import (
    CANDIDATES,
    Histograms,
    apply_threshold,
    fit_threshold,
    fit_thresholds,
    primary_histograms,
)
from headtohead.scoring.counts import count, dice

SHAPES = [(3, 8, 8), (2, 8, 6), (4, 5, 8)]


@pytest.fixture
def cohort(tmp_path: Path) -> Cohort:
    """Three small cases of noise; FLAIR is brighter in the lesion; the other channels would mislead."""
    rng = np.random.default_rng(0)
    images, masks, inner = [], [], []
    for shape in SHAPES:
        mask = rng.random(shape) < 0.2
        image = rng.integers(0, 256, (*shape, 3)).astype(np.uint8)
        image[..., 1] = np.clip(rng.normal(80, 15, shape) + 60 * mask, 0, 255)
        images.append(image)
        masks.append(mask.astype(np.uint8))
        inner.append((rng.random(shape) < 0.7).astype(np.uint8))
    np.concatenate([image.ravel() for image in images]).tofile(tmp_path / "images.u8")
    np.concatenate([mask.ravel() for mask in masks]).tofile(tmp_path / "labels.u8")
    np.concatenate([part.ravel() for part in inner]).tofile(tmp_path / "inner.u8")
    table = pd.DataFrame(SHAPES, columns=["slices", "height", "width"])
    table = table.assign(case=list("abc"), site="CS", first=[0, 3, 5])
    return Cohort(root=tmp_path, key="k", table=table, packed=tmp_path, task=LGG_TASK)


STATISTICS = np.array([[80, 15], [70, 20], [80.5, 15.25]], np.float32)


def by_hand(cohort: Cohort, case: int, slices: list[int], threshold: float) -> tuple[int, int, int]:
    centre, scale = STATISTICS[case].astype(float)
    flair = cohort.images(case)[slices, ..., 1].astype(float)
    bright = (flair - centre) / scale >= threshold
    return count(bright & (cohort.inner_heads(case)[slices] == 1), cohort.masks(case)[slices] == 1)


def from_histogram(histograms: Histograms, case: int, threshold: float) -> tuple[int, int, int]:
    centre, scale = STATISTICS[case].astype(float)
    bright = (np.arange(256) - centre) / scale >= threshold
    tp, fp = histograms.lesion[case][bright].sum(), histograms.other[case][bright].sum()
    return tp, fp, histograms.lesion[case].sum() + histograms.outside[case] - tp


@pytest.mark.parametrize("threshold", [-20, 0.0, 1.0, 1.7, 20])
def test_prediction_is_that_of_the_voxels_and_of_the_histogram(cohort: Cohort, threshold: float) -> None:
    (histograms,) = primary_histograms(cohort, np.arange(9))
    for case, shape in enumerate(SHAPES):
        flair, inner = cohort.images(case)[..., 1], cohort.inner_heads(case)
        predicted = apply_threshold(flair, inner, STATISTICS[case], threshold)
        assert predicted.shape == shape and predicted.dtype == bool
        counts = count(predicted, cohort.masks(case) == 1)
        assert counts == by_hand(cohort, case, list(range(shape[0])), threshold)
        assert counts == from_histogram(histograms, case, threshold)


def test_only_the_slices_asked_for_are_counted(cohort: Cohort) -> None:
    (histograms,) = primary_histograms(cohort, np.array([8, 5]))
    assert not histograms.lesion[:2].any() and not histograms.other[:2].any() and not histograms.outside[:2].any()
    assert from_histogram(histograms, 2, 1.0) == by_hand(cohort, 2, [0, 3], 1.0)


def test_fitted_threshold_is_the_best_of_all_candidates(cohort: Cohort) -> None:
    (fitted,) = fit_thresholds(primary_histograms(cohort, np.arange(5)), STATISTICS)
    scores = {
        threshold: np.mean([dice(*by_hand(cohort, case, list(range(SHAPES[case][0])), threshold)) for case in (0, 1)])
        for threshold in CANDIDATES
    }
    assert scores[fitted] == pytest.approx(max(scores.values()))


def test_cases_have_equal_votes_whatever_their_size(cohort: Cohort) -> None:
    (histograms,) = primary_histograms(cohort, np.arange(9))
    before = fit_threshold(histograms, STATISTICS)
    histograms.lesion[0] *= 1000
    histograms.other[0] *= 1000
    assert fit_threshold(histograms, STATISTICS) == before


def test_brighter_scans_need_no_other_threshold(cohort: Cohort) -> None:
    (histograms,) = primary_histograms(cohort, np.arange(9))
    (shifted,) = primary_histograms(cohort, np.arange(9))
    for column in (shifted.lesion, shifted.other):
        column[:] = np.roll(column, 40, axis=1)
    assert histograms.lesion[:, -40:].sum() == 0, "nothing may fall off the end for this test"
    assert fit_threshold(shifted, STATISTICS + np.float32([40, 0])) == fit_threshold(histograms, STATISTICS)


def test_without_a_lesion_there_is_nothing_to_fit(cohort: Cohort) -> None:
    (histograms,) = primary_histograms(cohort, np.arange(9))
    histograms.lesion[:] = 0
    with pytest.raises(UserError, match="no lesion"):
        fit_thresholds([histograms] * 2, STATISTICS)
