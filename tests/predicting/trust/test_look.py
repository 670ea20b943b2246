"""What is measured of a volume: known answers on drawn heads, and the units it must not depend on."""

from itertools import permutations

import numpy as np
import pytest

from headtohead.predicting.trust.familiarity import LEVELS, look_at


def drawn(slices: int = 8, side: int = 128, seed: int = 0) -> np.ndarray:
    """Three sequences of a bright disk in dark air, its brain darker to the middle: uint8 [slices, side, side, 3]."""
    rng = np.random.default_rng(seed)
    rows, columns = np.ogrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j]
    radius = np.sqrt(rows**2 + columns**2)
    head = np.where(radius < 0.7, 80 + 60 * radius, 0)[None, ..., None] * np.array([1.0, 0.8, 1.2])
    return np.clip(head + rng.normal(0, 6, (slices, side, side, 3)) + 10, 0, 255).astype(np.uint8)


def test_a_drawn_head() -> None:
    seen = look_at(drawn(slices=20), 1)
    assert not seen.missing
    assert seen.head == pytest.approx(np.pi * 0.35**2, rel=0.1)
    assert 0.2 < seen.texture < 1
    assert seen.levels.shape == (3, LEVELS) and seen.alike.shape == (3, 3)
    assert (seen.levels[:, 2] > 1).all(), "the air is darker"


def test_units_of_the_scanner_change_nothing() -> None:
    volume = drawn()
    here, other = look_at(volume, 1), look_at(volume.astype(np.float32) * 37.5, 1)
    assert here.head == pytest.approx(other.head, abs=0.02)
    assert here.numbers(range(3)) == pytest.approx(other.numbers(range(3)), rel=0.1, abs=0.1)


def test_the_size_of_the_image_changes_little() -> None:
    assert look_at(drawn(side=128), 1).head == pytest.approx(look_at(drawn(side=256), 1).head, abs=0.03)


def test_what_is_missing_is_a_copy_of_flair() -> None:
    volume = drawn()
    for copies in ((), (0,), (2,), (0, 2)):
        given = volume.copy()
        given[..., list(copies)] = given[..., 1:2]
        seen = look_at(given, 1)
        assert np.flatnonzero(np.isnan(seen.levels).all(axis=1)).tolist() == list(copies)
        assert seen.missing == bool(copies)
        assert np.isfinite(seen.numbers(range(3))).sum() == {0: 15, 1: 9, 2: 4}[len(copies)]
    assert not look_at(volume[..., :1], 0).missing


def test_noise_is_told_by_its_texture() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (4, 64, 64, 3), np.uint8)
    assert abs(look_at(noise, 1).texture) < 0.1


@pytest.mark.parametrize("shape", [(1, 1, 1, 1), (1, 1, 1, 3), (1, 300, 2, 3), (2, 3, 500, 1), (1, 7, 7, 3)])
@pytest.mark.parametrize("value", [0, 9])
def test_whatever_comes_is_measured(shape: tuple[int, ...], value: int) -> None:
    for volume in (np.full(shape, value, np.uint8), np.full(shape, -value, np.float32)):
        seen = look_at(volume, shape[-1] // 2)
        assert seen.missing or np.isfinite(seen.numbers(range(shape[-1]))).all()
        assert np.isfinite([seen.head, seen.texture]).all()


def test_reordering_is_that_of_the_channels() -> None:
    volume = drawn(seed=3)
    volume[..., 2] = np.roll(volume[..., 1], 5, axis=1) // 2 + 20
    seen = look_at(volume, 1)
    for order in permutations(range(3)):
        assert seen.numbers(order) == pytest.approx(look_at(volume[..., list(order)], 1).numbers(range(3)))
    assert len({tuple(seen.numbers(order)) for order in permutations(range(3))}) == 6
