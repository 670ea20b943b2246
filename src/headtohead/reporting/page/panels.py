"""Small charts of one width that stand side by side, as many in a row as there is room: curves and subgroups."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from markupsafe import Markup

from headtohead.drawing.outlines import hexadecimal
from headtohead.reporting.evidence import VAL_DICE_OF
from headtohead.reporting.page import svg
from headtohead.reporting.page.entrants import Entrant
from headtohead.reporting.page.wording import interval, missing, score
from headtohead.task import Target

if TYPE_CHECKING:
    import pandas as pd

WIDTH, HEIGHT = 300.0, 196.0
LEFT, RIGHT, TOP, BOTTOM = 40.0, 8.0, 26.0, 38.0
HEADING, PITCH = 24.0, 13.0


def curve_panels(curves: "pd.DataFrame", entrants: list[Entrant], columns: list[str], what: str) -> list[Markup]:
    """Draw one panel an entrant: each run thin, their mean thick; the first column solid, the second dotted.

    Args:
        curves: one row a run and epoch.
        entrants: those to draw; one without curves has no panel.
        columns: one or two columns of `curves`.
        what: name of the vertical axis, for screen readers.

    Returns:
        The panels, all on one scale; none where no run has such numbers.
    """
    highest = 1.0 if "Dice" in what else float(curves[columns].max(axis=None)) if len(curves) else float("nan")
    if missing(highest) or not highest > 0:
        return []
    last = max(float(curves["epoch"].max()), 2.0)
    panels = []
    for entrant in entrants:
        own = curves[curves["entrant"] == entrant.name]
        if not own[columns].isna().all(axis=None):
            panels.append(_curve_panel(own, entrant, columns, what, (last, highest)))
    return panels


def _curve_panel(
    own: "pd.DataFrame", entrant: Entrant, columns: list[str], what: str, ends: tuple[float, float]
) -> Markup:
    last, highest = ends
    x = svg.axis_scale(1.0, last, LEFT, WIDTH - RIGHT)
    y = svg.axis_scale(0.0, highest, HEIGHT - BOTTOM, TOP)
    runs = list(own.groupby("run", sort=True))
    drawn = []
    for column, style in zip(columns, ("solid", "dotted"), strict=False):
        for _, run in runs if len(runs) > 1 else []:
            points = [(x(epoch), y(value)) for epoch, value in zip(run["epoch"], run[column], strict=True)]
            drawn.append(svg.polyline(points, f"run {style} {entrant.colour}"))
        # Where only some of the runs have come a mean would jump for no reason of theirs.
        by_epoch = own.groupby("epoch")[column].agg(["mean", "count"])
        common = by_epoch[by_epoch["count"] == len(runs)]["mean"].dropna()
        points = [(x(float(epoch)), y(float(value))) for epoch, value in common.items()]
        drawn.append(svg.polyline(points, f"average {style} {entrant.colour}"))
        if len(points) == 1:
            drawn.append(svg.marker(entrant, *points[0], 3.0))  # a line of one epoch would not be seen
    label = f"{what} of {entrant.label} by epoch, {len(runs)} runs"
    return svg.chart(WIDTH, HEIGHT, label, "curves", *_frame(x, y, last, highest), _title(entrant), *drawn)


def _frame(x: svg.Scale, y: svg.Scale, last: float, highest: float) -> list[Markup]:
    """Lines and numbers of both axes."""
    frame = [
        svg.line(LEFT, y(value), WIDTH - RIGHT, y(value), "grid")
        + svg.words_at(LEFT - 6, y(value) + 4, svg.tick_label(value), anchor="end")
        for value in svg.ticks(0.0, highest, 4)
    ]
    frame += [
        svg.words_at(x(value), HEIGHT - BOTTOM + 17, f"{value:g}", anchor="middle")
        for value in svg.ticks(1.0, last, 4)
        if value == int(value)
    ]
    return [*frame, svg.words_at((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 3, "epoch", anchor="middle")]


def _title(entrant: Entrant) -> Markup:
    return svg.marker(entrant, 6, 9, 4.5) + svg.words_at(17, 13, svg.cut_to_fit(entrant.label, WIDTH - 20), "name")


def target_panels(curves: "pd.DataFrame", entrants: list[Entrant], targets: Sequence[Target]) -> list[Markup]:
    """Draw one panel an entrant: validation Dice of each of several targets in its colour, the mean of its runs."""
    columns = {VAL_DICE_OF + target.name: hexadecimal(target.colour) for target in targets}
    columns = {column: colour for column, colour in columns.items() if column in curves}
    if not columns:
        return []
    last, panels = max(float(curves["epoch"].max()), 2.0), []
    x, y = svg.axis_scale(1.0, last, LEFT, WIDTH - RIGHT), svg.axis_scale(0.0, 1.0, HEIGHT - BOTTOM, TOP)
    for entrant in entrants:
        own = curves[curves["entrant"] == entrant.name]
        drawn = []
        for column, colour in columns.items():
            mean = own.groupby("epoch")[column].mean().dropna()
            points = [(x(float(epoch)), y(float(value))) for epoch, value in mean.items()]
            drawn.append(svg.element("g", svg.polyline(points, "average"), color=colour))
        if len(own):
            label = f"Validation Dice of each target of {entrant.label} by epoch"
            panels.append(svg.chart(WIDTH, HEIGHT, label, "curves", *_frame(x, y, last, 1.0), _title(entrant), *drawn))
    return panels


def subgroup_panels(subgroups: "pd.DataFrame", entrants: list[Entrant]) -> list[Markup]:
    """Draw one panel a kind of group: mean Dice of each entrant with its interval, level by level."""
    return [_subgroup_panel(str(kind), rows, entrants) for kind, rows in subgroups.groupby("group", sort=False)]


def _subgroup_panel(kind: str, rows: "pd.DataFrame", entrants: list[Entrant]) -> Markup:
    levels = list(rows.groupby("level", sort=False))
    height = 24 + len(levels) * (HEADING + PITCH * len(entrants)) + 30
    x = svg.axis_scale(0.0, 1.0, 4.0, WIDTH - 8)
    drawn = [svg.words_at(0, 13, kind, "name")]
    drawn += [
        svg.line(x(value), 24, x(value), height - 24, "grid")
        + svg.words_at(x(value), height - 8, f"{value:g}", anchor="middle")
        for value in (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
    ]
    top = 24.0
    for level, found in levels:
        cases = f"n = {found['n'].max()}"
        name = svg.cut_to_fit(str(level), WIDTH - svg.estimated_width(cases) - 16)
        drawn.append(
            svg.words_at(4, top + 16, name, "level") + svg.words_at(WIDTH - 8, top + 16, cases, "level", "end")
        )
        by_entrant = found.set_index("entrant")
        for place, entrant in enumerate(entrants):
            if entrant.name in by_entrant.index:
                drawn.append(_mean(entrant, by_entrant.loc[entrant.name], top + HEADING + PITCH * (place + 0.4), x))
        top += HEADING + PITCH * len(entrants)
    return svg.chart(WIDTH, height, f"Mean Dice by {kind}; the numbers are in the table", "subgroups", *drawn)


def _mean(entrant: Entrant, found: "pd.Series[float]", y: float, x: svg.Scale) -> Markup:
    if missing(found["mean"]):
        return svg.EMPTY
    said = f"{entrant.label}: {score(found['mean'])} {interval(found['low'], found['high'])}".strip()
    bar = svg.EMPTY
    if not missing(found["low"]):
        bar = svg.line(x(found["low"]), y, x(found["high"]), y, f"interval {entrant.colour}")
    return svg.element("g", svg.element("title", said), bar, svg.marker(entrant, x(found["mean"]), y, 4.0))
