"""Dice of every test case as sorted bars, one panel an entrant, with mean, median and the interval of the mean."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from headtohead.drawing.outlines import ON_PAPER
from headtohead.options.comparison import is_baseline
from headtohead.plurals import count_of
from headtohead.reporting.case_names import short_names
from headtohead.reporting.curves import spread
from headtohead.reporting.entrant_names import in_words
from headtohead.saving import write_figure
from headtohead.scoring.counts import FAILED_BELOW
from headtohead.statistics.intervals import Interval, mean_interval, median_interval

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BAR, FAILED, REFERENCE = ON_PAPER[4], ON_PAPER[1], "0.72"  # sky; vermilion; grey for the baseline, which is no model
DARK = "0.15"
PANEL_HEIGHT = 1.9  # inches
NARROWEST, WIDEST, BAR_WIDTH = 7.5, 14.5, 0.115  # inches: a bar wide enough for its name while that fits
MARGINS = 2.4  # inches beside the bars, about: the axis and the numbers
LARGEST_NAME, SMALLEST_NAME = 7.0, 3.5  # points; smaller would not be read
FEWEST_PLACES = 8  # a bar is never wider than this share of the panel
NEAREST_LABELS = 0.11  # in units of Dice: closer labels would be printed over each other


def write_dice_bars(matrix: "pd.DataFrame", path: Path, dots: "dict[str, tuple[pd.DataFrame, str]]") -> None:
    """Draw the Dice of every case, the best first, a panel for each entrant.

    The line is the mean, the band its 95 % interval over cases, the dashes the median. Cases below `FAILED_BELOW`
    are coloured and, for models, named: they decide the mean. Of several targets the bar is the mean over those that
    the truth holds, and each has a dot in its colour.

    Args:
        matrix: Dice, [cases, entrants].
        path: where to.
        dots: the Dice of each of several targets and its colour, by name.
    """
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    names = short_names(matrix.index)
    size = (_width(len(matrix)), 0.75 + PANEL_HEIGHT * len(matrix.columns))
    figure = Figure(figsize=size, layout=ConstrainedLayoutEngine(h_pad=0.08))
    grid = figure.subplots(len(matrix.columns), sharex=True, squeeze=False)
    for panel, entrant in zip(grid.flat, matrix.columns, strict=True):
        _draw_panel(panel, entrant, matrix[entrant].rename(index=names))
        ranked = matrix[entrant].sort_values(ascending=False, kind="stable").index
        for found, colour in dots.values():
            panel.scatter(
                range(len(ranked)), found[entrant].reindex(ranked), s=14, color=colour, lw=0.5, ec="white", zorder=4
            )
    order = f"{count_of(len(matrix), 'test case')}, in each panel from the best to the worst"
    grid[-1, 0].set_xlabel(order + "; bars: mean over targets" * bool(dots), fontsize=9)
    _head(figure, {name: colour for name, (_, colour) in dots.items()})
    write_figure(path, figure)


def _width(n: int) -> float:
    """Width in inches of a figure of n cases."""
    return float(np.clip(MARGINS + 0.8 + BAR_WIDTH * n, NARROWEST, WIDEST))


def _head(figure: "Figure", dots: dict[str, str]) -> None:
    """Write the title of the figure, and beside it what its colours and lines mean, and the colours of its dots."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    if dots:
        each = [Line2D([], [], color=colour, marker="o", ms=4, lw=0, label=name) for name, colour in dots.items()]
        figure.legend(handles=each, loc="outside lower center", ncols=4, fontsize=8, frameon=False)
    figure.legend(
        handles=[
            Patch(color=BAR, label="a case"),
            Patch(color=FAILED, label=f"below {FAILED_BELOW:g}"),
            Line2D([], [], color=DARK, lw=1.4, label="mean"),
            Patch(color=DARK, alpha=0.2, lw=0, label="its 95 % interval"),
            Line2D([], [], color=DARK, lw=1.2, ls=(0, (4, 2)), label="median"),
        ],
        loc="outside upper right",
        ncols=5,
        fontsize=8,
        frameon=False,
        handlelength=1.6,
        columnspacing=1.4,
    )
    top = 1 - 0.06 / figure.get_figheight()
    figure.suptitle("Dice per test case", x=0.01, y=top, va="top", ha="left", fontsize=12, fontweight="bold")


