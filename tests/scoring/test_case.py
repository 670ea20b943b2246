"""All scores of one case: their columns, one case by hand, agreement with the counts, and what is undefined when."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headtohead.scoring.case import UNDEFINED, score_case
from headtohead.scoring.counts import target_dice

SHAPE = (5, 16, 16)
NEED_A_LESION = {"dice", "iou", "precision", "recall", "hd95_px", "surface_dice_px", "relative_volume_error"}
NEED_THE_VOLUME = ["hd95_px", "surface_dice_px", "lesions", "lesions_found", "lesions_missed", "lesions_false"]


def masks() -> tuple[np.ndarray, np.ndarray]:
    """A lesion outlined well, one missed, a speck of each, and a false alarm of 12 voxels on a slice without lesion."""
    prediction, truth = np.zeros((2, *SHAPE), bool)
    truth[1:3, 2:6, 2:7] = True  # 40 voxels
    prediction[1:3, 2:6, 2:6] = True  # 32 of them
    truth[2, 12:15, 10:14] = True
    truth[0, 0, 15] = True
    prediction[4, 10:13, 10:14] = True
    prediction[4, 0, 0] = True
    return prediction, truth


def test_one_case_by_hand() -> None:
    found = score_case(*masks())
    surfaces = {name: found.pop(name) for name in ("hd95_px", "surface_dice_px")}
    assert found == pytest.approx(
        {
            "slices": 5,
            "lesion_voxels": 53,
            "tp": 32,
            "fp": 13,
            "fn": 21,
            "dice": 64 / 98,
            "iou": 32 / 66,
            "precision": 32 / 45,
            "recall": 32 / 53,
            "volume_error": -8,
            "relative_volume_error": -8 / 53,
            "lesions": 2,
            "lesions_found": 1,
            "lesions_missed": 1,
            "lesions_false": 1,
            "empty_slices": 2,
            "false_voxels_on_empty_slices": 13,
        }
    )
    assert 0 < surfaces["surface_dice_px"] < 1
    assert surfaces["hd95_px"] > 1


@pytest.mark.parametrize("unit", ["px", "mm"])
def test_columns_come_in_their_order_and_say_their_unit(unit: str) -> None:
    found = score_case(*masks(), spacing=None if unit == "px" else (5.0, 1.0, 1.0))
    assert list(found) == [
        *("slices", "lesion_voxels", "tp", "fp", "fn", "dice", "iou", "precision", "recall"),
        *(f"hd95_{unit}", f"surface_dice_{unit}", "volume_error", "relative_volume_error"),
        *("lesions", "lesions_found", "lesions_missed", "lesions_false"),
        *("empty_slices", "false_voxels_on_empty_slices"),
        *(("lesion_ml", "volume_error_ml") if unit == "mm" else ()),
    ]


def test_spacing_changes_the_surface_scores_and_nothing_else() -> None:
    pixels, mm = score_case(*masks()), score_case(*masks(), spacing=(5.0, 1.0, 1.0))
    assert mm["hd95_mm"] > pixels["hd95_px"]
    changed = {"hd95_px", "surface_dice_px", "lesions", "lesions_missed", "lesions_false"}
    assert (pixels["lesions"], mm["lesions"]) == (2, 1), "12 voxels of 5 mm3 are 0.06 ml"
    assert {name: mm[name] for name in pixels if name not in changed} == {
        name: pixels[name] for name in pixels if name not in changed
    }


def test_volumes_are_in_ml_where_the_spacing_is_known() -> None:
    found = score_case(*masks(), spacing=(5.0, 0.5, 2.0))
    assert (found["lesion_ml"], found["volume_error_ml"]) == pytest.approx((53 * 5 / 1000, -8 * 5 / 1000))


@settings(max_examples=20)
@given(seed=st.integers(0, 2**32 - 1))
def test_agrees_with_counts_added_slice_by_slice(seed: int) -> None:
    rng = np.random.default_rng(seed)
    prediction, truth = rng.random((2, 4, 6, 6)) < rng.uniform(0, 0.3)
    counts = np.zeros(4, int)
    for p, t in zip(prediction, truth, strict=True):
        counts += ((p & t).sum(), (p & ~t).sum(), (~p & t).sum(), 1)
    found = score_case(prediction, truth)
    assert [found[name] for name in ("tp", "fp", "fn", "slices")] == counts.tolist()
    assert found["dice"] == pytest.approx(target_dice(counts[None])[0], nan_ok=True)


def test_counts_are_int_and_scores_float() -> None:
    found = score_case(*masks())
    whole = ["slices", "lesion_voxels", "tp", "fp", "fn", "volume_error", "lesions", "lesions_found", "empty_slices"]
    assert all(type(found[name]) is int for name in whole)
    assert all(type(found[name]) is float for name in ("dice", "hd95_px", "surface_dice_px", "relative_volume_error"))


def test_part_of_a_case_has_no_surfaces_and_no_lesions() -> None:
    found, whole = score_case(*masks(), whole=False), score_case(*masks())
    assert list(found) == list(whole)
    assert {name for name, value in found.items() if math.isnan(value)} == set(NEED_THE_VOLUME)
    assert all(found[name] == whole[name] for name in found if name not in NEED_THE_VOLUME)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("predicted", "lesion", "undefined"),
    [
        (True, True, set()),
        (False, True, set()),
        (True, False, NEED_A_LESION),
        (False, False, NEED_A_LESION),
    ],
)
def test_what_is_undefined_depends_on_the_truth_alone(predicted: bool, lesion: bool, undefined: set[str]) -> None:
    prediction, truth = masks()
    found = score_case(prediction & predicted, truth & lesion)
    assert {name for name, value in found.items() if math.isnan(value)} == undefined


def test_a_missed_lesion_is_0_and_not_undefined() -> None:
    prediction, truth = masks()
    found = score_case(prediction & False, truth)
    assert (found["dice"], found["recall"], found["precision"], found["relative_volume_error"]) == (0, 0, 0, -1)
    assert (found["lesions_missed"], found["lesions_false"]) == (2, 0)
    assert found["surface_dice_px"] == 0
    assert found["hd95_px"] == pytest.approx(math.dist((0, 0, 0), np.array(truth.shape) - 1))


def test_whatever_can_be_undefined_is_explained() -> None:
    prediction, truth = masks()
    both = (False, True)
    found = [score_case(prediction & p, truth & t, whole=w) for p in both for t in both for w in both]
    undefined = {name.removesuffix("_px") for case in found for name, value in case.items() if math.isnan(value)}
    assert undefined == set(UNDEFINED)


@pytest.mark.parametrize("whole", [True, False])
def test_masks_of_0_and_255_are_refused(whole: bool) -> None:
    prediction, truth = masks()
    with pytest.raises(ValueError, match="bool"):
        score_case(prediction.astype(np.uint8) * 255, truth, whole=whole)
