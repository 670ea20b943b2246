from itertools import permutations, product

import nibabel
import numpy as np
import pytest

from headtohead.task.slicing import PLANES, slicing

SHAPE = (3, 4, 5)
VOLUME = np.arange(60, dtype=np.int16).reshape(SHAPE)


def straight(*steps: float) -> np.ndarray:
    """An affine whose axes run right, front and head."""
    return np.diag([*steps, 1.0])


def tilted(angle: float, steps: tuple[float, float, float]) -> np.ndarray:
    """An affine turned about two axes by `angle` degrees."""
    cos, sin = np.cos(np.deg2rad(angle)), np.sin(np.deg2rad(angle))
    affine = np.eye(4)
    about_z = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])
    about_x = np.array([[1, 0, 0], [0, cos, -sin], [0, sin, cos]])
    affine[:3, :3] = about_z @ about_x @ np.diag(steps)
    affine[:3, 3] = 7, -8, 9
    return affine


def copies(values: np.ndarray, affine: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """The same volume stored in all 48 ways: any order of the axes, any of them reversed."""
    found = []
    for order, signs in product(permutations(range(3)), product((1, -1), repeat=3)):
        turn = np.array([[axis, sign] for axis, sign in zip(np.argsort(order), signs, strict=True)])
        moved = nibabel.Nifti1Image(values, affine).as_reoriented(turn)
        found.append((np.asarray(moved.dataobj), moved.affine))
    return found


@pytest.mark.parametrize("plane", PLANES)
def test_slices_rows_and_columns_run_where_the_plane_says(plane: str) -> None:
    """Nibabel is asked for the same axes; it knows nothing of ours."""
    affine = straight(1, 2, 3)
    wanted = nibabel.orientations.axcodes2ornt(PLANES[plane])
    start = nibabel.orientations.io_orientation(affine)
    turn = nibabel.orientations.ornt_transform(start, wanted)
    expected = nibabel.orientations.apply_orientation(VOLUME, turn)
    found = slicing(affine, plane=plane)
    np.testing.assert_array_equal(found.to_slices(VOLUME), expected)
    assert found.codes == PLANES[plane]
    assert found.plane == plane


def test_an_axial_slice_has_the_front_on_top_and_the_left_of_the_patient_on_the_right() -> None:
    """The grid runs right, front, head."""
    slices = slicing(straight(1, 1, 1), plane="axial").to_slices(VOLUME)
    assert slices.shape == (5, 4, 3)
    assert slices[0, 0, 2] == VOLUME[0, 3, 0]
    assert slices[4, 3, 0] == VOLUME[2, 0, 4]


@pytest.mark.parametrize("plane", [*PLANES, "acquired"])
@pytest.mark.parametrize("angle", [0, 10, 30, 45, 80])
@pytest.mark.parametrize("steps", [(1, 1, 1), (3, 1, 1), (1.1, 2, 1.1), (1, 3, 3), (1, 1, 5)])
def test_every_way_of_storing_a_volume_gives_the_same_slices(
    plane: str, angle: float, steps: tuple[float, ...]
) -> None:
    affine = tilted(angle, steps)
    first = slicing(affine, plane=plane)
    expected = first.to_slices(VOLUME)
    for values, own in copies(VOLUME, affine):
        found = slicing(own, plane=plane)
        np.testing.assert_array_equal(found.to_slices(values), expected)
        np.testing.assert_array_equal(found.to_grid(expected), values)
        np.testing.assert_allclose(found.spacing, first.spacing)
        assert found.spacing[0] == pytest.approx(np.linalg.norm(own[:3, found.slice_axis]))


def test_the_way_back_is_exact_and_copies_nothing() -> None:
    way = slicing(np.array([[0, 0, -2, 0], [1, 0, 0, 0], [0, -3, 0, 0], [0, 0, 0, 1.0]]), plane="coronal")
    slices = way.to_slices(VOLUME)
    np.testing.assert_array_equal(way.to_grid(slices), VOLUME)
    assert np.shares_memory(way.to_grid(slices), VOLUME)


def test_channels_stay_last() -> None:
    colours = np.stack([VOLUME, VOLUME + 100], axis=-1)
    way = slicing(straight(1, 3, 1), plane="sagittal")
    np.testing.assert_array_equal(way.to_slices(colours)[..., 1], way.to_slices(VOLUME) + 100)
    np.testing.assert_array_equal(way.to_grid(way.to_slices(colours)), colours)


@pytest.mark.parametrize(
    ("steps", "plane"),
    [
        ((1, 1, 1.2), "axial"),
        ((1, 1.2, 1), "axial"),
        ((1, 1.21, 1), "coronal"),
        ((3.3, 1, 1), "sagittal"),
        ((0.5, 1.0, 4.0), "axial"),
        ((2, 2, 1), "coronal"),
    ],
)
def test_the_acquired_plane_lies_across_the_coarsest_spacing(steps: tuple[float, ...], plane: str) -> None:
    assert slicing(straight(*steps)).plane == plane


def test_a_single_slice_is_a_slice_whatever_its_thickness() -> None:
    assert slicing(straight(1, 1, 1), shape=(9, 1, 9)).plane == "coronal"
    assert slicing(straight(5, 1, 1), shape=(9, 9, 1)).plane == "axial"
    assert slicing(straight(5, 1, 1), shape=(9, 1, 1)).plane == "sagittal"  # two of them: the spacing decides


@pytest.mark.parametrize("affine", [np.zeros((4, 4)), straight(1, 1, 0), straight(1, np.nan, 1), np.ones((4, 4))])
def test_an_affine_without_an_inverse_is_refused(affine: np.ndarray) -> None:
    with pytest.raises(ValueError, match="no inverse"):
        slicing(affine)
