import cv2
import numpy as np
import pytest

from headtohead.preparing.head import DEPTH, air_levels, head_mask, inner_head, intensity_statistics

SIDE = 96


def ball(scalp: int = 250, brain: int = 90) -> np.ndarray:
    """One slice: noise-free air, a scalp ring, a brain with two tones, a dark ventricle in the middle."""
    image = np.zeros((SIDE, SIDE), np.uint8)
    cv2.circle(image, (48, 48), 40, scalp, cv2.FILLED)
    cv2.circle(image, (48, 48), 34, brain, cv2.FILLED)
    cv2.circle(image, (40, 48), 12, brain + 20, cv2.FILLED)
    cv2.circle(image, (56, 48), 6, 0, cv2.FILLED)
    return np.repeat(image[None, :, :, None], 3, axis=3)


def test_the_head_is_one_filled_piece_without_the_air() -> None:
    volume = ball()
    volume[0, 2:6, 2:6] = 255  # a bright speck outside the head
    mask = head_mask(volume)[0]
    assert mask[48, 56], "the dark ventricle belongs to the head"
    assert not mask[3, 3], "the speck does not"
    assert abs(mask.sum() / (np.pi * 40**2) - 1) < 0.15


def test_a_slice_of_air_has_no_head() -> None:
    volume = np.concatenate([ball(), np.zeros_like(ball())])
    assert [bool(part.any()) for part in head_mask(volume)] == [True, False]


def test_the_inner_head_leaves_the_scalp_out() -> None:
    volume = ball()
    inner = inner_head(head_mask(volume))
    assert inner.any()
    assert volume[inner].max() < 250


def test_a_bright_scalp_moves_zscore_but_not_inner() -> None:
    pale, bright = (ball(scalp=brightness) for brightness in (120, 250))
    shift = {
        normalise: abs(
            intensity_statistics(bright, region(head_mask(bright)), normalise)
            - intensity_statistics(pale, region(head_mask(pale)), normalise)
        ).max()
        for normalise, region in (("inner", inner_head), ("zscore", np.copy))
    }
    assert shift["inner"] < 1 < 20 < shift["zscore"]


def test_a_constant_image_has_a_scale_that_can_divide() -> None:
    volume = np.full((2, 16, 16, 3), 7, np.uint8)
    for normalise in ("inner", "zscore"):
        statistics = intensity_statistics(volume, head_mask(volume), normalise)
        np.testing.assert_array_equal(statistics, [[7, 1]] * 3)


def test_an_empty_image_is_measured_too() -> None:
    volume = np.zeros((1, 16, 16, 3), np.uint8)
    np.testing.assert_array_equal(intensity_statistics(volume, inner_head(head_mask(volume)), "inner"), [[0, 1]] * 3)


def test_bright_air_is_not_taken_for_the_head() -> None:
    volume = np.zeros((3, 64, 64, 3), np.uint8)
    rows, columns = np.mgrid[:64, :64]
    disc = (rows - 32) ** 2 + (columns - 32) ** 2 < 20**2
    volume[:, disc] = (120, 90, 110)
    plain = head_mask(volume)
    volume[:, ~disc, 0] = 90  # as the pre-contrast air of three patients of the real data
    assert air_levels(volume).tolist() == [90, 0, 0]
    assert (head_mask(volume) == plain).all()
    assert 0 < inner_head(head_mask(volume)).mean() < 0.3


@pytest.mark.parametrize("place", [(48, 48), (0, 0), (95, 40)])
def test_depth_is_measured_over_the_whole_slice(place: tuple[int, int]) -> None:
    mask = np.zeros((3, SIDE, SIDE), np.uint8)
    cv2.ellipse(mask[0], place, (40, 22), 30, 0, 360, 1, cv2.FILLED)
    cv2.circle(mask[1], (30, 50), 9, 1, cv2.FILLED)
    depth = np.stack([cv2.distanceTransform(one, cv2.DIST_L2, 5) for one in mask])
    np.testing.assert_array_equal(inner_head(mask.astype(bool)), depth > DEPTH * depth.max())
