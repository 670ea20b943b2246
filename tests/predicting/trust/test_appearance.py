"""What is measured of a volume: known answers on drawn heads, and the units it must not depend on."""

from itertools import permutations

import numpy as np
import pytest

from headtohead.predicting.trust.appearance import LEVELS, look_at, pairs_of, reordered, without


def drawn(slices: int = 8, side: int = 128, seed: int = 0) -> np.ndarray:
    """Three sequences of a bright disk in dark air, its brain darker to the middle: uint8 [slices, side, side, 3]."""
    rng = np.random.default_rng(seed)
    rows, columns = np.ogrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j]
    radius = np.sqrt(rows**2 + columns**2)
    head = np.where(radius < 0.7, 80 + 60 * radius, 0)[None, ..., None] * np.array([1.0, 0.8, 1.2])
    return np.clip(head + rng.normal(0, 6, (slices, side, side, 3)) + 10, 0, 255).astype(np.uint8)


def test_a_drawn_head() -> None:
    seen = look_at(drawn(slices=20), 1)
    assert (seen.slices, seen.side, seen.missing) == (20, 128, ())
    assert seen.head == pytest.approx(np.pi * 0.35**2, rel=0.1)
    assert seen.symmetry > 0.9
    assert 0.2 < seen.texture < 1
    assert len(seen.grey) == 3 * LEVELS + 3
    assert (seen.grey[: 3 * LEVELS].reshape(3, LEVELS)[:, 2] > 1).all(), "the air is darker"


def test_units_of_the_scanner_change_nothing() -> None:
    volume = drawn()
    here, other = look_at(volume, 1), look_at(volume.astype(np.float32) * 37.5, 1)
    assert here.head == pytest.approx(other.head, abs=0.02)
    assert here.grey == pytest.approx(other.grey, rel=0.1, abs=0.1)


def test_the_size_of_the_image_changes_little() -> None:
    assert look_at(drawn(side=128), 1).head == pytest.approx(look_at(drawn(side=256), 1).head, abs=0.03)


def test_what_is_missing_is_a_copy_of_flair() -> None:
    volume = drawn()
    for copies in ((), (0,), (2,), (0, 2)):
        given = volume.copy()
        given[..., list(copies)] = given[..., 1:2]
        assert look_at(given, 1).missing == copies
    assert look_at(volume[..., :1], 0).missing == ()


def test_noise_is_told_by_its_texture_and_half_a_head_by_its_symmetry() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (4, 64, 64, 3), np.uint8)
    assert abs(look_at(noise, 1).texture) < 0.1
    half = drawn()
    rows, columns = np.ogrid[:128, :128]
    half[:, rows > columns] = 10
    assert look_at(half, 1).symmetry < look_at(drawn(), 1).symmetry - 0.2


@pytest.mark.parametrize("shape", [(1, 1, 1, 1), (1, 1, 1, 3), (1, 300, 2, 3), (2, 3, 500, 1), (1, 7, 7, 3)])
@pytest.mark.parametrize("value", [0, 9])
def test_whatever_comes_is_measured(shape: tuple[int, ...], value: int) -> None:
    for volume in (np.full(shape, value, np.uint8), np.full(shape, -value, np.float32)):
        seen = look_at(volume, shape[-1] // 2)
        assert np.isfinite(seen.grey).all() and np.isfinite([seen.head, seen.texture, seen.symmetry]).all()


def test_reordering_is_that_of_the_channels() -> None:
    volume = drawn(seed=3)
    volume[..., 2] = np.roll(volume[..., 1], 5, axis=1) // 2 + 20
    seen = look_at(volume, 1)
    for order in permutations(range(3)):
        assert reordered(seen.grey, order) == pytest.approx(look_at(volume[..., list(order)], 1).grey)
    assert len(set(map(tuple, (reordered(seen.grey, order) for order in permutations(range(3)))))) == 6


def test_without_a_sequence_its_numbers_and_pairs_are_gone() -> None:
    assert pairs_of(3) == [(0, 1), (0, 2), (1, 2)]
    assert without(3, ()).all() and without(1, ()).tolist() == [True] * LEVELS
    assert without(3, (2,)).tolist() == [True] * 2 * LEVELS + [False] * LEVELS + [True, False, False]
    assert without(3, (0, 2)).sum() == LEVELS
