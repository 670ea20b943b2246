import numpy as np
import pytest

from headtohead.cohort.intensities import to_bytes


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
    assert to_bytes(np.array([-5, np.nan, np.inf, -np.inf, 1e-3, 1e-3])).tolist() == [0, 0, 0, 0, 255, 255]


@pytest.mark.parametrize("value", [0.0, -3.0, np.nan])
def test_without_a_positive_voxel_all_is_nothing(value: float) -> None:
    assert not to_bytes(np.full((2, 3), value)).any()
