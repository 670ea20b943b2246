"""The picture of learning: training and validation Dice per epoch of all runs of a comparison, one panel a model."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from headtohead.drawing.outlines import ON_PAPER, hexadecimal
from headtohead.errors import UserError
from headtohead.records.regular import UnreadableError
from headtohead.reporting.entrant_names import schedule_in_words, schedule_order
from headtohead.reporting.evidence import METRICS, VAL_DICE_OF, metrics_of
from headtohead.runs.ledger import Ledger
from headtohead.runs.run import Run
from headtohead.saving import write_figure

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

MOST_IN_A_ROW = 3
NEAREST_LABELS = 0.055  # in units of Dice: closer labels would be printed over each other

Curve = tuple[Run, "pd.DataFrame"]


def write_curves(ledger: Ledger, folder: Path) -> Path:
    """Draw curves.png: one panel a model, one colour a schedule; solid is validation, dotted is training.

    Raises:
        UserError: no run has finished an epoch.
    """
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    targets = {one.name: hexadecimal(one.colour) for one in ledger.task.targets.all if len(ledger.task.targets) > 1}
    curves = [(run, table) for run in ledger.runs if (table := _read_metrics(run, list(targets))) is not None]
    if not curves:
        raise UserError(
            f"{ledger.folder}: no run has finished an epoch, so there is no curve to draw; run `train` or `compare`"
        )
    models = sorted({run.experiment["model"] for run, _ in curves})
    # In the order of the table; a schedule keeps its colour in every panel.
    schedules = sorted({run.experiment["schedule"] for run, _ in curves}, key=schedule_order)
    colours = {schedule: ON_PAPER[place % len(ON_PAPER)] for place, schedule in enumerate(schedules)}

    columns = min(len(models), MOST_IN_A_ROW)
    rows = -(-len(models) // columns)
    size = (1.2 + 4.2 * columns, 0.9 + 3.2 * rows)
    figure = Figure(figsize=size, layout="constrained")
    panels = list(figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).flat)
    longest = max(int(table["epoch"].max()) for _, table in curves) + 1
    for panel, model in zip(panels, models, strict=False):
        own = [curve for curve in curves if curve[0].experiment["model"] == model]
        _draw_panel(panel, model, own, colours, longest)
        for target, colour in targets.items():
            _draw_target(panel, [table for _, table in own if VAL_DICE_OF + target in table], target, colour)
    _label(panels, len(models), columns)
    several = len({run.entrant for run, _ in curves}) < len(curves)
    lines = "validation (solid) and training (dotted)" + "; thick: mean over seeds and folds, thin: each run" * several
    lines += "; dashed: validation, each target" * bool(targets)
    figure.suptitle(f"{ledger.folder.name}: {lines}", fontsize=11, parse_math=False)  # `$` is only a letter
    if targets:
        handles = [Line2D([], [], color=colour, lw=1.2, ls="--", label=name) for name, colour in targets.items()]
        figure.legend(handles=handles, loc="outside lower center", ncols=4, frameon=False, fontsize=9)
    path = folder / "curves.png"
    write_figure(path, figure)
    return path


def _read_metrics(run: Run, targets: Sequence[str]) -> "pd.DataFrame | None":
    """Read metrics.csv, and say where it is damaged; None for the baseline and for a run without a whole epoch."""
    try:
        return metrics_of(run, ["train_dice", "val_dice"], [VAL_DICE_OF + name for name in targets])
    except UnreadableError:
        print(f"warning: {run.folder / METRICS}: damaged; this run has no curve", file=sys.stderr)
        return None


def _label(panels: "list[Axes]", used: int, columns: int) -> None:
    """Name the axes at the edges of the grid, and hide the panels that are not used."""
    for place, panel in enumerate(panels):
        panel.set_visible(place < used)
        if place + columns >= used:
            panel.set_xlabel("epoch")
            panel.tick_params(labelbottom=True)
        if place % columns == 0:
            panel.set_ylabel("mean Dice per case")


def _draw_panel(panel: "Axes", model: str, curves: list[Curve], colours: dict[str, str], longest: int) -> None:
    from matplotlib.ticker import MaxNLocator

    ends: list[tuple[float, float, str]] = []
    for schedule, colour in colours.items():
        tables = [table for run, table in curves if run.experiment["schedule"] == schedule]
        if not tables:
            continue
        mean = mean_of_runs(tables)
        if len(tables) > 1:
            for table in tables:
                panel.plot(table["epoch"] + 1, table["val_dice"], color=colour, lw=0.7, alpha=0.5)
        marker = "o" if len(mean) == 1 else ""  # a line of one epoch would not be seen
        panel.plot(mean.index + 1, mean["train_dice"], color=colour, lw=1.2, ls=":", marker=marker, ms=3)
        panel.plot(mean.index + 1, mean["val_dice"], color=colour, lw=1.8, marker=marker, ms=4)
        defined = mean["val_dice"].dropna()
        if len(defined):
            ends.append((float(defined.iloc[-1]), float(defined.index[-1]) + 1, schedule))
    ends.sort()
    heights = spread([height for height, _, _ in ends])
    for (_, epoch, schedule), height in zip(ends, heights, strict=True):
        panel.annotate(
            schedule_in_words(schedule),
            (epoch, height),
            xytext=(4, 0),
            textcoords="offset points",
            color=colours[schedule],
            va="center",
            fontsize=9,
            annotation_clip=False,
        )
    panel.set_title(model, loc="left", fontsize=10, fontweight="bold")
    panel.set_xlim(1, max(longest, 2))
    panel.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    panel.set_ylim(0, 1)
    panel.grid(axis="y", color="0.9", lw=0.8)
    panel.set_axisbelow(True)
    panel.spines[["top", "right"]].set_visible(False)


def _draw_target(panel: "Axes", tables: "list[pd.DataFrame]", target: str, colour: str) -> None:
    """Draw the validation Dice of one of several targets: the mean over all runs of the model."""
    if tables:
        mean = mean_of_runs(tables, [VAL_DICE_OF + target])[VAL_DICE_OF + target]
        panel.plot(mean.index + 1, mean, color=colour, lw=1.2, ls="--", marker="o" if len(mean) == 1 else "", ms=3)


def mean_of_runs(tables: "list[pd.DataFrame]", columns: Sequence[str] = ("train_dice", "val_dice")) -> "pd.DataFrame":
    """Average the runs of all seeds and folds epoch by epoch, as far as all of them have come."""
    import pandas as pd

    common = min(table["epoch"].max() for table in tables)
    stacked = pd.concat(tables)
    return stacked[stacked["epoch"] <= common].groupby("epoch")[list(columns)].mean()


def spread(heights: Sequence[float], nearest: float = NEAREST_LABELS) -> list[float]:
    """Move ascending heights of labels at least `nearest` apart, as little as that takes, around their middle."""

    def bottom(stack: list[float]) -> float:
        return sum(stack) / len(stack) - (len(stack) - 1) * nearest / 2

    # Labels that touch form a stack around the mean of where they should stand; stacks that touch are merged.
    stacks: list[list[float]] = []
    for height in heights:
        stacks.append([height])
        while len(stacks) > 1 and bottom(stacks[-2]) + len(stacks[-2]) * nearest > bottom(stacks[-1]):
            last = stacks.pop()
            stacks[-1] += last
    return [bottom(stack) + place * nearest for stack in stacks for place in range(len(stack))]
