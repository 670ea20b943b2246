import numpy as np
import pytest

from headtohead.preparing.intensities import EIGHT, WHITE, bright_end, to_bytes, to_depth, to_eight_bits


@pytest.mark.parametrize("kind", [np.uint8, np.int16, np.uint16, np.float32, np.float64])
def test_nothing_stays_nothing_and_the_brightest_is_white(kind: type) -> None:
    found = to_bytes(np.linspace(0, 120, 2401).astype(kind))
    assert found.dtype == np.uint8
    assert (found[0], found[-1]) == (0, 255)
    assert (np.diff(found.astype(int)) >= 0).all()
    assert abs(int(found[1200]) - 128) <= 3


def test_a_few_hot_voxels_do_not_darken_the_rest() -> None:
    volume = np.full((20, 20, 20), 50.0)
    volume[0, 0, :5] = 1e6
    assert (to_bytes(volume)[1:] == 255).all()


def test_only_positive_voxels_have_a_say_in_what_is_white() -> None:
    volume = np.arange(1.0, 101)
    np.testing.assert_array_equal(to_bytes(np.concatenate([np.zeros(10_000), volume]))[10_000:], to_bytes(volume))


def test_what_is_negative_or_no_number_is_nothing() -> None:
    assert to_bytes(np.array([-5, np.nan, np.inf, -np.inf, 1e300, 1e-3, 1e-3])).tolist() == [0, 0, 0, 0, 0, 255, 255]


@pytest.mark.parametrize("value", [0.0, -3.0, np.nan])
def test_without_a_positive_voxel_all_is_nothing(value: float) -> None:
    assert not to_bytes(np.full((2, 3), value)).any()


@pytest.mark.parametrize("kind", [np.uint8, np.int16, np.float32])
@pytest.mark.parametrize("size", [1, 2, 3, 700, 100_000])
def test_white_is_the_percentile_of_the_positive_voxels(kind: type, size: int) -> None:
    rng = np.random.default_rng(size)
    values = (rng.gamma(2, 20, size) - 10).clip(-5, 250).astype(kind)
    values[0] = 7
    assert bright_end(values) == pytest.approx(np.percentile(values[values > 0].astype(np.float64), WHITE))
    assert bright_end(values.reshape(1, size, 1).transpose(2, 1, 0)) == bright_end(values)


def test_white_is_found_where_a_sample_misleads() -> None:
    values = np.ones(100_000, np.float32)
    values[:: len(values) // 4096] = 1000  # just the voxels that are looked at first
    values[1::7] = np.linspace(1, 900, len(values[1::7]))
    assert bright_end(values) == pytest.approx(np.percentile(values.astype(np.float64), WHITE), rel=1e-6)
    values[:: len(values) // 4096] = 1e-9
    assert bright_end(values) == pytest.approx(np.percentile(values.astype(np.float64), WHITE), rel=1e-6)


def test_a_tiny_unit_is_a_unit() -> None:
    values = np.linspace(0, 1, 500, dtype=np.float32)
    assert (to_bytes(values * np.float32(1e-42)) > 200).any()
    np.testing.assert_array_equal(to_bytes(values * np.float32(2.0**-120)), to_bytes(values))


def test_each_channel_is_stored_by_its_own_white_in_the_depth_asked_for() -> None:
    volume = np.stack([np.linspace(0, 4095, 4096), np.linspace(0, 1e-3, 4096)], axis=-1)[None, None]
    bytes_, words = (to_depth(volume, depth) for depth in (EIGHT, np.dtype(np.uint16)))
    assert (bytes_.dtype, words.dtype) == (np.uint8, np.uint16)
    assert len(np.unique(bytes_[..., 0])) == 256 and len(np.unique(words[..., 0])) > 4090
    np.testing.assert_array_equal(bytes_[..., 0], to_bytes(volume[..., 0]))
    assert np.abs(to_eight_bits(words).astype(int) - bytes_).max() <= 1


def test_bytes_keep_their_levels_in_either_depth() -> None:
    volume = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1) // 2
    assert to_depth(volume, EIGHT) is volume
    np.testing.assert_array_equal(to_eight_bits(to_depth(volume, np.dtype(np.uint16))), volume)
