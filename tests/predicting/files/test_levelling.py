"""Oblique scans: level slices, every voxel at its place in the scanner, and the inverse."""

from dataclasses import replace
from pathlib import Path

import cv2
import nibabel
import numpy as np
import pytest

from headtohead.predicting.files.finding import find_jobs
from headtohead.predicting.files.levelling import (
    THICK_TILTED,
    TILTED,
    TURNED,
    Levelling,
    levelling,
    needs_levelling,
    tilt_of,
)
from headtohead.predicting.files.scans import read_scan
from headtohead.task.slicing import WORLD, slicing
from headtohead.trained.facts import ModelFacts
from tests.processes import printed_by

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


def level(affine: np.ndarray, values: np.ndarray, plane: str = "axial") -> tuple[Levelling, np.ndarray, np.ndarray]:
    """The way, the level slices, and where on the stored grid each of their voxels lies."""
    view = slicing(affine, plane=plane)
    slices = view.to_slices(values)
    way = levelling(affine, view, slices)
    own = np.moveaxis(np.indices(way.after), 0, -1) @ way.turn.T + way.start
    sizes = np.array(slices.shape)
    stored = np.empty_like(own)
    for place, axis in enumerate(view.axes):
        stored[..., axis] = sizes[place] - 1 - own[..., place] if view.flipped[place] else own[..., place]
    return way, way.there(slices), stored


@pytest.mark.parametrize("plane", ["axial", "coronal", "sagittal"])
@pytest.mark.parametrize(
    "turn",
    [rotation(UP, 20), rotation(RIGHT, -25), rotation(FRONT, 40) @ rotation(UP, 30), rotation(UP, -44)],
    ids=["turned", "tilted", "both", "much"],
)
def test_every_voxel_is_where_the_world_says(turn: np.ndarray, plane: str) -> None:
    shape = (90, 100, 40)
    affine = grid(turn, shape)
    way, found, stored = level(affine, blobs(places_of(affine, shape)), plane)
    places = stored @ affine[:3, :3].T + affine[:3, 3]
    view = slicing(affine, plane=plane)
    for axis, code in enumerate(view.codes):
        step = np.diff(places, axis=axis).reshape(-1, 3)
        world = next(number for number, ways in enumerate(WORLD) if code in ways)
        expected = np.zeros(3)
        expected[world] = way.spacing[axis] * (1 if code == WORLD[world][0] else -1)
        np.testing.assert_allclose(step, np.broadcast_to(expected, step.shape), atol=0.002)
    # Straight lines between voxels 2 mm apart miss the top of a blob by 200 / 7² / 2 at most.
    within = ((stored >= 0) & (stored <= np.array(shape) - 1)).all(axis=-1)
    np.testing.assert_allclose(found[within], blobs(places)[within], atol=4)
    assert found.max() > 190 and within.mean() > 0.5
    beyond = ((stored < -2) | (stored > np.array(shape) + 1)).any(axis=-1)
    assert beyond.any() and not found[beyond].any()


@pytest.mark.parametrize("turn", [rotation(UP, 30), rotation(RIGHT, 30)], ids=["turned", "tilted"])
def test_there_and_back(turn: np.ndarray) -> None:
    values = blobs(places_of(grid(turn, (90, 100, 50)), (90, 100, 50)))
    affine = grid(turn, values.shape)
    way, found, _ = level(affine, values)
    view = slicing(affine, plane="axial")
    back = view.to_grid(way.back(found))
    assert back.shape == values.shape and back.dtype == np.float32
    middle = (slice(20, 70), slice(20, 80), slice(10, 40))  # what is cut off near the corners does not come back
    np.testing.assert_allclose(back[middle], values[middle], atol=8)
    assert values[middle].max() > 190


def test_turned_within_its_slices_a_scan_keeps_them() -> None:
    """Each slice is what OpenCV makes of it alone: nothing is mixed between slices, however small their tilt."""
    values = np.random.default_rng(0).integers(1, 255, (40, 50, 6)).astype(np.uint8)
    affine = grid(rotation(RIGHT, 5) @ rotation(UP, 20), values.shape, (1, 1, 5))
    way, found, _ = level(affine, values)
    assert found.dtype == np.uint8 and len(found) == 6 and way.spacing == (5, 1, 1)
    other = values.copy()
    other[:, :, 3] = 255 - other[:, :, 3]
    _, changed, _ = level(affine, other)
    differs = (found != changed).any(axis=(1, 2))
    assert differs.tolist() == [False, False, False, True, False, False]


