"""Oblique cases: level slices, every voxel at its place in the scanner, and the inverse."""

import nibabel
import numpy as np
import pytest

from headtohead.preparing.step import Undo
from headtohead.preparing.steps.level import THICK_TILTED, TILTED, TURNED, Level, needs_levelling, tilt_of
from headtohead.preparing.steps.reorient import Reorient
from headtohead.task import Case, Grid
from headtohead.task.slicing import WORLD, slicing

RIGHT, FRONT, UP = range(3)
CENTRES = np.array([[0, 0, 0], [22, 10, -6], [-14, 24, 8], [6, -30, 4]])
WIDTH = 7.0
"""Of the blobs at these centres, in mm."""


def rotation(axis: int, degrees: float) -> np.ndarray:
    one, other = (place for place in range(3) if place != axis)
    turn, angle = np.eye(3), np.deg2rad(degrees)
    turn[one, one] = turn[other, other] = np.cos(angle)
    turn[one, other], turn[other, one] = -np.sin(angle), np.sin(angle)
    return turn


def grid(turn: np.ndarray, shape: tuple[int, ...], steps: tuple[float, ...] = (1, 1, 2)) -> np.ndarray:
    """An affine whose grid's middle is the origin of the world."""
    affine = np.eye(4)
    affine[:3, :3] = turn * steps
    affine[:3, 3] = -affine[:3, :3] @ (np.array(shape) - 1) / 2
    return affine


def blobs(places: np.ndarray) -> np.ndarray:
    """What stands at places [..., 3] in the world: float32, from 0 to 200."""
    far = ((places[..., None, :] - CENTRES) ** 2).sum(axis=-1)
    return np.where(far < 12 * WIDTH**2, 200 * np.exp(-far / (2 * WIDTH**2)), 0).sum(axis=-1).astype(np.float32)


