"""Score against cost: whether a net that takes more computation also scores higher."""

import math
from typing import TYPE_CHECKING

from markupsafe import Markup

from headtohead.reporting.page import svg
from headtohead.reporting.page.entrants import Entrant
from headtohead.reporting.page.wording import interval, missing, operations, score

if TYPE_CHECKING:
    import pandas as pd

LEFT, RIGHT, TOP, BOTTOM = 44.0, 12.0, 14.0, 46.0
AIR = 0.08  # at either end of an axis, as a share of it
LEAST_DECADES = 1.0  # an axis of less would blow up what hardly differs


def cost_plot(costs: "pd.DataFrame", means: "pd.DataFrame", entrants: list[Entrant], width: float) -> Markup:
    """Draw mean Dice with its interval against the multiply-adds of one image, on a logarithmic axis.

    Args:
        costs: as `costs.costs_of` gives them.
        means: mean, low and high by entrant.
        entrants: those of the page; one without costs has no dot, and the baseline is a dashed line.
        width: in CSS pixels.

    Returns:
        The drawing; nothing where fewer than two entrants have both.
    """
    price = costs.set_index("entrant")["multiply_adds"].to_dict()
    drawn = [one for one in entrants if price.get(one.name) and not missing(means.loc[one.name, "mean"])]
    if len(drawn) < 2:
        return svg.EMPTY
    height = min(360.0, 190.0 + width * 0.17)
    decades = [math.log10(price[one.name]) for one in drawn]
    first, last = _with_air(min(decades), max(decades), LEAST_DECADES)
    x = svg.axis_scale(first, last, LEFT, width - RIGHT)
    baseline = next((one for one in entrants if one.baseline and not missing(means.loc[one.name, "mean"])), None)
    low, high = _span(means.loc[[one.name for one in [*drawn, *([baseline] if baseline else [])]]])
    y = svg.axis_scale(low, high, height - BOTTOM, TOP)
    frame = [_level(value, y, width) for value in svg.ticks(low, high, 5) if 0 <= value <= 1]
    frame += [_decade(value, x, height) for value in _round_costs(first, last, 3 if width < 500 else 6)]
    title = svg.words_at((LEFT + width - RIGHT) / 2, height - 6, "multiply-adds of one image", "side", "middle")
    marks = [_mark(one, means.loc[one.name], price[one.name], x, y) for one in drawn]
    line = _baseline(baseline, means, y, width) if baseline else svg.EMPTY
    label = f"Mean Dice of {len(drawn)} entrants against multiply-adds of one image; the numbers are in the tables"
    return svg.chart(width, height, label, "cost-plot", *frame, title, line, *marks)


def _with_air(low: float, high: float, least: float) -> tuple[float, float]:
    air = max((high - low) * AIR, (least - (high - low)) / 2)
    return low - air, high + air


def _span(means: "pd.DataFrame") -> tuple[float, float]:
    """From the lowest to the highest end of an interval, with a little air."""
    ends = [float(value) for value in means[["mean", "low", "high"]].to_numpy(float).ravel() if not missing(value)]
    return _with_air(min(ends), max(ends), 0.05)


def _round_costs(first: float, last: float, most: int) -> list[float]:
    """Choose round numbers on the logarithmic axis: 1, 2 and 5 times a power of ten, or powers alone where many."""
    for factors in ((1, 2, 5), (1, 3), (1,)):
        found = [factor * 10.0**power for power in range(math.floor(first), math.ceil(last) + 1) for factor in factors]
        found = [value for value in found if first <= math.log10(value) <= last]
        if len(found) <= most:
            return found
    return found[:: math.ceil(len(found) / most)]


def _level(value: float, y: svg.Scale, width: float) -> Markup:
    words = svg.words_at(LEFT - 6, y(value) + 4, svg.tick_label(value), anchor="end")
    return svg.line(LEFT, y(value), width - RIGHT, y(value), "grid") + words


def _decade(value: float, x: svg.Scale, height: float) -> Markup:
    place = x(math.log10(value))
    words = svg.words_at(place, height - BOTTOM + 17, operations(value), anchor="middle")
    return svg.line(place, TOP, place, height - BOTTOM, "grid") + words


def _mark(entrant: Entrant, found: "pd.Series[float]", price: float, x: svg.Scale, y: svg.Scale) -> Markup:
    place = x(math.log10(price))
    said = f"{entrant.label}: {score(found['mean'])} {interval(found['low'], found['high'])}".strip()
    drawn = [svg.element("title", f"{said}, {operations(price)} multiply-adds")]
    if not missing(found["low"]):
        drawn.append(svg.line(place, y(found["low"]), place, y(found["high"]), f"interval {entrant.colour}"))
    return svg.element("g", *drawn, svg.marker(entrant, place, y(found["mean"]), 5.0), class_="cost")


def _baseline(entrant: Entrant, means: "pd.DataFrame", y: svg.Scale, width: float) -> Markup:
    place = y(means.loc[entrant.name, "mean"])
    words = svg.words_at(width - RIGHT, place - 5, svg.cut_to_fit(entrant.label, width * 0.6), "level", "end")
    return svg.line(LEFT, place, width - RIGHT, place, "threshold") + words
