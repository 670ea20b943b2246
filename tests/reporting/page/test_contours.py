"""Outlines as paths: drawn back into pixels they are the mask they came from."""

import re

import numpy as np
import pytest

from headtohead.reporting.page.contours import outline_path


def loops(path: str) -> list[list[tuple[int, int]]]:
    """Follow a path: the corners of each of its closed lines."""
    found = []
    for loop in path.split("z")[:-1]:
        start, *steps = re.findall(r"M\d+ \d+|[hv]-?\d+", loop)
        corners = [tuple(map(int, start[1:].split()))]
        for step in steps:
            x, y = corners[-1]
            length = int(step[1:])
            corners.append((x + length, y) if step[0] == "h" else (x, y + length))
        found.append(corners)
    return found


def filled(path: str, shape: tuple[int, int]) -> np.ndarray:
    """Fill a path by the even-odd rule, counting the upright edges to the left of each pixel."""
    crossings = np.zeros((shape[0], shape[1] + 1), int)
    for corners in loops(path):
        for (x1, y1), (x2, y2) in zip(corners, [*corners[1:], corners[0]], strict=True):
            assert x1 == x2 or y1 == y2
            if x1 == x2:
                crossings[min(y1, y2) : max(y1, y2), x1] += 1
    return np.cumsum(crossings, axis=1)[:, :-1] % 2 == 1


@pytest.mark.parametrize("seed", range(5))
def test_filling_the_outline_gives_the_mask_back(seed: int) -> None:
    rng = np.random.default_rng(seed)
    mask = rng.random((23, 31)) < (0.2, 0.5, 0.8, 0.02, 0.98)[seed]
    assert np.array_equal(filled(outline_path(mask), mask.shape), mask)


def test_every_part_and_every_hole_has_a_line_of_its_own() -> None:
    mask = np.zeros((40, 60), np.uint8)
    mask[5:20, 5:20] = 255
    mask[10:14, 10:14] = 0
    mask[5:15, 40:50] = 1
    mask[30, 30] = 1
    path = outline_path(mask)
    assert len(loops(path)) == 4
    assert "M30 30h1v1h-1z" in path
    assert "M5 5h15v15h-15z" in path


def test_touching_corners_are_outlined_apart() -> None:
    mask = np.eye(3, dtype=bool)
    assert outline_path(mask) == "M0 0h1v1h-1zM1 1h1v1h-1zM2 2h1v1h-1z"


def test_the_image_edge_is_an_outside() -> None:
    assert outline_path(np.ones((4, 7), bool)) == "M0 0h7v4h-7z"


def test_an_empty_mask_has_no_outline() -> None:
    assert outline_path(np.zeros((4, 4), bool)) == ""