def places_of(affine: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    return np.moveaxis(np.indices(shape), 0, -1) @ affine[:3, :3].T + affine[:3, 3]


def level(affine: np.ndarray, values: np.ndarray, plane: str = "axial") -> tuple[Grid, Undo, np.ndarray, np.ndarray]:
    """The level grid, the inverse, the level slices, and where on the stored grid each of their voxels lies."""
    first, second, third = values.shape
    cut, _ = Reorient(plane).apply(Case("", values[..., None], Grid((first, second, third), affine)))
    found, undo = Level(plane).fitted(cut).apply(cut)
    assert found.grid.affine is not None
    stored = places_of(np.linalg.solve(affine, found.grid.affine), found.grid.shape)
    return found.grid, undo, found.images[..., 0], stored


@pytest.mark.parametrize("plane", ["axial", "coronal", "sagittal"])
@pytest.mark.parametrize(
    "turn",
    [rotation(UP, 20), rotation(RIGHT, -25), rotation(FRONT, 40) @ rotation(UP, 30), rotation(UP, -44)],
    ids=["turned", "tilted", "both", "much"],
)
def test_every_voxel_is_where_the_world_says(turn: np.ndarray, plane: str) -> None:
    shape = (90, 100, 40)
    affine = grid(turn, shape)
    onto, _, found, stored = level(affine, blobs(places_of(affine, shape)), plane)
    places = stored @ affine[:3, :3].T + affine[:3, 3]
    view = slicing(affine, plane=plane)
    for axis, code in enumerate(view.codes):
        step = np.diff(places, axis=axis).reshape(-1, 3)
        world = next(number for number, ways in enumerate(WORLD) if code in ways)
        expected = np.zeros(3)
        expected[world] = onto.spacing[axis] * (1 if code == WORLD[world][0] else -1)
        np.testing.assert_allclose(step, np.broadcast_to(expected, step.shape), atol=0.002)
    # Straight lines between voxels 2 mm apart miss the top of a blob by 200 / 7² / 2 at most.
    within = ((stored >= 0) & (stored <= np.array(shape) - 1)).all(axis=-1)
    np.testing.assert_allclose(found[within], blobs(places)[within], atol=4)
    assert found.max() > 190 and within.mean() > 0.5
    beyond = ((stored < -2) | (stored > np.array(shape) + 1)).any(axis=-1)
    assert beyond.any() and not found[beyond].any()


@pytest.mark.parametrize("turn", [rotation(UP, 30), rotation(RIGHT, 30)], ids=["turned", "tilted"])
def test_the_inverse(turn: np.ndarray) -> None:
    values = blobs(places_of(grid(turn, (90, 100, 50)), (90, 100, 50)))
    affine = grid(turn, values.shape)
    _, undo, found, _ = level(affine, values)
    back = slicing(affine, plane="axial").to_grid(undo(found))
    assert back.shape == values.shape and back.dtype == np.float32
    middle = (slice(20, 70), slice(20, 80), slice(10, 40))  # what is cut off near the corners does not come back
    np.testing.assert_allclose(back[middle], values[middle], atol=8)
    assert values[middle].max() > 190


def test_turned_within_its_slices_a_scan_keeps_them() -> None:
    """Each slice is what OpenCV makes of it alone: nothing is mixed between slices, however small their tilt."""
    values = np.random.default_rng(0).integers(1, 255, (40, 50, 6)).astype(np.uint8)
    affine = grid(rotation(RIGHT, 5) @ rotation(UP, 20), values.shape, (1, 1, 5))
    onto, _, found, _ = level(affine, values)
    assert found.dtype == np.uint8 and len(found) == 6 and onto.spacing == pytest.approx((5, 1, 1))
    other = values.copy()
    other[:, :, 3] = 255 - other[:, :, 3]
    _, _, changed, _ = level(affine, other)
    differs = (found != changed).any(axis=(1, 2))
    assert differs.tolist() == [False, False, False, True, False, False]


@pytest.mark.parametrize("turn", [rotation(UP, 20), rotation(RIGHT, 25) @ rotation(UP, -30)], ids=["turned", "both"])
def test_copies_with_other_axes_give_the_same_voxels(turn: np.ndarray) -> None:
    values = np.random.default_rng(0).normal(100, 30, (30, 34, 12)).astype(np.float32)
    image = nibabel.Nifti1Image(values, grid(turn, values.shape))
    _, _, expected, _ = level(image.affine, values)
    for order in ([0, 1, 2], [2, 0, 1], [1, 0, 2]):
        for signs in ([1, -1, 1], [-1, 1, -1]):
            copy = image.as_reoriented(np.column_stack([order, signs]))
            copy.set_qform(copy.affine, 1)
            affine = copy.header.get_qform()  # rounded, as a header rounds
            _, _, found, _ = level(affine, np.asarray(copy.dataobj))
            np.testing.assert_array_equal(found, expected)


def test_when_a_scan_is_levelled() -> None:
    def is_levelled(turn: np.ndarray, thickness: float = 2) -> bool:
        affine = grid(turn, (9, 9, 9), (1, 1, thickness))
        return needs_levelling(affine, slicing(affine, plane="axial"))

    assert not is_levelled(np.eye(3)) and not is_levelled(rotation(UP, 90)) and not is_levelled(rotation(FRONT, -180))
    limits = [(UP, TURNED, 2), (UP, TURNED, 5), (RIGHT, TILTED, 2), (FRONT, TILTED, 2), (RIGHT, THICK_TILTED, 5)]
    for axis, limit, thickness in limits:
        assert not is_levelled(rotation(axis, limit - 0.5), thickness)
        assert is_levelled(rotation(axis, limit + 0.5), thickness) and is_levelled(
            rotation(axis, -limit - 0.5), thickness
        )
    assert not is_levelled(rotation(RIGHT, 90 - TILTED + 0.5), 1) and is_levelled(rotation(RIGHT, 90 - TILTED - 0.5), 1)
    # Three directions that nearly lie in a plane are a damaged header's.
    assert not is_levelled(np.array([[1, 0.9, 0], [0, 0.05, 0], [0.4, 0.4, 1]]))


def test_angles() -> None:
    affine = grid(rotation(RIGHT, 20) @ rotation(UP, -12), (9, 9, 9))
    assert tilt_of(affine, slicing(affine, plane="axial")) == pytest.approx((20, 12), abs=0.5)
    assert tilt_of(affine, slicing(affine, plane="sagittal"))[0] == pytest.approx(12, abs=1)


@pytest.mark.parametrize("axis", [UP, RIGHT])
def test_an_enlarged_grid_becomes_as_large_as_what_it_holds(axis: int) -> None:
    """So a head is as large to the model as in the case that was turned."""
    turn, box = rotation(axis, 30), np.array([80, 80, 60])
    shape = tuple(np.ceil(np.abs(turn) @ box / (1, 1, 2)).astype(int).tolist())
    affine = grid(turn, shape)
    inside = (np.abs(places_of(affine, shape)) < box / 2).all(axis=-1)
    onto, _, _, _ = level(affine, np.where(inside, 50, 0).astype(np.uint8))
    np.testing.assert_allclose(np.array(onto.shape) * onto.spacing, box[::-1], atol=4)


def test_another_grid_keeps_its_size_and_no_head_is_cut() -> None:
    affine = grid(rotation(UP, 30), (80, 80, 10))
    small = np.zeros((80, 80, 10), np.uint8)
    small[30:50, 30:50] = 200
    assert level(affine, small)[0].shape == (10, 80, 80)
    # A head that reaches into the corners of its own grid.
    large = np.full((80, 80, 10), 200, np.uint8)
    large[:5] = large[-5:] = large[:, :5] = large[:, -5:] = 0
    onto, _, found, _ = level(affine, large)
    assert min(onto.shape[1:]) >= 94
    assert abs(int((found > 100).sum()) / int((large > 100).sum()) - 1) < 0.02
    assert level(affine, np.zeros_like(small))[0].shape == (10, 80, 80)


def test_pixels_are_square_and_not_too_many() -> None:
    affine = grid(rotation(UP, 30), (40, 40, 6), (1, 2, 5))
    onto, _, found, _ = level(affine, np.full((40, 40, 6), 9, np.uint8))
    assert onto.spacing == pytest.approx((5, 1, 1)) and found.shape == onto.shape
    affine = grid(rotation(UP, 30), (4, 4, 2), (1, 4000, 5))
    assert max(level(affine, np.full((4, 4, 2), 9, np.uint8))[0].shape) <= 2049


@pytest.mark.parametrize("turn", [rotation(UP, 30), rotation(RIGHT, 30)], ids=["turned", "tilted"])
def test_a_level_grid_has_not_many_more_voxels_than_the_file(monkeypatch: pytest.MonkeyPatch, turn: np.ndarray) -> None:
    values = np.zeros((80, 80, 10), np.uint8)
    values[5:-5, 5:-5] = 200  # a head that reaches into the corners
    affine = grid(turn, values.shape, (0.4, 0.4, 20))
    before, _, _, _ = level(affine, values)
    monkeypatch.setattr("headtohead.preparing.steps.level.MOST_VOXELS", 5000)
    after, _, found, _ = level(affine, values)
    assert np.prod(before.shape) > values.size >= np.prod(after.shape) and found.any()
    np.testing.assert_allclose(
        np.array(after.shape) * after.spacing, np.array(before.shape) * before.spacing, atol=max(after.spacing)
    )
