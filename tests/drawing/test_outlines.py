"""Outlines: all contours, holes too, on the mask's own pixels, none hiding another."""

import numpy as np
import pytest

from headtohead.drawing.outlines import PALETTE, draw_outlines, enlarge, outline

ORANGE, SKY = PALETTE["orange"], PALETTE["sky"]


def painted(drawn: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    """Where a drawing has exactly this colour."""
    return (drawn == np.array(colour, np.uint8)).all(axis=-1)


def test_every_part_and_every_hole_is_outlined() -> None:
    # The system before drew only the first contour of a mask.
    mask = np.zeros((40, 60), np.uint8)
    mask[5:20, 5:20] = 1
    mask[10:14, 10:14] = 0
    mask[5:15, 40:50] = 1
    mask[30, 30] = 1
    seen = painted(draw_outlines(np.zeros((40, 60), np.uint8), {"orange": mask}), ORANGE)
    assert seen[5, 5:20].all() and seen[9, 9:15].all()
    assert seen[5, 40:50].all()
    assert seen[30, 30]
    assert not seen[mask == 0].any()
    assert not seen[7, 7]


def test_image_is_untouched_and_kept_elsewhere() -> None:
    image = np.random.default_rng(0).integers(0, 200, (16, 12, 3), np.uint8)
    before = image.copy()
    mask = np.zeros((16, 12), bool)
    mask[4:9, 4:9] = True
    drawn = draw_outlines(image, {"sky": mask})
    assert np.array_equal(image, before)
    assert drawn.dtype == np.uint8
    assert np.array_equal(drawn[~mask], image[~mask])
    assert np.array_equal(drawn[6, 6], image[6, 6])


def test_grey_and_masks_of_255_are_taken() -> None:
    mask = np.full((5, 5), 255, np.uint8)
    drawn = draw_outlines(np.full((5, 5), 7, np.uint8), {(1, 2, 3): mask})
    assert painted(drawn, (1, 2, 3)).sum() == 16
    assert (drawn[1:4, 1:4] == 7).all()


def test_lines_stay_thin_when_enlarged() -> None:
    mask = np.zeros((10, 10), np.uint8)
    mask[2:8, 2:8] = 1
    drawn = draw_outlines(np.zeros((10, 10), np.uint8), {"orange": mask}, scale=4)
    assert drawn.shape == (40, 40, 3)
    seen = painted(drawn, ORANGE)
    assert seen[8:32, 8].all() and not seen[9:31, 9:31].any()


@pytest.mark.parametrize("scale", [1, 3, 6])
def test_coinciding_outlines_both_show(scale: int) -> None:
    mask = np.zeros((20, 20), np.uint8)
    mask[4:16, 4:16] = 1
    drawn = draw_outlines(np.zeros((20, 20), np.uint8), {"sky": mask, "orange": mask}, scale=scale)
    sky, orange = painted(drawn, SKY), painted(drawn, ORANGE)
    rim = outline(enlarge(mask, scale), 2 if scale > 4 else 1)
    assert np.array_equal(sky | orange, rim)
    assert sky.sum() > rim.sum() / 4 and orange.sum() > rim.sum() / 4


def test_no_masks_and_empty_masks_leave_the_image() -> None:
    image = np.full((3, 4), 9, np.uint8)
    assert (draw_outlines(image, {}) == 9).all()
    assert (draw_outlines(image, {"sky": np.zeros((3, 4))}) == 9).all()
