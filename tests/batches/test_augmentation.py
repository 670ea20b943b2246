"""Augmentation policies move image and mask alike; sequence dropout replaces pixels and statistics alike."""

import os
from typing import Any

import numpy as np
import pytest

from headtohead.batches.augmentation import (
    OTHERS_TOO,
    POLICIES,
    augment,
    build_policy,
    describe_policy,
    drop_sequences,
    droppable,
    refuse_by_task,
)
from headtohead.errors import UserError
from headtohead.options.declaring import description_of
from headtohead.options.table import OPTIONS, from_flat
from headtohead.readers.lgg import TASK as LGG_TASK
from headtohead.readers.nifti import TASK as NIFTI_TASK
from headtohead.task import Task

SIDE = 48


def test_the_option_offers_exactly_the_policies() -> None:
    assert sorted(description_of(OPTIONS["augmentation"]).choices) == sorted(POLICIES)


@pytest.mark.parametrize("name", POLICIES)
@pytest.mark.parametrize("channels", [3, 5])
def test_mask_moves_with_the_image(name: str, channels: int) -> None:
    mask = np.zeros((SIDE, SIDE), np.uint8)
    mask[8:20, 12:40] = 1
    mask[20:30, 12:18] = 1  # an L, which no flip or rotation maps onto itself
    policy = build_policy(name)
    for seed in range(20):
        policy.set_random_seed(seed)
        moved = policy(image=np.repeat(40 + 160 * mask[..., None], channels, axis=-1), mask=mask)
        assert moved["image"].shape == (SIDE, SIDE, channels)
        assert moved["image"].dtype == moved["mask"].dtype == np.uint8
        assert set(np.unique(moved["mask"])) == {0, 1}
        for channel in range(channels):
            bright = moved["image"][..., channel] > 110
            assert np.count_nonzero(bright != moved["mask"]) < 0.15 * moved["mask"].sum()


@pytest.mark.parametrize("name", sorted(set(POLICIES) - {"none"}))
def test_a_policy_changes_images(name: str) -> None:
    image = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
    policy, seen = build_policy(name), set()
    for seed in range(20):
        policy.set_random_seed(seed)
        seen.add(policy(image=image, mask=image[..., 0])["image"].tobytes())
    assert len(seen) > 1


def test_none_changes_nothing() -> None:
    image = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
    given = build_policy("none")(image=image, mask=image[..., 0])
    assert (given["image"] == image).all() and (given["mask"] == image[..., 0]).all()


def test_policies_are_described() -> None:
    assert describe_policy("none") == []
    assert describe_policy("flips") == ["HorizontalFlip p=0.5", "VerticalFlip p=0.5"]
    assert "Affine p=0.8" in describe_policy("standard")


def test_the_network_is_not_asked_for_a_newer_version() -> None:
    assert os.environ["NO_ALBUMENTATIONS_UPDATE"] == "1"


@pytest.fixture
def view() -> np.ndarray:
    return np.arange(2 * 2 * 5, dtype=np.uint8).reshape(2, 2, 5)


STATISTICS = np.arange(10, dtype=np.float32).reshape(5, 2)
LOST = droppable(LGG_TASK)
(POST, _), (PRE, _) = LOST


def test_dropout_replaces_pixels_and_statistics_together(view: np.ndarray) -> None:
    original, rng, seen = view.copy(), np.random.default_rng(0), set()
    for _ in range(200):
        image, statistics = drop_sequences(view, STATISTICS, 0.5, rng, LOST)
        replaced = tuple(channel for channel in range(5) if (image[..., channel] != original[..., channel]).any())
        seen.add(replaced)
        for channel in range(5):
            source = LGG_TASK.primary_channel if channel in replaced else channel
            assert (image[..., channel] == original[..., source]).all()
            assert (statistics[channel] == STATISTICS[source]).all()
    assert seen == {(), (POST,), (PRE, POST)}
    assert (view == original).all(), "the cohort's own pixels must stay"
    assert (np.arange(10).reshape(5, 2) == STATISTICS).all()


@pytest.mark.parametrize("chance", [0.0, 0.25, 1.0])
def test_dropout_comes_as_often_as_asked(view: np.ndarray, chance: float) -> None:
    rng, n = np.random.default_rng(1), 4000
    drawn = [drop_sequences(view, STATISTICS, chance, rng, LOST)[1] for _ in range(n)]
    post = np.mean([(statistics[POST] != STATISTICS[POST]).any() for statistics in drawn])
    pre = np.mean([(statistics[PRE] != STATISTICS[PRE]).any() for statistics in drawn])
    assert post == pytest.approx(chance, abs=0.03)
    assert pre == pytest.approx(chance * OTHERS_TOO, abs=0.03)