def _draw_panel(panel: "Axes", entrant: str, scores: "pd.Series") -> None:
    """Draw one entrant's bars; `scores` are Dice by short name of the case."""
    ranked = scores.sort_values(ascending=False, kind="stable")
    failed = ranked.to_numpy(float) < FAILED_BELOW
    if is_baseline(entrant):
        panel.bar(np.arange(len(ranked)), ranked, width=0.82, color=REFERENCE)
    else:
        panel.bar(np.arange(len(ranked)), ranked, width=0.82, color=np.where(failed, FAILED, BAR))
        _name_failures(panel, ranked, len(scores))

    mean = _mark_mean_and_median(panel, scores)
    about = f"{count_of(mean.n, 'case')}, {failed.sum()} below {FAILED_BELOW:g}"
    panel.set_title(in_words(entrant), loc="left", fontsize=10, fontweight="bold")
    panel.set_title(about, loc="right", fontsize=8.5, color="0.3")
    panel.set_xlim(-0.8, max(len(scores), FEWEST_PLACES) - 0.2)
    panel.set_xticks([])
    panel.set_ylim(0, 1)
    panel.set_yticks([0, 0.25, 0.5, 0.75, 1], ["0", "", "0.5", "", "1"])
    panel.grid(axis="y", color="0.9", lw=0.8)
    panel.set_axisbelow(True)
    panel.spines[["top", "right"]].set_visible(False)


def _mark_mean_and_median(panel: "Axes", scores: "pd.Series") -> Interval:
    """Draw both as lines with their numbers beside the panel, and the interval of the mean as a band; give the mean."""
    mean, median = mean_interval(scores), median_interval(scores)
    if mean.low < mean.high:
        panel.axhspan(mean.low, mean.high, color=DARK, alpha=0.2, lw=0)
    lines = []
    if mean.n:
        panel.axhline(mean.mean, color=DARK, lw=1.4)
        panel.axhline(median.median, color=DARK, lw=1.2, ls=(0, (4, 2)))
        lines = [
            (mean.mean, f"mean {_with_ends(mean.mean, mean.low, mean.high)}"),
            (median.median, f"median {_with_ends(median.median, median.low, median.high)}"),
        ]
    lines.sort()
    for (_, words), height in zip(lines, spread([value for value, _ in lines], NEAREST_LABELS), strict=True):
        panel.annotate(
            words,
            (1, height),
            xycoords=("axes fraction", "data"),
            xytext=(5, 0),
            textcoords="offset points",
            va="center",
            fontsize=8,
            annotation_clip=False,
        )
    return mean


def _name_failures(panel: "Axes", ranked: "pd.Series", n: int) -> None:
    """Write the names of failed cases upright above their bars, as large as the room of one of n bars allows."""
    from matplotlib.patheffects import withStroke

    room = _width(n) - MARGINS  # inches
    size = min(LARGEST_NAME, 0.78 * 72 * room / max(n, FEWEST_PLACES))
    if size < SMALLEST_NAME:
        return
    for place, (name, height) in enumerate(ranked.items()):
        if height < FAILED_BELOW:
            panel.text(
                place,
                height + 0.025,
                str(name),
                rotation=90,
                ha="center",
                va="bottom",
                fontsize=size,
                color=DARK,
                path_effects=[withStroke(linewidth=2, foreground="white")],
                zorder=5,
            )


def _with_ends(value: float, low: float, high: float) -> str:
    return f"{value:.2f}" if np.isnan(low) else f"{value:.2f} [{low:.2f}, {high:.2f}]"