@pytest.mark.parametrize("turn", [rotation(UP, 20), rotation(RIGHT, 25) @ rotation(UP, -30)], ids=["turned", "both"])
def test_copies_with_other_axes_give_the_same_voxels(turn: np.ndarray) -> None:
    values = np.random.default_rng(0).normal(100, 30, (30, 34, 12)).astype(np.float32)
    image = nibabel.Nifti1Image(values, grid(turn, values.shape))
    _, expected, _ = level(image.affine, values)
    for order in ([0, 1, 2], [2, 0, 1], [1, 0, 2]):
        for signs in ([1, -1, 1], [-1, 1, -1]):
            copy = image.as_reoriented(np.column_stack([order, signs]))
            copy.set_qform(copy.affine, 1)
            affine = copy.header.get_qform()  # rounded, as a header rounds
            _, found, _ = level(affine, np.asarray(copy.dataobj))
            np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("turn", [rotation(UP, 20), rotation(RIGHT, 25) @ rotation(UP, -30)], ids=["turned", "both"])
@pytest.mark.parametrize("steps", [(180 / 256, 180 / 256, 5), (220 / 256, 1.1, 220 / 256)])
def test_copies_of_8_bits_are_read_and_restored_alike(
    tmp_path: Path, lgg: ModelFacts, turn: np.ndarray, steps: tuple[float, ...]
) -> None:
    """Spacings that lie halfway between two of five digits, and a header that rounds."""
    values = np.random.default_rng(0).integers(1, 255, (50, 44, 12)).astype(np.uint8)
    image, expected = nibabel.Nifti1Image(values, grid(turn, values.shape, steps)), None
    for order in ([0, 1, 2], [2, 0, 1], [1, 0, 2], [2, 1, 0]):
        for signs in ([1, 1, 1], [1, -1, 1], [-1, 1, -1]):
            way = np.column_stack([order, signs])
            copy = image.as_reoriented(way)
            copy.set_qform(copy.affine, 1)
            copy.set_sform(None, 0)
            nibabel.save(copy, tmp_path / "a.nii")
            [job] = find_jobs(tmp_path / "a.nii", "", lgg.task, ())
            scan = read_scan(job, lgg, "", "auto")
            assert scan.levelled and scan.volume.dtype == np.uint8
            ramp = np.linspace(0, 1, scan.volume[..., 0].size, dtype=np.float32).reshape(scan.volume.shape[:3])
            own = nibabel.orientations.apply_orientation(
                scan.restore(ramp), np.column_stack([np.argsort(order), np.array(signs)[np.argsort(order)]])
            )
            expected = expected or (scan.volume, own)
            np.testing.assert_array_equal(scan.volume, expected[0])
            np.testing.assert_array_equal(own, expected[1])


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
    way, _, _ = level(affine, np.where(inside, 50, 0).astype(np.uint8))
    np.testing.assert_allclose(np.array(way.after) * way.spacing, box[::-1], atol=4)


def test_another_grid_keeps_its_size_and_no_head_is_cut() -> None:
    affine = grid(rotation(UP, 30), (80, 80, 10))
    small = np.zeros((80, 80, 10), np.uint8)
    small[30:50, 30:50] = 200
    assert level(affine, small)[0].after == (10, 80, 80)
    # A head that reaches into the corners of its own grid.
    large = np.full((80, 80, 10), 200, np.uint8)
    large[:5] = large[-5:] = large[:, :5] = large[:, -5:] = 0
    way, found, _ = level(affine, large)
    assert min(way.after[1:]) >= 94
    assert abs(int((found > 100).sum()) / int((large > 100).sum()) - 1) < 0.02
    assert level(affine, np.zeros_like(small))[0].after == (10, 80, 80)


def test_pixels_are_square_and_not_too_many() -> None:
    affine = grid(rotation(UP, 30), (40, 40, 6), (1, 2, 5))
    way, found, _ = level(affine, np.full((40, 40, 6), 9, np.uint8))
    assert way.spacing == (5, 1, 1) and found.shape == way.after
    affine = grid(rotation(UP, 30), (4, 4, 2), (1, 4000, 5))
    assert max(level(affine, np.full((4, 4, 2), 9, np.uint8))[0].after) <= 2049


@pytest.mark.parametrize("turn", [rotation(UP, 30), rotation(RIGHT, 30)], ids=["turned", "tilted"])
def test_a_level_grid_has_not_many_more_voxels_than_the_file(monkeypatch: pytest.MonkeyPatch, turn: np.ndarray) -> None:
    values = np.zeros((80, 80, 10), np.uint8)
    values[5:-5, 5:-5] = 200  # a head that reaches into the corners
    affine = grid(turn, values.shape, (0.4, 0.4, 20))
    before, _, _ = level(affine, values)
    monkeypatch.setattr("headtohead.predicting.files.levelling.MOST_VOXELS", 5000)
    after, found, _ = level(affine, values)
    assert np.prod(before.after) > values.size >= np.prod(after.after) and found.any()
    np.testing.assert_allclose(
        np.array(after.after) * after.spacing, np.array(before.after) * before.spacing, atol=max(after.spacing)
    )