def test_what_follows_does_not_depend_on_the_chance(view: np.ndarray) -> None:
    following = []
    for chance in (0.0, 1.0):
        rng = np.random.default_rng(3)
        drop_sequences(view, STATISTICS, chance, rng, LOST)
        following.append(rng.random())
    assert following[0] == following[1]


def test_one_channel_has_no_sequence_to_drop_and_draws_as_often(view: np.ndarray) -> None:
    rng = np.random.default_rng(3)
    image, statistics = drop_sequences(view[..., :1], STATISTICS[:1], 1.0, rng, LOST)
    assert (image == view[..., :1]).all() and (statistics == STATISTICS[:1]).all()
    other = np.random.default_rng(3)
    drop_sequences(view, STATISTICS, 0.0, other, LOST)
    assert rng.random() == other.random()


@pytest.mark.parametrize("name", POLICIES)
def test_every_policy_takes_one_channel(name: str) -> None:
    image = np.random.default_rng(0).integers(0, 256, (32, 32, 1), dtype=np.uint8)
    for _ in range(5):
        augmented = build_policy(name)(image=image, mask=image[..., 0] // 128)
        assert augmented["image"].shape == (32, 32, 1) and augmented["image"].dtype == np.uint8
        assert augmented["mask"].shape == (32, 32)


@pytest.mark.parametrize(
    ("options", "task", "words"),
    [
        ({"sequence_dropout": 0.5}, NIFTI_TASK, "`sequence_dropout`: no sequence of NIfTI volumes with masks may be"),
        (
            {"channel_order": "bgr"},
            NIFTI_TASK,
            "`channel_order`: is of three sequences; NIfTI volumes with",
        ),
        ({"sequence_dropout": 0.5, "channel_order": "bgr"}, LGG_TASK, ""),
        ({"sequence_dropout": 0.0, "channel_order": "rgb"}, NIFTI_TASK, ""),
    ],
)
def test_flags_that_the_sequences_make_useless_are_refused(options: dict[str, Any], task: Task, words: str) -> None:
    given = from_flat(options, given=options)
    if not words:
        refuse_by_task(given, task)
        return
    with pytest.raises(UserError, match=words):
        refuse_by_task(given, task)
    refuse_by_task(from_flat(options), task)  # a config file may serve several data sets


@pytest.mark.parametrize("name", POLICIES)
def test_more_than_eight_bits_are_augmented_alike(name: str) -> None:
    rng = np.random.default_rng(0)
    image = rng.integers(40, 200, (SIDE, SIDE, 3), dtype=np.uint8)
    mask = (rng.random((SIDE, SIDE, 1)) > 0.5).astype(np.uint8)
    found = []
    for view in (image, image.astype(np.float32)):
        policy = build_policy(name)
        policy.set_random_seed(3)
        found.append(augment(policy, view, mask))
    assert (found[0][0].dtype, found[1][0].dtype) == (np.uint8, np.float32)
    assert np.abs(found[0][0].astype(float) - found[1][0]).max() <= 3, "each step rounds 8 bits"
    np.testing.assert_array_equal(found[0][1], found[1][1])


def test_the_policy_of_buda_scales_turns_and_flips_within_its_bounds() -> None:
    """Read off where three marks of the image go: no corner may leave what scale, angle and flip allow."""
    side = 101
    marks = np.array([[50, 50], [50, 80], [20, 50]])  # centre, right of it, above it
    image = np.zeros((side, side, 3), np.uint8)
    for channel, (row, column) in enumerate(marks):
        image[row - 2 : row + 3, column - 2 : column + 3, channel] = 255
    policy, scales, angles, flips = build_policy("buda"), [], [], []
    for seed in range(300):
        policy.set_random_seed(seed)
        moved = policy(image=image, mask=image[..., :1])["image"].astype(float)
        rows, columns = np.mgrid[:side, :side]
        centre, right, above = (
            np.array([(rows * one).sum(), (columns * one).sum()]) / one.sum() for one in np.moveaxis(moved, 2, 0)
        )
        assert centre == pytest.approx([50, 50], abs=1)  # nothing is shifted
        flips.append((right - centre)[1] < 0)
        scales += [np.linalg.norm(one - centre) / 30 for one in (right, above)]
        angles.append(np.degrees(np.arcsin((above - centre)[1] / np.linalg.norm(above - centre))))
    assert 0.94 < min(scales) < 0.96 and 1.04 < max(scales) < 1.06
    assert -16 < min(angles) < -13 and 13 < max(angles) < 16
    assert np.mean(flips) == pytest.approx(0.5, abs=0.1)
