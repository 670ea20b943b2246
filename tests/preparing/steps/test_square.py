import numpy as np
import pytest

from headtohead.preparing.steps.square import MOST, squaring


def test_nearly_square_pixels_are_left_alone() -> None:
    way = squaring((4, 6), 1.0, 1.01)
    slices = np.ones((2, 4, 6), np.float32)
    assert way.after == (4, 6)
    assert way.back(slices) is slices
    assert way.there(slices[0]).shape == (4, 6)


@pytest.mark.parametrize(
    ("rows", "columns", "after"),
    [(2.0, 1.0, (40, 30)), (1.0, 2.0, (20, 60)), (1.0, 1.5, (20, 45)), (3.3, 1.1, (60, 30))],
)
def test_the_finer_side_is_kept(rows: float, columns: float, after: tuple[int, int]) -> None:
    assert squaring((20, 30), rows, columns).after == after


def test_pixels_without_end_are_not_made() -> None:
    way = squaring((100, 100), 1.0, 1000.0)
    assert max(way.after) == MOST and min(way.after) == 2
    assert squaring((1, 1), 1e-6, 1e6).after == (1, MOST)
    assert squaring((3000, 3000), 2.0, 1.0).after == (3000, 1500)  # larger than that already: the coarser side


@pytest.mark.parametrize(("rows", "columns"), [(3.0, 1.0), (1.0, 2.5), (1.0, 400.0)])
def test_what_lies_somewhere_stays_there(rows: float, columns: float) -> None:
    """A ramp has at every place the value that tells the place, so a shift by a tenth of a pixel would show."""
    size = (40, 50)
    ramp = np.add.outer(np.arange(40) * rows, np.arange(50) * columns).astype(np.float32)
    way = squaring(size, rows, columns)
    there = way.there(ramp)
    assert there.shape == way.after
    side = size[0] * rows / way.after[0], size[1] * columns / way.after[1]
    expected = np.add.outer(
        (np.arange(way.after[0]) + 0.5) * side[0] - rows / 2, (np.arange(way.after[1]) + 0.5) * side[1] - columns / 2
    )
    inner = slice(4, -4)
    np.testing.assert_allclose(there[inner, inner], expected[inner, inner], rtol=1e-4, atol=0.05 * max(rows, columns))
    back = way.back(there[None])[0]
    np.testing.assert_allclose(back[inner, inner], ramp[inner, inner], rtol=1e-4, atol=0.15 * max(rows, columns))


def test_bytes_stay_bytes() -> None:
    there = squaring((4, 4), 2.0, 1.0).there(np.full((4, 4), 200, np.uint8))
    assert there.dtype == np.uint8 and (there == 200).all() and there.shape == (8, 4)
