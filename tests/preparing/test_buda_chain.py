"""The published preparation, step by step by hand, and the exact way back."""

import numpy as np
import pytest
from scipy import ndimage

from headtohead.preparing.chain import Prepared
from headtohead.preparing.recipe import buda_chain
from headtohead.preparing.steps.crop import lit_box
from headtohead.preparing.steps.spline import Spline, pad_to_square
from headtohead.preparing.steps.standardise import Standardise
from headtohead.task import Case, Grid

SIZE = 256


def prepared_by_buda(volume: np.ndarray, channels: int = 3) -> Prepared:
    return Prepared(buda_chain(channels), volume)


def box_of(volume: np.ndarray, channels: int = 3) -> tuple[slice, ...]:
    """Where answers come back to: the box that the volume was cropped to."""
    prepared = prepared_by_buda(volume, channels)
    inside = prepared.restore(np.ones((prepared.n, SIZE, SIZE), np.float32)) > 0
    ends = [np.flatnonzero(inside.any(axis=others)) for others in ((1, 2), (0, 2), (0, 1))]
    return tuple(slice(int(found[0]), int(found[-1]) + 1) for found in ends)


def enlarge(image: np.ndarray) -> np.ndarray:
    return Spline(SIZE, 2).enlarge(image)


def bright_block(shape: tuple[int, int, int] = (7, 60, 50), kind: type = np.uint8) -> np.ndarray:
    """Noise between 100 and 200 in a block within dimness; the block is slices 2-4, rows 10-39, columns 5-24."""
    rng = np.random.default_rng(0)
    volume = rng.integers(0, 15, (*shape, 3))
    volume[2:5, 10:40, 5:25] = rng.integers(100, 201, (3, 30, 20, 3))
    volume[3, 20, 10] = 200
    return volume.astype(kind)


def test_it_is_cropped_to_what_is_not_dark() -> None:
    prepared = prepared_by_buda(bright_block())
    assert prepared.n == 3
    assert box_of(bright_block()) == (slice(2, 5), slice(10, 40), slice(5, 25))
    assert prepared.input(0).shape == (3, SIZE, SIZE) and prepared.input(0).dtype == np.float32


@pytest.mark.parametrize("kind", [np.uint8, np.float32])
def test_a_net_of_one_channel_takes_flair_of_three(kind: type) -> None:
    volume = bright_block(kind=kind)
    prepared, alone = prepared_by_buda(volume, 1), prepared_by_buda(volume[..., 1:2], 1)
    assert prepared.input(0).shape == (1, SIZE, SIZE)
    np.testing.assert_array_equal(*(np.stack([one.input(0), one.input(2)]) for one in (prepared, alone)))
    assert prepared.restore(np.ones((prepared.n, SIZE, SIZE), np.float32)).shape == volume.shape[:3]


def test_first_and_last_slice_are_dropped_whatever_they_hold() -> None:
    volume = np.full((5, 20, 20, 3), 100, np.uint8)
    volume[[0, -1]] = 255
    prepared = prepared_by_buda(volume)
    assert box_of(volume)[0] == slice(1, 4)
    assert (prepared.restore(np.ones((3, SIZE, SIZE), np.float32))[[0, -1]] == 0).all()


def test_a_voxel_is_dark_below_a_tenth_of_the_brightest() -> None:
    volume = np.zeros((3, 10, 10, 3), np.uint8)
    volume[1, 2, 3, 1] = 200
    volume[1, 7, 8, 0] = 20  # a tenth exactly
    volume[1, 9, 9, 2] = 19
    assert box_of(volume) == (slice(1, 2), slice(2, 8), slice(3, 9))


def test_every_step_done_again_by_hand() -> None:
    volume = bright_block()
    inner = volume[1:-1].astype(float)
    inner[inner < 20] = 0
    block = inner[1:4, 10:40, 5:25]
    square = np.zeros((3, 30, 30, 3))
    square[:, :, 5:25] = block
    # Sample positions of pixel centres; splines of order 2 interpolate along one axis after the other.
    places = (np.arange(SIZE) + 0.5) * 30 / SIZE - 0.5
    rows, columns = np.meshgrid(places, places, indexing="ij")
    large = np.empty((3, SIZE, SIZE, 3))
    for index in range(3):
        for channel in range(3):
            plane = square[index, ..., channel]
            sampled = ndimage.map_coordinates(plane, [rows, columns], order=2, mode="grid-constant")
            large[index, ..., channel] = np.clip(sampled, square[index].min(), square[index].max())
    low, high = np.percentile(large, [10, 99])
    windowed = (np.clip(large, low, high) - low) / (high - low)
    expected = (windowed - windowed.mean(axis=(0, 1, 2))) / windowed.std(axis=(0, 1, 2))
    prepared = prepared_by_buda(volume)
    found = np.stack([prepared.input(index) for index in range(3)]).transpose(0, 2, 3, 1)
    np.testing.assert_allclose(found, expected, atol=1e-3)
    assert found.mean(axis=(0, 1, 2)) == pytest.approx([0] * 3, abs=1e-3)
    assert found.std(axis=(0, 1, 2)) == pytest.approx([1] * 3, abs=1e-3)


@pytest.mark.parametrize(("height", "width"), [(3, 6), (6, 3), (4, 7), (5, 5)])
def test_an_image_is_padded_to_a_square_around_its_middle(height: int, width: int) -> None:
    square = pad_to_square(np.ones((height, width, 1)))
    assert square.shape == (max(height, width),) * 2 + (1,)
    assert square.sum() == height * width
    rows, columns = np.flatnonzero(square.any(axis=(1, 2))), np.flatnonzero(square.any(axis=(0, 2)))
    for found, side in ((rows, height), (columns, width)):
        before, after = found[0], len(square) - 1 - found[-1]
        assert len(found) == side and 0 <= after - before <= 1


