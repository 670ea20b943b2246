"""The results table of a comparison: for people, for a paper, for programs, and on the terminal."""

import math
from typing import TYPE_CHECKING

from headtohead.options.comparison import BASELINE
from headtohead.reporting.entrant_names import in_words, schedule_in_words
from headtohead.reporting.summary import Summary, Training
from headtohead.scoring.counts import FAILED_BELOW
from headtohead.statistics.decimals import number
from headtohead.statistics.matrix import entrant_name
from headtohead.statistics.means import sum_up
from headtohead.statistics.targets import MEAN, TARGET, each_target, over_targets

if TYPE_CHECKING:
    import pandas as pd

NOTHING = "–"
# Scores of cases.csv that have a mean worth a line; the surface scores have their unit behind the name.
SCORES: tuple[str, ...] = ("dice", "iou", "precision", "recall", "hd95", "surface_dice", "lesions_", "false_")
SCORES += ("volume_error", "relative_volume_error", "absolute_")
# Signed: over and under cancel out in a mean, so |error| is added.
ERRORS = ("volume_error", "relative_volume_error", "volume_error_ml")
RESULT_COLUMNS = ["entrant", "score", "n", "mean", "mean_low", "mean_high", "median", "median_low", "median_high"]
RESULT_COLUMNS += ["minimum", "maximum", "seeds", "seed_sd"]
FRACTIONS = ("dice", "iou", "precision", "recall", "surface_dice")  # scores between 0 and 1
Grid = list[list[str]]  # the first line is the header


