"""What is computed from counts of grey values is what NumPy computes from the pixels themselves."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headtohead.preparing import greys
from headtohead.preparing.greys import count_greys, mean_and_deviation, percentiles


@given(seed=st.integers(0, 2**32 - 1), size=st.tuples(*[st.integers(1, 9)] * 3), brightest=st.integers(0, 255))
def test_as_from_the_pixels(seed: int, size: tuple[int, int, int], brightest: int) -> None:
    rng = np.random.default_rng(seed)
    images = rng.integers(0, brightest + 1, (*size, 3), dtype=np.uint8)
    region = rng.random(size) < 0.5
    region.flat[0] = True
    for where in (None, region):
        pixels = images.reshape(-1, 3) if where is None else images[where]
        counts = count_greys(images, where)
        shares = (0, 2, 10, 50, 90, 99.5, 100)
        np.testing.assert_allclose(percentiles(counts, shares), np.percentile(pixels, shares, axis=0), atol=1e-9)
        mean, deviation = mean_and_deviation(counts)
        np.testing.assert_allclose(mean, pixels.mean(axis=0), atol=1e-9)
        np.testing.assert_allclose(deviation, pixels.std(axis=0), atol=1e-9)


def test_a_volume_of_more_pixels_than_are_counted_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    images = np.random.default_rng(0).integers(0, 256, (7, 5, 6, 2), dtype=np.uint8)
    region = images[..., 0] > 99
    whole = count_greys(images, region)
    monkeypatch.setattr(greys, "AT_ONCE", 2 * 5 * 6)
    assert (count_greys(images, region) == whole).all()
    assert whole.sum(axis=1).tolist() == [region.sum()] * 2


def test_slices_that_do_not_lie_one_after_the_other_in_memory() -> None:
    images = np.random.default_rng(0).integers(0, 256, (8, 9, 4, 3), dtype=np.uint8)
    view = images.transpose(2, 1, 0, 3)[::-1]
    assert (count_greys(view, view[..., 1] > 50) == count_greys(view.copy(), view.copy()[..., 1] > 50)).all()


def test_sixteen_bits_are_counted_as_exactly() -> None:
    images = np.random.default_rng(0).integers(0, 2**16, (3, 40, 30, 2), dtype=np.uint16)
    counts = count_greys(images)
    assert counts.shape == (2, 2**16)
    np.testing.assert_allclose(
        percentiles(counts, (10, 50, 99.9)), np.percentile(images.reshape(-1, 2), (10, 50, 99.9), axis=0), atol=1e-9
    )
    np.testing.assert_allclose(mean_and_deviation(counts)[1], images.reshape(-1, 2).std(axis=0))
