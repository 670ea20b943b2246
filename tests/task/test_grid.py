"""Grids: spacing, slices, and whether two are one; cases lie on theirs."""

import numpy as np
import pytest

from headtohead.task import Case, Grid

AFFINE = np.diag([2.0, 1.0, 5.0, 1.0])


def test_spacing_is_that_of_the_affine() -> None:
    assert Grid((4, 5, 6), AFFINE).spacing == (2, 1, 5)
    assert Grid((4, 5, 6)).spacing is None


def test_slices_lie_across_the_coarsest_axis() -> None:
    view = Grid((4, 5, 6), AFFINE).slices()
    assert view is not None
    assert view.plane == "axial"
    assert view.slice_axis == 2
    assert Grid((4, 5, 6)).slices() is None


def test_a_grid_is_that_of_its_rounded_copy_and_of_no_other() -> None:
    grid = Grid((4, 5, 6), AFFINE)
    rounded, moved = AFFINE.copy(), AFFINE.copy()
    rounded[0, 3], moved[0, 3] = 0.09, 0.11
    assert grid.is_that_of(Grid((4, 5, 6), rounded))
    assert not grid.is_that_of(Grid((4, 5, 6), moved))
    assert not grid.is_that_of(Grid((4, 5, 7), AFFINE))
    assert not grid.is_that_of(Grid((4, 5, 6)))
    assert Grid((4, 5, 6)).is_that_of(Grid((4, 5, 6)))


@pytest.mark.parametrize("shape", [(4, 0, 6), (4, 5)])
def test_no_grid_without_voxels(shape: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="not a grid of three axes"):
        Grid(shape)


def test_no_grid_without_three_directions() -> None:
    with pytest.raises(ValueError, match="no inverse"):
        Grid((4, 5, 6), np.zeros((4, 4)))


def test_a_case_lies_on_its_grid() -> None:
    grid, images = Grid((2, 3, 4)), np.zeros((2, 3, 4, 1), np.uint8)
    assert Case("a", images, grid, np.zeros((2, 3, 4), np.uint8)).labels is not None
    with pytest.raises(ValueError, match=r"a: images \(2, 3, 4\) do not lie on the grid"):
        Case("a", images[..., 0], grid)
    with pytest.raises(ValueError, match="a: labels"):
        Case("a", images, grid, np.zeros((2, 3, 3), np.uint8))
