"""Numbers as the page writes them: as many decimals as hold, a true minus sign, a dash where there is no number."""

import math
from typing import TYPE_CHECKING, Any

from headtohead.statistics.decimals import p_value as statistics_p_value
from headtohead.statistics.decimals import with_decimals
from headtohead.statistics.trainings import TWO_LEVEL

if TYPE_CHECKING:
    import pandas as pd

NOTHING = "–"
MINUS = "−"


def missing(value: Any) -> bool:
    """Whether there is nothing to write: None, NaN, pandas' NA or NaT, or an empty text."""
    if value is None or isinstance(value, str):
        return not value
    return bool(value != value) if isinstance(value, (int, float)) else str(value) in ("nan", "<NA>", "NaT", "None")


def score(value: Any, low: Any = None, high: Any = None) -> str:
    """Write a score such as Dice, `0.836`, with the decimals that the interval around it carries."""
    return NOTHING if missing(value) else with_decimals(float(value), *_ends(low, high)).replace("-", MINUS)


def signed_difference(value: Any, low: Any = None, high: Any = None) -> str:
    """Write a difference of scores with its sign: `+0.012`, `−0.004`; `0.000` has none."""
    if missing(value):
        return NOTHING
    text = with_decimals(abs(float(value)), *_ends(low, high))
    sign = "" if float(text) == 0 else "+" if value > 0 else MINUS
    return sign + text


def interval(low: Any, high: Any, signed: bool = False) -> str:
    """Write both ends, `[0.812, 0.858]`; nothing where there is no interval."""
    if missing(low) or missing(high):
        return ""
    write = signed_difference if signed else score
    return f"[{write(low, low, high)}, {write(high, low, high)}]"


def _ends(low: Any, high: Any) -> tuple[float, float]:
    return (math.nan, math.nan) if missing(low) or missing(high) else (float(low), float(high))


def p_in_words(value: Any) -> str:
    """Write a p value: `0.031`, `0.21`, and `< 0.001` below that."""
    return NOTHING if missing(value) else statistics_p_value(float(value))


def count_in_words(value: Any) -> str:
    """Write a count: `1,204`."""
    return NOTHING if missing(value) else f"{round(float(value)):,}"


def share(value: Any) -> str:
    """Write a share: `34 %`; what is not quite nothing or all is not rounded to it."""
    if missing(value):
        return NOTHING
    value = float(value)
    if 0 < value < 0.01:
        return "< 1 %"
    return "> 99 %" if 0.99 < value < 1 else f"{value:.0%}".replace("%", " %")


def size(parameters: Any) -> str:
    """Write a number of parameters in millions: `7.8 M`; small ones in full."""
    if missing(parameters):
        return NOTHING
    return f"{parameters / 1e6:.1f} M" if parameters >= 1e5 else count_in_words(parameters)


def operations(count: Any) -> str:
    """Write a number of multiply-adds in thousands, millions or thousands of millions: `12 G`, `3.4 M`, `980 k`."""
    if missing(count):
        return NOTHING
    power, letter = next(((one, sign) for one, sign in ((1e9, "G"), (1e6, "M")) if count >= one), (1e3, "k"))
    value = count / power
    return f"{value:.2g} {letter}" if value < 100 else f"{value:,.0f} {letter}"


def pace(per_second: Any) -> str:
    """Write how many a second: `7.8`, `112`."""
    if missing(per_second):
        return NOTHING
    return f"{per_second:.2g}" if per_second < 10 else f"{per_second:,.0f}"


def duration(seconds: Any) -> str:
    """Write a time: `42 s`, `14 min`, `3 h 05 min`."""
    if missing(seconds) or not math.isfinite(seconds):
        return NOTHING
    minutes = round(seconds / 60)
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02d} min"


def band(pairs: "pd.DataFrame") -> str:
    """Say what the grey band of a pair means: with several seeds its size holds the seeds and the correction."""
    two_level = pairs["test"].str.contains(TWO_LEVEL, regex=False)
    single = "that a single test on these cases detects four times in five"
    if len(pairs) > 1:
        single += ", before the correction for several pairs, which lowers the power"
    if not two_level.any():
        return f"The grey band ends at the smallest mean difference {single}."
    corrected = " and after the correction for all pairs" if len(pairs) > 1 else ""
    several = f"that is detected about four times in five with so many cases and seeds{corrected}"
    if two_level.all():
        return f"The grey band ends at the smallest mean difference {several}."
    return (
        f"Where an entrant was trained several times, the grey band ends at the smallest mean difference {several}; "
        f"elsewhere, at the one {single}."
    )