def print_table(summary: Summary) -> None:
    """Print the table: drawn on a terminal, as the text of results.md in a log."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    if not console.is_terminal:
        print(render_markdown(summary), end="")
        return
    for title, grid in _titled(summary).items():
        table = Table(title=title or None, title_justify="left", title_style="bold")
        for place, name in enumerate(grid[0]):
            table.add_column(Text(name), justify="right" if place else "left")
        for line in grid[1:]:
            table.add_row(*(Text(cell) for cell in line))
        if len(grid) > 1:
            console.print(table)
    for note in [summary.about] * bool(summary.about) + summary.footnotes:
        console.print(Text(note, style="bold red" if note.startswith("LEAK") else ""))


def result_rows(cases: "pd.DataFrame") -> "pd.DataFrame":
    """Give the rows of results.csv: one for each entrant and score, over the cases with a lesion.

    Args:
        cases: as in cases.csv.

    Returns:
        `RESULT_COLUMNS`, with several targets also which, the mean over them first: mean and median with
        their intervals, the least and the largest, number of seeds and seed SD.
    """
    import pandas as pd

    for error in ERRORS:
        if error in cases and f"absolute_{error}" not in cases:
            cases = cases.assign(**{f"absolute_{error}": cases[error].abs()})
    if TARGET in cases:
        parts = {MEAN: over_targets(cases), **each_target(cases)}
        tables = [result_rows(rows).assign(**{TARGET: target}) for target, rows in parts.items()]
        return pd.concat(tables, ignore_index=True)[[TARGET, *RESULT_COLUMNS]]
    tables = []
    for score in (column for column in cases.columns if column.startswith(SCORES)):
        found = sum_up(cases, score, fraction=score.startswith(FRACTIONS)).reset_index()
        tables.append(
            found.rename(columns={"low": "mean_low", "high": "mean_high"}).assign(score=score)[RESULT_COLUMNS]
        )
    return pd.concat(tables, ignore_index=True) if len(cases) else pd.DataFrame(columns=RESULT_COLUMNS)


def render_latex(summary: Summary) -> str:
    """Give the text of results.tex: the main tables for a paper that loads booktabs, with the footnotes as comments."""
    grids = [score_grid(summary), *([target_grid(summary)] if summary.by_target else [])]
    return "\n".join([*(f"% {note}" for note in summary.footnotes), *(_tabular(grid) for grid in grids)]) + "\n"


def _tabular(grid: Grid) -> str:
    first, *lines = [" & ".join(map(_escape_latex, line)) + r" \\" for line in grid]
    begin = r"\begin{tabular}{l" + "r" * (len(grid[0]) - 1) + "}"
    return "\n".join([begin, r"\toprule", first, r"\midrule", *lines, r"\bottomrule", r"\end{tabular}"])


def render_markdown(summary: Summary) -> str:
    """Give the text of results.md."""
    parts: list[str] = []
    for level, (title, grid) in enumerate(_titled(summary).items()):
        parts += [f"{'##' if level else '#'} {title}"] * (not level or len(grid) > 1)
        parts += [summary.about] * (not level and bool(summary.about))
        parts += [_markdown(grid)] * (len(grid) > 1)
    parts += summary.footnotes
    return "\n\n".join(parts) + "\n"


def _titled(summary: Summary) -> dict[str, Grid]:
    """The tables by their titles; one that has only a header has nothing to say."""
    return {
        f"{summary.title}: mean Dice per case": score_grid(summary),
        "Mean Dice per case, target by target": target_grid(summary),
        f"Cases without a {'target' if summary.by_target else 'lesion'}": without_lesion_grid(summary),
        "Each training": run_grid(summary.rows),
    }


def score_grid(summary: Summary) -> Grid:
    """Lay out the main table: rows schedule, columns model; the baseline, which is no model, in a column of its own."""
    with_baseline = BASELINE in summary.means.index
    header = ["schedule", *summary.models, *(["no model"] if with_baseline else [])]
    grid = [header]
    for schedule in summary.schedules:
        line = [_cell(summary, schedule, model) for model in summary.models]
        medians = [_median(summary, schedule, model) for model in summary.models]
        name = schedule_in_words(schedule)
        grid.append([name, *line, *([NOTHING] if with_baseline else [])])
        grid.append([f"{name}, median", *medians, *([NOTHING] if with_baseline else [])])
        sds = [_seed_sd(summary, schedule, model) for model in summary.models]
        if set(sds) != {NOTHING}:
            grid.append([f"{name}, seed SD", *sds, *([NOTHING] if with_baseline else [])])
        ranges = [_range(summary, schedule, model) for model in summary.models]
        grid.append([f"{name}, lowest to highest", *ranges, *([NOTHING] if with_baseline else [])])
    if with_baseline:
        threshold = f"threshold on {summary.sequence}"
        grid.append([threshold, *[NOTHING] * len(summary.models), _estimate(summary.means.loc[BASELINE])])
    return grid


def target_grid(summary: Summary) -> Grid:
    """Lay out the Dice of each of several targets: rows entrants, columns targets; the header alone where it is one."""
    means = summary.by_target.values()
    grid = [["entrant", *summary.by_target]]
    for entrant in summary.means.index if means else ():
        grid.append([in_words(entrant), *(_estimate(own.loc[entrant]) for own in means)])
    return grid + [["cases", *(str(own["n"].iloc[0]) for own in means)]] * bool(len(grid) > 1)


def without_lesion_grid(summary: Summary) -> Grid:
    """Lay out what each entrant did on the cases without a lesion; the header alone where every case has one."""
    found = summary.without_lesion
    in_ml = bool(len(found)) and bool(found["false_ml_mean"].notna().all())
    kind, unit = ("false_ml", "ml") if in_ml else ("false_voxels", "voxels")
    columns = ["entrant", "cases", "left alone", "specificity", f"false {unit} per case, mean", "median"]
    grid = [["without"] * (TARGET in found) + [*columns, "lowest to highest"]]
    for row in found.to_dict("records"):
        mean, median, low, high = (f"{row[f'{kind}_{size}']:,.4g}" for size in ("mean", "median", "minimum", "maximum"))
        share = show_estimate(row["specificity"], row["low"], row["high"])
        alone = f"{row['left_alone']:.3g}"
        which = [str(row[TARGET])] if TARGET in row else []
        grid.append([*which, in_words(row["entrant"]), str(row["n"]), alone, share, mean, median, f"{low} to {high}"])
    return grid


def run_grid(rows: list[Training]) -> Grid:
    """Lay out the second table: one row per finished experiment."""
    cells = [
        "experiment",
        "parameters",
        "mean",
        "median",
        f"cases below {FAILED_BELOW:g}",
        "epochs",
        "best epoch",
        "seconds",
    ]
    grid = [cells]
    for row in rows:
        whole = [NOTHING if number is None else str(number) for number in (row.epochs, row.best_epoch)]
        seconds = NOTHING if row.seconds is None else f"{row.seconds:.0f}"
        size = NOTHING if row.parameters is None else f"{row.parameters / 1e6:.1f} M"
        grid.append([row.name, size, _number(row.mean), _number(row.median), str(row.failed), *whole, seconds])
    return grid


def show_estimate(value: float, low: float, high: float) -> str:
    """Give `0.823 [0.794, 0.849]` with the decimals that the interval carries; the value alone where there is none."""
    if math.isnan(low):
        return _number(value)
    mean, *ends = (number(each, low, high) for each in (value, low, high))
    return f"{mean} [{', '.join(ends)}]"


def _of(summary: Summary, schedule: str, model: str) -> "pd.Series | None":
    """What is known of an entrant; None where it has no scores."""
    name = entrant_name(model, schedule)
    return summary.means.loc[name] if name in summary.means.index else None


def _estimate(found: "pd.Series", of: str = "mean") -> str:
    before = "" if of == "mean" else f"{of}_"
    return show_estimate(found[of], found[f"{before}low"], found[f"{before}high"])


def _cell(summary: Summary, schedule: str, model: str) -> str:
    found = _of(summary, schedule, model)
    return summary.gaps.get((schedule, model), NOTHING) if found is None else _estimate(found)


def _median(summary: Summary, schedule: str, model: str) -> str:
    found = _of(summary, schedule, model)
    return NOTHING if found is None else _estimate(found, "median")


def _seed_sd(summary: Summary, schedule: str, model: str) -> str:
    found = _of(summary, schedule, model)
    return NOTHING if found is None or found["seeds"] < 2 else f"{found['seed_sd']:.4f} ({found['seeds']:.0f} seeds)"


def _range(summary: Summary, schedule: str, model: str) -> str:
    found = _of(summary, schedule, model)
    if found is None or math.isnan(found["minimum"]):
        return NOTHING
    return f"{_number(found['minimum'])} to {_number(found['maximum'])}"


def _number(value: float) -> str:
    return "undefined" if math.isnan(value) else number(value)


def _markdown(grid: Grid) -> str:
    """Markdown whose columns also line up in a plain text file."""
    grid = [[_escape(cell) for cell in line] for line in grid]
    widths = [max(len(line[place]) for line in grid) for place in range(len(grid[0]))]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    padded = [
        [
            cell.rjust(width) if place else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(line, widths, strict=True))
        ]
        for line in grid
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in [padded[0], rule, *padded[1:]])


def _escape_latex(text: str) -> str:
    for plain in "&%$#_{}":
        text = text.replace(plain, f"\\{plain}")
    return text.replace(NOTHING, "--")


def _escape(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