@pytest.mark.parametrize("axis", [UP, RIGHT])
def test_a_mask_comes_back_to_where_it_is_in_the_world(tmp_path: Path, lone: ModelFacts, axis: int) -> None:
    """Through the reader, with pixels that are not square, the truth beside it, and a copy that is stored otherwise."""
    shape, facts = (
        (100, 64, 34),
        ModelFacts("m", "unet", 0, 1, lone.recipe, replace(lone.task, plane="axial")),
    )
    image = nibabel.Nifti1Image(np.zeros(shape, np.float32), grid(rotation(axis, 28), shape, (0.8, 1.3, 2.5)))
    values = blobs(places_of(image.affine, shape))
    image = nibabel.Nifti1Image(values, image.affine)
    copy = image.as_reoriented(np.array([[2, -1], [0, 1], [1, -1]]))
    for name, one in (("a", image), ("b", copy)):
        nibabel.save(one, tmp_path / f"{name}.nii")
        stored = np.asarray(one.dataobj) > 100
        nibabel.save(nibabel.Nifti1Image(stored.astype(np.uint8), one.affine), tmp_path / f"{name}_mask.nii")
        [job] = find_jobs(tmp_path / f"{name}.nii", "", facts.task, ())
        scan = read_scan(job, facts, "", "auto")
        assert scan.levelled and scan.volume.dtype == np.float32 and scan.truth is not None
        assert scan.spacing is not None and scan.spacing[1] == pytest.approx(scan.spacing[2])
        assert abs(scan.truth.mean() - (scan.volume[..., 0] > 100).mean()) < 0.003
        found = scan.restore((scan.volume[..., 0] > 100).astype(np.float32)) >= 0.5
        overlap = 2 * (found & stored).sum() / (found.sum() + stored.sum())
        assert overlap > 0.93 and found.shape == one.shape
    assert not read_scan(job, facts, "", "acquired").levelled


def test_a_lone_slice_is_turned_but_never_tilted(tmp_path: Path, lgg: ModelFacts) -> None:
    values = np.random.default_rng(0).integers(1, 255, (40, 44, 1)).astype(np.uint8)
    turns = {"level": np.eye(3), "tilted": rotation(RIGHT, 30), "turned": rotation(UP, 20)}
    turns["both"] = rotation(RIGHT, 30) @ rotation(UP, 20)
    for plane in ("auto", "axial", "acquired", "sagittal"):
        for name, turn in turns.items():
            nibabel.save(nibabel.Nifti1Image(values, grid(turn, values.shape, (1, 1, 5))), tmp_path / "a.nii")
            [job] = find_jobs(tmp_path / "a.nii", "", lgg.task, ())
            scan = read_scan(job, lgg, "", plane)
            assert scan.levelled == (name in ("turned", "both") and plane in ("auto", "axial"))
            assert scan.restore(scan.volume[..., 0].astype(np.float32)).shape == values.shape
            if plane != "sagittal":
                assert len(scan.volume) == 1 and scan.volume.any()


def test_a_level_scan_does_not_wait_for_scipy(tmp_path: Path) -> None:
    """Nor one that is only turned within its slices."""
    values = cv2.GaussianBlur(np.random.default_rng(0).random((40, 44, 5)).astype(np.float32), (5, 5), 0) * 100
    for degrees in (0, 20):
        nibabel.save(
            nibabel.Nifti1Image(values, grid(rotation(UP, degrees), values.shape)), tmp_path / f"{degrees}.nii"
        )
    nibabel.save(nibabel.Nifti1Image(values, grid(rotation(RIGHT, 20), values.shape)), tmp_path / "tilted.nii")
    program = (
        "import sys\nfrom pathlib import Path\n"
        "from headtohead.predicting.files.finding import find_jobs\n"
        "from headtohead.predicting.files.scans import read_scan\n"
        "from headtohead.trained.facts import ModelFacts\n"
        "from headtohead.readers.lgg import TASK\n"
        "facts = ModelFacts('m', 'unet', 0, 5, {'normalise': 'inner'}, TASK)\n"
        "for name in ('0', '20', 'tilted'):\n"
        f"    [job] = find_jobs(Path({str(tmp_path)!r}) / f'{{name}}.nii', '', facts.task, ())\n"
        "    scan = read_scan(job, facts, '', 'auto')\n"
        "    scan.restore(scan.volume[..., 0].astype('float32'))\n"
        "    print(name, scan.levelled, 'scipy.ndimage' in sys.modules)\n"
    )
    assert printed_by(program) == "0 False False\n20 True False\ntilted True True\n"
