"""Text on images: it shows, stays where it is put, and is shortened where there is no room."""

import numpy as np
import pytest

from headtohead.drawing.lettering import shorten, text_width, write


def test_text_shows_within_its_measured_width() -> None:
    canvas = np.full((60, 400, 3), 255, np.uint8)
    write(canvas, "threshold ≥ 0.5", 10, 40, 20, colour=(200, 0, 0))
    rows, columns = np.nonzero((canvas != 255).any(axis=-1))
    assert rows.min() > 20 and rows.max() < 50
    assert columns.min() >= 9 and columns.max() <= 10 + text_width("threshold ≥ 0.5", 20) + 1
    assert canvas[..., 0].min() > canvas[..., 1].min()


def test_bold_is_wider() -> None:
    assert text_width("patients", 20, bold=True) > text_width("patients", 20)


@pytest.mark.parametrize("room", [20, 80, 200])
def test_long_names_lose_their_middle(room: int) -> None:
    name = "TCGA_CS_4941_19960909_12_with_a_long_name.tif"
    short = shorten(name, room)
    assert text_width(short) <= room
    assert short[0] in "T…" and short != name
    assert shorten(name, 10_000) == name


def test_names_that_are_no_text() -> None:
    canvas = np.full((30, 100, 3), 255, np.uint8)
    write(canvas, "a\udcffb", 5, 20)
    assert (canvas != 255).any()
