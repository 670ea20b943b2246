"""Every case as one line through its scores: what a mean hides, and whether entrants fail on the same patients."""

import math
from collections.abc import Hashable
from typing import TYPE_CHECKING

from markupsafe import Markup

from headtohead.reporting.page import svg
from headtohead.reporting.page.entrants import Entrant
from headtohead.reporting.page.wording import missing, score
from headtohead.scoring.counts import FAILED_BELOW

if TYPE_CHECKING:
    import pandas as pd

LEFT, TOP, BOTTOM = 34.0, 12.0, 44.0
KEY_LINE, KEY_INDENT = 18.0, 14.0  # of the key: from line to line, and from a dot's left end to its name
MEAN_OFFSET = 0.2  # where the mean stands beside the dots, as a share of the distance between two entrants


def dot_plot(
    matrix: "pd.DataFrame", means: "pd.DataFrame", entrants: list[Entrant], width: float, target: str = ""
) -> Markup:
    """Draw Dice per case, one column an entrant, a case's dots joined; the mean and its interval beside the dots.

    Args:
        matrix: Dice, [cases, entrants]; NaN has no dot, and no line leads over it.
        means: mean, low and high by entrant.
        entrants: the columns, in order.
        width: in CSS pixels.
        target: whose Dice it is, of several.

    Returns:
        The drawing; each case is a group of class `case` that holds its name and scores as a title.
    """
    right = 6.0
    step = (width - LEFT - right) / max(len(entrants), 1)
    places = {entrant.name: LEFT + step * (place + 0.4) for place, entrant in enumerate(entrants)}
    names = {entrant.name: _two_lines(entrant.label, step + 2) for entrant in entrants}
    whole = all(names.values())
    key, top = ([], TOP) if whole else _key(entrants, width)
    height = top - TOP + min(460.0, 200.0 + width * 0.36)
    y = svg.axis_scale(0.0, 1.0, height - BOTTOM, top)
    radius = 3.2 if width > 500 else 2.6

    grid = [_grid_line(value, y, width - right) for value in (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)]
    failed = svg.line(LEFT, y(FAILED_BELOW), width - right, y(FAILED_BELOW), "threshold")
    cases = [
        _case(str(case), row, entrants, places, y, radius, target)
        for case, row in zip(matrix.index, matrix.to_dict("records"), strict=True)
    ]
    columns = [
        _column(entrant, names[entrant.name] if whole else [], means.loc[entrant.name], places[entrant.name], step, y)
        for entrant in entrants
    ]
    of = f"{target} in {len(matrix)}" if target else f"{len(matrix)}"
    label = f"Dice of {of} cases under {len(entrants)} entrants, each case one line; the numbers are in the tables"
    return svg.chart(width, height, label, "dot-plot", *key, *grid, failed, *cases, *columns)


def _grid_line(value: float, y: svg.Scale, right: float) -> Markup:
    return svg.line(LEFT, y(value), right, y(value), "grid") + svg.words_at(
        LEFT - 6, y(value) + 4, f"{value:g}", anchor="end"
    )


def _case(
    name: str,
    row: dict[Hashable, float],
    entrants: list[Entrant],
    places: dict[str, float],
    y: svg.Scale,
    radius: float,
    target: str,
) -> Markup:
    points = [(places[entrant.name], y(row[entrant.name])) for entrant in entrants]
    dots = [
        svg.marker(entrant, *point, radius)
        for entrant, point in zip(entrants, points, strict=True)
        if not missing(row[entrant.name])
    ]
    of = f"{target} of {name}" if target else name
    said = ", ".join(f"{entrant.label} {score(row[entrant.name])}" for entrant in entrants)
    title, line = svg.element("title", f"{of}: {said}"), svg.polyline(points, "pair")
    return svg.element("g", title, line, *dots, class_="case", data_case=name)


def _key(entrants: list[Entrant], width: float) -> tuple[list[Markup], float]:
    """Set every entrant's dot and whole name above the plot, in lines as full as can be; and say where they end."""
    wide = KEY_INDENT + max(svg.estimated_width(entrant.label) for entrant in entrants) + KEY_INDENT
    across = max(1, int(width / wide))
    drawn = []
    for place, entrant in enumerate(entrants):
        x, y = wide * (place % across), TOP + KEY_LINE * (place // across)
        name = svg.cut_to_fit(entrant.label, width - KEY_INDENT)
        drawn += [svg.marker(entrant, x + 5, y), svg.words_at(x + KEY_INDENT, y + 4, name, "name")]
    return drawn, TOP + KEY_LINE * math.ceil(len(entrants) / across) + 8


def _column(
    entrant: Entrant, name: list[str], found: "pd.Series[float]", x: float, step: float, y: svg.Scale
) -> Markup:
    """The entrant's mean with its interval, and below them its name, or its dot where the key has the names."""
    drawn = []
    beside = x + max(step * MEAN_OFFSET, 10.0)
    if not missing(found["low"]):
        drawn.append(svg.line(beside, y(found["low"]), beside, y(found["high"]), f"interval {entrant.colour}"))
    if not missing(found["mean"]):
        drawn.append(svg.line(beside - 5, y(found["mean"]), beside + 5, y(found["mean"]), f"mean {entrant.colour}"))
        if step > 100:
            drawn.append(svg.words_at(beside + 9, y(found["mean"]) + 4, score(found["mean"]), "value"))
        else:
            above = y(found["mean"] if missing(found["high"]) else found["high"]) - 6
            drawn.append(svg.words_at(beside, above, score(found["mean"]), "value", "middle"))
    for number, words in enumerate(name):
        drawn.append(svg.words_at(x, y(0.0) + 20 + 15 * number, words, "name", "middle"))
    if not name:
        drawn.append(svg.marker(entrant, x, y(0.0) + 18))
    return svg.element("g", *drawn, class_="column")


def _two_lines(name: str, room: float) -> list[str]:
    """Set a name in one line where it fits, else broken at its first space or hyphen; none where that does not fit."""
    if svg.estimated_width(name) <= room:
        return [name]
    first, mark, rest = name.partition(" ") if " " in name else name.partition("-")
    lines = [first + mark.strip(), rest] if rest else [name]
    return lines if all(svg.estimated_width(line) <= room for line in lines) else []
