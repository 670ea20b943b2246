"""Paired differences between entrants with their intervals, on a scale of which zero is the middle of the story."""

from collections.abc import Hashable
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from headtohead.reporting.entrant_names import in_words
from headtohead.reporting.page import svg
from headtohead.reporting.page.wording import interval, missing, signed_difference
from headtohead.statistics.words import no_difference

if TYPE_CHECKING:
    import pandas as pd

ROW, AXIS = 34.0, 44.0
LINE = 15.0  # from one line of names to the next
NARROW = 560.0  # below, names and numbers stand above their line instead of beside it
SMALLEST_SPAN = 0.02  # differences of thousandths are not blown up to fill the width


def forest_plot(pairs: "pd.DataFrame", width: float, label: str, tests: int = 1) -> Markup:
    """Draw one row a pair: mean difference, its 95 % interval, and how large a difference could have been seen.

    A full square is a difference (after Holm, and the interval excludes zero), an open one is no evidence of any.

    Args:
        pairs: as `compare_pairs` gives them.
        width: in CSS pixels.
        label: what a screen reader is told.
        tests: how many pairs were corrected for together.

    Returns:
        The drawing.
    """
    narrow = width < NARROW
    left, right = (12.0, width - 12.0) if narrow else (width * 0.31, width - 178.0)
    names = [_names(pair, width if narrow else left - 14) for pair in pairs.to_dict("records")]
    lines = max(map(len, names), default=1)
    row = ROW + 30 + LINE * (lines - 1) if narrow else ROW + LINE / 2 * (lines - 1)
    height = row * len(pairs) + AXIS + 6
    x = svg.axis_scale(*_span(pairs), left, right)

    axis = [
        svg.line(x(value), 4, x(value), height - AXIS, "zero" if value == 0 else "grid")
        + svg.words_at(x(value), height - AXIS + 16, svg.tick_label(value, signed=True), anchor="middle")
        for value in svg.ticks(*_span(pairs), 4 if narrow else 5)
    ]
    sides = [
        svg.words_at(x(0) - 10, height - 8, "← second is better", "side", "end"),
        svg.words_at(x(0) + 10, height - 8, "first is better →", "side"),
    ]
    rows = [
        _row(pair, row * place, x, names[place], narrow, (left, right), tests)
        for place, pair in enumerate(pairs.to_dict("records"))
    ]
    return svg.chart(width, height, label, "forest-plot", *axis, *_within(sides, x(0), width), *rows)


def _span(pairs: "pd.DataFrame") -> tuple[float, float]:
    """From the lowest to the highest number drawn, zero among them, with a little air."""
    reach = pairs["smallest_detectable"].max()
    ends = [-reach, reach, *pairs[["low", "high", "mean_difference"]].agg(["min", "max"]).to_numpy(float).ravel()]
    numbers = [0.0, *(float(end) for end in ends if not missing(end))]
    low, high = min(numbers), max(numbers)
    air = max((high - low) * 0.06, (SMALLEST_SPAN - (high - low)) / 2)
    return low - air, high + air


def _within(sides: list[Markup], zero: float, width: float) -> list[Markup]:
    """Leave out the words for a side that has no room."""
    room = svg.estimated_width("← second is better") + 10
    return [side for side, fits in zip(sides, (zero > room, width - zero > room), strict=True) if fits]


def _names(pair: dict[Hashable, Any], room: float) -> list[str]:
    """Name a pair in one line, or in two where one would be cut: what is cut off may be what tells pairs apart."""
    first, second = in_words(pair["a"]), in_words(pair["b"])
    if svg.estimated_width(whole := f"{first} − {second}") <= room:
        return [whole]
    return [svg.cut_to_fit(first, room), svg.cut_to_fit(f"− {second}", room)]


def _row(
    pair: dict[Hashable, Any],
    top: float,
    x: svg.Scale,
    names: list[str],
    narrow: bool,
    edges: tuple[float, float],
    tests: int,
) -> Markup:
    left, right = edges
    numbers = f"{signed_difference(pair['mean_difference'])} {interval(pair['low'], pair['high'], signed=True)}".strip()
    if narrow:
        under = top + 32 + LINE * (len(names) - 1)
        middle = under + 18.0
        words = Markup("").join(svg.words_at(0, top + 16 + LINE * n, line, "name") for n, line in enumerate(names))
        words += svg.words_at(0, under, numbers, "value")
    else:
        middle = top + ROW / 2 + 4
        base = middle + 4 - LINE / 2 * (len(names) - 1)
        words = Markup("").join(
            svg.words_at(left - 14, base + LINE * n, line, "name", "end") for n, line in enumerate(names)
        )
        words += svg.words_at(right + 14, middle + 4, numbers, "value")
    verdict = "a difference" if pair["different"] else no_difference(pair["n"], tests)
    drawn = [svg.element("title", f"{in_words(pair['a'])} − {in_words(pair['b'])}: {numbers}, {verdict}"), words]
    seen = pair["smallest_detectable"]
    if not missing(seen):
        # Within the grey band even a true difference would have been missed more often than one time in five.
        drawn.append(svg.element("rect", x=x(-seen), y=middle - 7, width=x(seen) - x(-seen), height=14, class_="band"))
    if not missing(pair["low"]):
        drawn.append(svg.line(x(pair["low"]), middle, x(pair["high"]), middle, "interval"))
    if not missing(pair["mean_difference"]):
        look = "estimate different" if pair["different"] else "estimate"
        drawn.append(svg.marker_of("square", x(pair["mean_difference"]), middle, 5.0, look))
    return svg.element("g", *drawn, class_="difference")
