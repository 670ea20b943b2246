"""The pieces that every chart is made of. Whatever is put into an element is escaped: a case's name stays a name."""

import math
from collections.abc import Callable, Iterable
from itertools import pairwise

from markupsafe import Markup, escape

from headtohead.reporting.page.entrants import Entrant

Scale = Callable[[float], float]
EMPTY = Markup("")
CHARACTER = 0.56  # mean width of a character in units of the font size; only used to leave enough room
LETTERS = 12.0  # font size of charts, as style.css has it


def element(name: str, *children: str, **attributes: object) -> Markup:
    """Make one element.

    Args:
        name: of the element.
        children: texts, which are escaped, and other elements.
        attributes: `text_anchor` becomes text-anchor, `class_` class; numbers are rounded to a tenth, None is left out.
    """
    written = Markup().join(
        Markup(' {}="{}"').format(key.rstrip("_").replace("_", "-"), _short(value))
        for key, value in attributes.items()
        if value is not None
    )
    # The names of elements and attributes are ours; texts and values are not.
    return Markup("<{0}{1}>{2}</{0}>").format(Markup(name), written, Markup().join(escape(child) for child in children))


def chart(width: float, height: float, label: str, class_: str, *children: str) -> Markup:
    """Make a whole drawing that says to a screen reader what it shows; units are CSS pixels."""
    box = f"0 0 {_short(width)} {_short(height)}"
    size = {"viewBox": box, "width": width, "height": height}
    return element("svg", *children, class_=f"chart {class_}", **size, role="img", aria_label=label)


def words_at(x: float, y: float, words: str, class_: str = "", anchor: str = "start") -> Markup:
    """Write words; `y` is their baseline, `anchor` start, middle or end."""
    return element("text", words, x=x, y=y, class_=class_ or None, text_anchor=None if anchor == "start" else anchor)


def line(x1: float, y1: float, x2: float, y2: float, class_: str) -> Markup:
    """Draw a straight line."""
    return element("line", x1=x1, y1=y1, x2=x2, y2=y2, class_=class_)


def polyline(points: Iterable[tuple[float, float]], class_: str) -> Markup:
    """Draw through the points in order; where a coordinate is NaN the line is broken, not bridged."""
    path, pen_down = "", False
    for x, y in points:
        defined = not (math.isnan(x) or math.isnan(y))
        if defined:
            path += f"{'L' if pen_down else 'M'}{_short(x)} {_short(y)}"
        pen_down = defined
    return element("path", d=path, class_=class_) if path else EMPTY


def marker(entrant: Entrant, x: float, y: float, radius: float = 4.0) -> Markup:
    """Draw an entrant's dot, in its colour and shape."""
    return marker_of(entrant.marker, x, y, radius, f"marker {entrant.colour}")


def marker_of(shape: str, x: float, y: float, radius: float, class_: str) -> Markup:
    """Draw a dot of a named shape; the shapes cover about the same area."""
    r = radius
    paths = {
        "circle": _circle(r),
        "square": _polygon(r * 0.9, [(-1, -1), (1, -1), (1, 1), (-1, 1)]),
        "triangle": _polygon(r * 1.15, [(0, -1.1), (1, 0.8), (-1, 0.8)]),
        "diamond": _polygon(r * 1.25, [(0, -1), (1, 0), (0, 1), (-1, 0)]),
        "wedge": _polygon(r * 1.15, [(-1, -0.8), (1, -0.8), (0, 1.1)]),
        "plus": _strokes(r * 1.15, [(-1, 0, 1, 0), (0, -1, 0, 1)]),
        "bar": _polygon(r * 1.1, [(-1, -0.45), (1, -0.45), (1, 0.45), (-1, 0.45)]),
        "cross": _strokes(r, [(-1, -1, 1, 1), (-1, 1, 1, -1)]),
    }
    return element("path", d=f"M{_short(x)} {_short(y)}{paths[shape]}", class_=f"{class_} shape-{shape}")


def axis_scale(low: float, high: float, start: float, stop: float) -> Scale:
    """Give the function that maps low..high onto start..stop."""
    span = (high - low) or 1.0
    return lambda value: start + (value - low) / span * (stop - start)


def ticks(low: float, high: float, about: int = 5) -> list[float]:
    """Choose round numbers within low..high, about so many: steps of 1, 2, 2.5 or 5 times a power of ten."""
    if not high > low:
        return [low]
    rough = (high - low) / max(about, 1)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= rough * (1 - 1e-9))
    first = math.ceil(low / step - 1e-9)
    return [round(place * step, 12) for place in range(first, math.floor(high / step + 1e-9) + 1)]


def tick_label(value: float, signed: bool = False) -> str:
    """Write a number at an axis with the digits it needs: `0.25`, `2.5e-4`, and where `signed` `+0.02`."""
    power = math.floor(math.log10(abs(value))) if value else 0
    short = f"{value / 10**power:g}e{power}" if power < -3 else f"{value:g}"
    return ("+" * (signed and value > 0) + short).replace("-", "−")


def estimated_width(words: str, font_size: float = LETTERS) -> float:
    """Estimate how wide words are, in pixels; there is no browser to ask."""
    return CHARACTER * font_size * len(words)


def cut_to_fit(words: str, room: float, font_size: float = LETTERS) -> str:
    """Cut words that would not fit and end them with an ellipsis."""
    most = max(2, int(room / (CHARACTER * font_size)))
    return words if len(words) <= most else words[: most - 1] + "…"


def _short(value: object) -> str:
    """A number without the digits that nobody sees, and never -0; any other value as it is."""
    return format(round(value, 1) + 0.0, "g") if isinstance(value, float) else str(value)


def _circle(r: float) -> str:
    """The path of a circle around the pen: two half turns."""
    half = f"a{_short(r)} {_short(r)} 0 1 0 "
    return f"m{_short(-r)} 0{half}{_short(2 * r)} 0{half}{_short(-2 * r)} 0z"


def _polygon(r: float, corners: list[tuple[float, float]]) -> str:
    """The path of a polygon around the pen, as relative moves."""
    steps = [(corners[0][0], corners[0][1])]
    steps += [(x - px, y - py) for (px, py), (x, y) in pairwise(corners)]
    written = [f"{_short(r * x)} {_short(r * y)}" for x, y in steps]
    return "m" + written[0] + "l" + " ".join(written[1:]) + "z"


def _strokes(r: float, lines: list[tuple[float, float, float, float]]) -> str:
    """The path of lines around the pen, which ends where it began."""
    moves = []
    for x1, y1, x2, y2 in lines:
        moves += [("m", x1, y1), ("l", x2 - x1, y2 - y1), ("m", -x2, -y2)]
    return "".join(f"{kind}{_short(r * x)} {_short(r * y)}" for kind, x, y in moves)
