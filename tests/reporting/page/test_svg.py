"""Pieces of charts: escaped, compact, and where they should be."""

import math
import re
from xml.etree import ElementTree

import pytest

from headtohead.reporting.page import svg
from headtohead.reporting.page.entrants import BASELINE_MARKER, MARKERS


def test_texts_and_values_are_escaped() -> None:
    made = svg.element("text", "<script>&", data_case='"><b>', x=1.25, class_=None)
    assert made == '<text data-case="&#34;&gt;&lt;b&gt;" x="1.2">&lt;script&gt;&amp;</text>'


def test_elements_inside_are_not_escaped_again() -> None:
    assert svg.element("g", svg.words_at(0.04, -0.04, "a < b")) == '<g><text x="0" y="0">a &lt; b</text></g>'


def test_a_line_is_broken_where_a_value_is_missing() -> None:
    points = [(0.0, 1.0), (1.0, 2.0), (2.0, math.nan), (3.0, 4.0), (4.0, 5.0)]
    assert 'd="M0 1L1 2M3 4L4 5"' in svg.polyline(points, "pair")
    assert svg.polyline([(0.0, math.nan)], "pair") == ""


@pytest.mark.parametrize("shape", [*MARKERS, BASELINE_MARKER])
def test_markers_are_drawn_around_their_place(shape: str) -> None:
    path = str(ElementTree.fromstring(svg.marker_of(shape, 50.0, 80.0, 4.0, "marker")).get("d"))
    assert path.startswith("M50 80m")
    corners = corners_of(path)
    assert len(corners) >= 3
    for x, y in corners:
        assert 1 < math.hypot(x - 50, y - 80) <= 7


def corners_of(path: str) -> list[tuple[float, float]]:
    """Follow the relative moves of a marker's path."""
    x = y = 0.0
    corners = []
    for command, arguments in re.findall(r"([MmlaZz])([^MmlaZz]*)", path):
        numbers = [float(number) for number in arguments.split()]
        if command == "M":
            x, y = numbers
        elif command == "a":
            x, y = x + numbers[5], y + numbers[6]
            corners.append((x, y))
        elif command in "ml":
            for dx, dy in zip(numbers[::2], numbers[1::2], strict=True):
                x, y = x + dx, y + dy
                if math.hypot(x - 50, y - 80) > 0.2:  # the pen returns to the middle between strokes
                    corners.append((x, y))
    return corners


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1.0]),
        (-0.031, 0.024, [-0.02, 0, 0.02]),
        (1, 30, [10, 20, 30]),
        (3, 3, [3]),
    ],
)
def test_ticks_are_round_and_within(low: float, high: float, expected: list[float]) -> None:
    assert svg.ticks(low, high) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("value", "signed", "text"),
    [(0, True, "0"), (0.25, False, "0.25"), (0.02, True, "+0.02"), (-0.02, True, "−0.02"), (0.00025, False, "2.5e−4")],
)
def test_tick_labels(value: float, signed: bool, text: str) -> None:
    assert svg.tick_label(value, signed) == text


def test_scale_and_its_flat_case() -> None:
    assert svg.axis_scale(0, 1, 100, 0)(0.25) == 75
    assert svg.axis_scale(2, 2, 10, 20)(2) == 10


def test_long_words_are_cut() -> None:
    assert svg.cut_to_fit("unet cosine", 400) == "unet cosine"
    cut = svg.cut_to_fit("a very long name of a model", 60)
    assert cut.endswith("…") and svg.estimated_width(cut) <= 60
