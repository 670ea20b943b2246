import numpy as np
import pytest

from headtohead.preparing.steps.square import MOST, Square, resized_labels, squared
from headtohead.task import Case, Grid


def case_of(values: np.ndarray, rows: float, columns: float, labels: np.ndarray | None = None) -> Case:
    """One slice or more with pixels of some size, 5 mm apart."""
    grid = Grid(values.shape, np.array([[0, 0, columns, 7], [0, rows, 0, -3], [5.0, 0, 0, 0], [0, 0, 0, 1]]))
    return Case("a", values[..., None], grid, labels)


def test_nearly_square_pixels_are_left_alone() -> None:
    case = case_of(np.ones((2, 4, 6), np.float32), 1.0, 1.01)
    after, undo = Square().apply(case)
    assert after is case
    values = case.images[..., 0]
    assert undo(values) is values


@pytest.mark.parametrize(
    ("rows", "columns", "after"),
    [(2.0, 1.0, (40, 30)), (1.0, 2.0, (20, 60)), (1.0, 1.5, (20, 45)), (3.3, 1.1, (60, 30))],
)
def test_the_finer_side_is_kept(rows: float, columns: float, after: tuple[int, int]) -> None:
    assert squared((20, 30), rows, columns) == after
    found, _ = Square().apply(case_of(np.ones((2, 20, 30), np.float32), rows, columns))
    assert found.grid.shape == (2, *after)
    assert found.grid.spacing == pytest.approx((5, 20 * rows / after[0], 30 * columns / after[1]))


def test_pixels_without_end_are_not_made() -> None:
    after = squared((100, 100), 1.0, 1000.0)
    assert max(after) == MOST and min(after) == 2
    assert squared((1, 1), 1e-6, 1e6) == (1, MOST)
    assert squared((3000, 3000), 2.0, 1.0) == (3000, 1500)  # larger than that already: the coarser side


@pytest.mark.parametrize(("rows", "columns"), [(3.0, 1.0), (1.0, 2.5), (1.0, 400.0)])
def test_what_lies_somewhere_stays_there(rows: float, columns: float) -> None:
    """A ramp has at every place the value that tells the place, so a shift by a tenth of a pixel would show."""
    ramp = np.add.outer(np.arange(40) * rows, np.arange(50) * columns).astype(np.float32)
    case, undo = Square().apply(case_of(ramp[None], rows, columns))
    assert case.grid.affine is not None
    places = np.stack(np.meshgrid(*map(np.arange, case.grid.shape[1:]), indexing="ij"))
    world = np.tensordot(case.grid.affine[:3, 1:3], places, 1) + case.grid.affine[:3, 3, None, None]
    expected = (world[0] - 7) + (world[1] + 3)  # the grid says where the pixels lie now
    inner = slice(4, -4)
    found = case.images[0, ..., 0]
    np.testing.assert_allclose(found[inner, inner], expected[inner, inner], rtol=1e-4, atol=0.05 * max(rows, columns))
    back = undo(case.images[..., 0])[0]
    np.testing.assert_allclose(back[inner, inner], ramp[inner, inner], rtol=1e-4, atol=0.15 * max(rows, columns))


def test_bytes_stay_bytes() -> None:
    case, _ = Square().apply(case_of(np.full((1, 4, 4), 200, np.uint8), 2.0, 1.0))
    assert case.images.dtype == np.uint8 and (case.images == 200).all() and case.images.shape == (1, 8, 4, 1)


def test_labels_are_never_mixed() -> None:
    """Each pixel gets the label that most of it has, also beside labels of other numbers."""
    labels = np.zeros((6, 6), np.uint16)
    labels[:, 2:4], labels[:, 4:] = 4, 300
    found = resized_labels(labels, (6, 18))
    assert set(np.unique(found)) == {0, 4, 300}
    np.testing.assert_array_equal(found, np.repeat(labels, 3, axis=1))
    case, _ = Square().apply(case_of(np.ones((1, 6, 6), np.float32), 1.0, 3.0, labels[None]))
    np.testing.assert_array_equal(case.labels, found[None])


def test_of_one_label_the_majority_counts() -> None:
    found = resized_labels(np.array([[0, 1, 1, 1, 0, 0]], np.uint8), (1, 2))
    assert found.tolist() == [[1, 0]]
