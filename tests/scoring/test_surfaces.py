"""Surface scores: known distances, MONAI's own two metrics, brute force, units, and where they are undefined."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from headtohead import machine
from headtohead.scoring import surfaces
from headtohead.scoring.surfaces import TOLERANCE, surface_scores, unit_of

machine.mend_torchvision()
monai_metrics = pytest.importorskip("monai.metrics")

SHAPE = (12, 40, 40)
SPACING = (4.0, 0.5, 0.75)
NEIGHBOURS = [(1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0), (0, 0, 1), (0, 0, -1)]


def block(shift: tuple[int, int, int] = (0, 0, 0), size: tuple[int, int, int] = (4, 12, 12)) -> np.ndarray:
    mask = np.zeros(SHAPE, bool)
    mask[tuple(slice(3 + by, 3 + by + side) for by, side in zip(shift, size, strict=True))] = True
    return mask


def blobs(seed: int, shape: tuple[int, ...] = (5, 9, 8)) -> tuple[np.ndarray, np.ndarray]:
    """Two overlapping random masks, neither of them empty; some touch the image's edge."""
    rng = np.random.default_rng(seed)
    truth = rng.random(shape) < rng.uniform(0.05, 0.9)
    prediction = truth ^ (rng.random(shape) < 0.2)
    truth[0, 0, 0] = prediction[-1, -1, -1] = True
    return prediction, truth


def by_hand(prediction: np.ndarray, truth: np.ndarray, spacing: tuple[float, ...], tolerance: float) -> tuple:
    """Every distance between every two surface voxels: slow, and independent of the code under test."""

    def surface(mask: np.ndarray) -> np.ndarray:
        padded = np.pad(mask, 1)
        rim = [v for v in np.argwhere(padded) if not all(padded[tuple(v + np.array(step))] for step in NEIGHBOURS)]
        return np.array(rim) * np.array(spacing)

    a, b = surface(prediction), surface(truth)
    apart = np.linalg.norm(a[:, None] - b[None], axis=-1)
    there, back = apart.min(axis=1), apart.min(axis=0)
    within = np.concatenate([there, back]) <= tolerance + 1e-9
    return max(np.percentile(there, 95), np.percentile(back, 95)), within.mean()


def test_a_perfect_prediction_is_at_no_distance() -> None:
    assert surface_scores(block(), block()) == (0, 1)


@pytest.mark.parametrize(("axis", "steps"), [(0, 2), (1, 3), (2, 5)])
def test_two_flat_outlines_are_as_far_apart_as_they_were_moved(
    axis: int, steps: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    sheet = np.zeros(SHAPE, bool)
    sheet[(slice(None),) * axis + (4,)] = True
    moved = np.roll(sheet, steps, axis)
    for spacing in (None, SPACING):
        step = spacing[axis] if spacing else 1
        for tolerance, share in ((steps * step, 1), (steps * step * 0.99, 0)):
            monkeypatch.setattr(surfaces, "TOLERANCE", tolerance)
            assert surface_scores(moved, sheet, spacing) == (pytest.approx(steps * step), share)


def test_the_tolerance_is_one_pixel() -> None:
    sheet = np.zeros(SHAPE, bool)
    sheet[:, :, 4] = True
    assert TOLERANCE == 1
    assert surface_scores(np.roll(sheet, 1, 2), sheet)[1] == 1
    assert surface_scores(np.roll(sheet, 2, 2), sheet)[1] == 0


def test_a_distant_speck_moves_the_maximum_and_not_the_95th_percentile() -> None:
    speck = block()
    speck[-1, -1, -1] = True
    assert surface_scores(speck, block())[0] == 0


@settings(max_examples=30)
@given(seed=st.integers(0, 2**32 - 1), in_mm=st.booleans())
def test_agrees_with_every_distance_taken_one_by_one(seed: int, in_mm: bool) -> None:
    prediction, truth = blobs(seed)
    spacing = (2.5, 0.5, 1.0) if in_mm else (1.0, 1.0, 1.0)
    found = surface_scores(prediction, truth, spacing if in_mm else None)
    assert found == pytest.approx(by_hand(prediction, truth, spacing, TOLERANCE), rel=1e-5)


@pytest.mark.filterwarnings("ignore:.*always_return_as_numpy:FutureWarning")
@pytest.mark.parametrize("spacing", [None, SPACING])
@pytest.mark.parametrize("seed", range(3))
def test_agrees_with_the_two_metrics_of_monai(
    seed: int, spacing: tuple[float, ...] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    prediction, truth = blobs(seed, SHAPE)
    pair = {name: torch.tensor(mask)[None, None] for name, mask in (("y_pred", prediction), ("y", truth))}
    shared = {**pair, "include_background": True, "spacing": spacing}
    monkeypatch.setattr(surfaces, "TOLERANCE", 0.75)
    hd95, surface_dice = surface_scores(prediction, truth, spacing)
    assert hd95 == pytest.approx(monai_metrics.compute_hausdorff_distance(**shared, percentile=95).item(), rel=1e-5)
    wanted = monai_metrics.compute_surface_dice(**shared, class_thresholds=[0.75]).item()
    assert surface_dice == pytest.approx(wanted, rel=1e-5)


def test_where_the_case_lies_in_the_image_changes_nothing() -> None:
    first = surface_scores(block((0, 0, 0)), block((1, 2, 1)))
    assert surface_scores(block((4, 20, 20)), block((5, 22, 21))) == first


def test_prediction_and_truth_may_change_places() -> None:
    prediction, truth = blobs(5, SHAPE)
    assert surface_scores(prediction, truth) == surface_scores(truth, prediction)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("predicted", [True, False])
def test_undefined_where_the_truth_is_empty_whatever_was_predicted(predicted: bool) -> None:
    found = surface_scores(block() & predicted, np.zeros(SHAPE, bool))
    assert np.isnan(found).all()


@pytest.mark.parametrize("spacing", [None, SPACING])
def test_a_lesion_of_which_nothing_was_predicted_has_the_worst_scores(spacing: tuple[float, ...] | None) -> None:
    found = surface_scores(np.zeros(SHAPE, bool), block(), spacing)
    far_corner = np.zeros(SHAPE, bool)
    far_corner[-1, -1, -1] = True
    one_corner = np.zeros(SHAPE, bool)
    one_corner[0, 0, 0] = True
    assert found == (pytest.approx(surface_scores(one_corner, far_corner, spacing)[0]), 0)


def test_unit_follows_the_spacing() -> None:
    assert unit_of(None) == "px"
    assert unit_of(SPACING) == "mm"


@pytest.mark.parametrize("spacing", [(1.0, 1.0), (1.0, 0.0, 1.0), (1.0, -1.0, 1.0), (1.0, math.nan, 1.0)])
def test_a_spacing_that_is_none_is_refused(spacing: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="3 positive numbers"):
        surface_scores(block(), block(), spacing)


def test_shapes_that_would_broadcast_are_refused() -> None:
    with pytest.raises(ValueError, match="shape"):
        surface_scores(block()[:1], block())