def test_enlarging_overshoots_nothing() -> None:
    image = np.zeros((20, 20, 1), np.uint8)
    image[5:15, 5:15] = 255
    large = enlarge(image)
    assert large.shape == (SIZE, SIZE, 1)
    assert large.min() == 0 and large.max() == 255


def test_an_image_of_the_nets_own_size_stays_as_it_is() -> None:
    image = np.random.default_rng(0).integers(0, 256, (SIZE, SIZE, 3)).astype(np.uint8)
    np.testing.assert_allclose(enlarge(image), image, atol=1e-2)


class TestRestoring:
    def test_zero_outside_the_box(self) -> None:
        found = prepared_by_buda(bright_block()).restore(np.ones((3, SIZE, SIZE), np.float32))
        assert found.shape == (7, 60, 50) and found.dtype == np.float32
        inside = np.zeros(found.shape, bool)
        inside[2:5, 10:40, 5:25] = True
        assert (found[inside] == 1).all() and (found[~inside] == 0).all()

    @pytest.mark.parametrize("shape", [(5, 256, 256), (5, 200, 256), (5, 256, 131)])
    def test_exact_where_nothing_is_resized(self, shape: tuple[int, int, int]) -> None:
        rng = np.random.default_rng(0)
        prepared = prepared_by_buda(rng.integers(100, 256, (*shape, 3), dtype=np.uint8))
        truth = rng.random((3, *shape[1:]), np.float32)
        padded = np.stack([pad_to_square(one[..., None])[..., 0] for one in truth])
        found = prepared.restore(padded)
        assert (found[1:4] == truth).all() and not found[[0, 4]].any()

    @pytest.mark.parametrize("shape", [(4, 90, 60), (4, 60, 91), (4, 300, 280)])
    def test_what_the_net_marks_lies_where_it_was_in_the_volume(self, shape: tuple[int, int, int]) -> None:
        volume = np.full((*shape, 3), 100, np.uint8)
        rows, columns = (slice(side // 3, side // 2) for side in shape[1:])
        volume[1:3, rows, columns] = 250  # more than the one in a hundred that the window cuts off
        volume[0] = volume[-1] = 0
        volume[:, :7] = volume[:, :, :11] = 0  # so that the box begins elsewhere than the volume
        prepared = prepared_by_buda(volume)
        marked = np.stack([prepared.input(index)[1] for index in range(prepared.n)])
        found = prepared.restore((marked > marked.mean() + 1).astype(np.float32)) >= 0.5
        expected = volume[..., 1] == 250
        overlap = 2 * (found & expected).sum() / (found.sum() + expected.sum())
        assert overlap > 0.95


class TestOddVolumes:
    @pytest.mark.parametrize("slices", [1, 2, 3])
    def test_few_slices(self, slices: int) -> None:
        volume = np.random.default_rng(0).integers(50, 256, (slices, 30, 40, 3), dtype=np.uint8)
        prepared = prepared_by_buda(volume)
        assert prepared.n == (1 if slices == 3 else slices)
        assert np.isfinite(prepared.input(0)).all()
        found = prepared.restore(np.ones((prepared.n, SIZE, SIZE), np.float32))
        assert found.sum() == prepared.n * 30 * 40

    @pytest.mark.parametrize("value", [0, 3, 255])
    @pytest.mark.parametrize("kind", [np.uint8, np.float32])
    def test_empty_and_constant(self, value: int, kind: type) -> None:
        prepared = prepared_by_buda(np.full((4, 20, 30, 3), value, kind))
        assert prepared.n == 2
        if value == 0:
            assert not np.stack([prepared.input(0), prepared.input(1)]).any()
        assert np.isfinite(prepared.input(0)).all()
        assert prepared.restore(np.zeros((2, SIZE, SIZE), np.float32)).shape == (4, 20, 30)

    def test_negative_values_are_dark(self) -> None:
        volume = bright_block(kind=np.float32)
        volume[volume < 50] = -1000
        assert box_of(volume) == box_of(bright_block())
        assert not prepared_by_buda(np.full((3, 8, 8, 3), -5, np.float32)).input(0).any()

    def test_the_unit_of_the_file_does_not_matter(self) -> None:
        volume = bright_block()
        found, expected = prepared_by_buda(volume.astype(np.float32) * 0.013), prepared_by_buda(volume)
        assert box_of(volume.astype(np.float32) * 0.013) == box_of(volume)
        assert np.abs(found.input(1) - expected.input(1)).mean() < 0.05

    def test_a_lone_sequence_stands_for_three_only_where_the_model_takes_three(self) -> None:
        volume = bright_block()[..., :1]
        assert prepared_by_buda(volume, 3).input(0).shape[0] == 3
        assert prepared_by_buda(volume, 1).input(0).shape[0] == 1


def test_a_window_of_percentiles_then_mean_and_deviation() -> None:
    volume = np.arange(1000.0).reshape(10, 10, 10, 1)
    case, _ = Standardise(10, 99).apply(Case("a", volume, Grid((10, 10, 10))))
    found: np.ndarray = case.images
    assert found.min() == found.ravel()[99] and found.max() == found.ravel()[990]
    assert found.ravel()[100] > found.ravel()[99] and found.ravel()[989] < found.ravel()[990]


def test_the_box_of_nothing_is_the_whole() -> None:
    assert lit_box(np.zeros((2, 3, 4, 1))) == (slice(0, 2), slice(0, 3), slice(0, 4))
