"""GIFs: every slice in its turn, exact colours, and small."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from headtohead.drawing import animation
from headtohead.drawing.animation import slices_to_show, write_case_gif, write_gif, write_plate_gif
from headtohead.drawing.outlines import PALETTE, PREDICTION, TRUTH
from headtohead.drawing.plate import SegmentedCase, draw_plate
from tests.drawing.segmented import segmented


def scan(slices: int = 8, size: int = 64, first: int = 2, last: int = 5) -> SegmentedCase:
    """Give a case with lesion from slice `first` to `last`, which wanders to the right."""
    images = np.random.default_rng(0).integers(0, 120, (slices, size, size, 3), np.uint8)
    truth = np.zeros((slices, size, size), bool)
    for number in range(first, last + 1):
        truth[number, 20:30, number : number + 10] = True
    return segmented("case", images, truth, np.roll(truth, 3, axis=1))


def frames_of(path: Path) -> list[np.ndarray]:
    with Image.open(path) as image:
        frames = []
        for number in range(getattr(image, "n_frames", 1)):
            image.seek(number)
            frames.append(np.array(image.convert("RGB")))
    return frames


def painted(drawn: np.ndarray, colour: str) -> np.ndarray:
    return (drawn == np.array(PALETTE[colour], np.uint8)).all(axis=-1)


def test_case_scrolls_through_all_slices_in_exact_colours(tmp_path: Path) -> None:
    one = scan()
    frames = frames_of(write_case_gif([one], tmp_path / "new" / "case.gif", "Title"))
    assert len(frames) == 8
    for number, frame in enumerate(frames):
        drawn = draw_plate([one], [number], "Title", 1, animation.CASE_SIDE)
        assert frame.shape == drawn.shape
        for colour in (TRUTH, PREDICTION):
            assert np.array_equal(painted(frame, colour), painted(drawn, colour))
        # Greys are off by half a step at most.
        assert np.abs(frame.astype(int) - drawn).max() <= 255 / (animation.SHADES[0] - 1) / 2 + animation.TINT + 1


def test_entrants_stand_side_by_side(tmp_path: Path) -> None:
    one = frames_of(write_case_gif([scan()], tmp_path / "one.gif", "Title"))[0]
    two = frames_of(write_case_gif([scan(), scan()], tmp_path / "two.gif", "Title"))[0]
    assert two.shape[0] == one.shape[0]
    assert two.shape[1] > 1.8 * one.shape[1]


def test_plate_shows_each_lesion_from_its_first_slice_to_its_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[list[int]] = []

    def watch(scans: list[SegmentedCase], slices: list[int], *rest: object) -> np.ndarray:
        shown.append(slices)
        return np.full((4, 4, 3), len(shown), np.uint8)

    monkeypatch.setattr(animation, "draw_plate", watch)
    monkeypatch.setattr(animation, "FRAMES", 10)
    scans = [scan(), scan(40, first=3, last=37), scan(8, first=0, last=7)]
    write_plate_gif(scans, tmp_path / "plate.gif", "Title")
    assert len(shown) == 10
    assert [shown[0], shown[-1]] == [[1, 2, 0], [6, 38, 7]]
    assert all(one <= other for column in zip(*shown, strict=True) for one, other in pairwise(column))
    shown.clear()
    write_plate_gif(scans[:1], tmp_path / "plate.gif", "Title")
    assert [slices for (slices,) in shown] == [1, 2, 3, 4, 5, 6]  # no slice is shown twice for want of slices


def test_slices_without_lesion_are_left_out() -> None:
    assert slices_to_show(scan(8, first=2, last=5)) == range(1, 7)
    assert slices_to_show(scan(8, first=0, last=7)) == range(8)
    nothing = np.zeros((8, 64, 64), bool)
    assert slices_to_show(segmented("", scan().images, nothing, nothing)) == range(8)
    # What is only predicted is a mistake worth seeing.
    false = nothing.copy()
    false[6, 1, 1] = True
    assert slices_to_show(segmented("", scan().images, nothing, false)) == range(5, 8)


def test_a_full_plate_of_noise_stays_small(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    truth = np.zeros((20, 128, 128), bool)
    truth[:, 40:60, 40:60] = True
    noise = [segmented("noise", rng.integers(0, 256, (20, 128, 128, 3), np.uint8), truth, truth) for _ in range(15)]
    path = write_plate_gif(noise, tmp_path / "plate.gif", "Title")
    # Noise is the worst there is to compress; the heads of real cases take less than a third of it.
    assert path.stat().st_size < 1.5 * animation.MOST_BYTES
    assert len(frames_of(path)) == animation.FRAMES


def test_shades_are_given_up_for_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    frames = list(np.random.default_rng(0).integers(0, 256, (2, 40, 40, 1), np.uint8).repeat(3, axis=3))
    path = write_gif(frames, tmp_path / "a.gif")
    assert len(np.unique(frames_of(path)[0])) == animation.SHADES[0]
    monkeypatch.setattr(animation, "MOST_BYTES", path.stat().st_size - 1)
    assert len(np.unique(frames_of(write_gif(frames, tmp_path / "b.gif"))[0])) == animation.SHADES[1]
    monkeypatch.setattr(animation, "MOST_BYTES", 1)
    assert len(np.unique(frames_of(write_gif(frames, tmp_path / "c.gif"))[0])) == animation.SHADES[-1]


def test_it_loops_for_ever(tmp_path: Path) -> None:
    frames = [np.full((8, 8, 3), shade, np.uint8) for shade in (0, 255)]
    with Image.open(write_gif(frames, tmp_path / "a.gif")) as image:
        assert image.info["loop"] == 0
        assert image.info["duration"] == animation.MILLISECONDS
        assert image.n_frames == 2  # type: ignore[attr-defined]


def test_too_many_colours_are_refused(tmp_path: Path) -> None:
    rainbow = np.zeros((1, 256, 3), np.uint8)
    rainbow[0, :, 0] = np.arange(256)
    with pytest.raises(ValueError, match="room for 200 colours"):
        write_gif([rainbow], tmp_path / "a.gif")
    assert not list(tmp_path.iterdir())
