"""The results table of a comparison: for people, for a paper, for programs, and on the terminal."""

from typing import TYPE_CHECKING

from headtohead.drawing.terminal import drawn_table
from headtohead.reporting.summary import NOTHING, Grid, Summary
from headtohead.statistics.means import sum_up
from headtohead.statistics.targets import MEAN, TARGET, each_target, over_targets

if TYPE_CHECKING:
    import pandas as pd

# Scores of cases.csv that have a mean worth a line; the surface scores have their unit behind the name.
SCORES: tuple[str, ...] = ("dice", "iou", "precision", "recall", "hd95", "surface_dice", "lesions_", "false_")
SCORES += ("volume_error", "relative_volume_error", "absolute_")
# Signed: over and under cancel out in a mean, so |error| is added.
ERRORS = ("volume_error", "relative_volume_error", "volume_error_ml")
RESULT_COLUMNS = ["entrant", "score", "n", "mean", "mean_low", "mean_high", "median", "median_low", "median_high"]
RESULT_COLUMNS += ["minimum", "maximum", "seeds", "seed_sd"]
FRACTIONS = ("dice", "iou", "precision", "recall", "surface_dice")  # scores between 0 and 1


def print_results(summary: Summary) -> None:
    """Print the table: drawn on a terminal, as the text of results.md in a log."""
    from rich.console import Console
    from rich.text import Text

    console = Console()
    if not console.is_terminal:
        print(render_markdown(summary), end="")
        return
    for title, grid in summary.titled.items():
        if len(grid) > 1:
            console.print(drawn_table(grid, title))
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
    grids = [summary.means, *([summary.by_target] if len(summary.by_target[0]) > 1 else [])]
    return "\n".join([*(f"% {note}" for note in summary.footnotes), *(_tabular(grid) for grid in grids)]) + "\n"


def _tabular(grid: Grid) -> str:
    first, *lines = [" & ".join(map(_escape_latex, line)) + r" \\" for line in grid]
    begin = r"\begin{tabular}{l" + "r" * (len(grid[0]) - 1) + "}"
    return "\n".join([begin, r"\toprule", first, r"\midrule", *lines, r"\bottomrule", r"\end{tabular}"])


_LATEX = str.maketrans(
    {plain: f"\\{plain}" for plain in "&%$#_{}"}
    | {
        "\\": r"\textbackslash{}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "<": r"\textless{}",
        ">": r"\textgreater{}",
        "|": r"\textbar{}",
    }
)


def _escape_latex(text: str) -> str:
    return text.translate(_LATEX).replace(NOTHING, "--")


def render_markdown(summary: Summary) -> str:
    """Give the text of results.md."""
    return render_grids(summary.titled, summary.footnotes, summary.about)


def render_grids(titled: dict[str, Grid], footnotes: list[str], about: str = "") -> str:
    """Give tables as Markdown under their titles, the first one always; `about` stands before it."""
    parts: list[str] = []
    for level, (title, grid) in enumerate(titled.items()):
        parts += [f"{'##' if level else '#'} {title}"] * (not level or len(grid) > 1)
        parts += [about] * (not level and bool(about))
        parts += [_markdown(grid)] * (len(grid) > 1)
    return "\n\n".join([*parts, *footnotes]) + "\n"


def _markdown(grid: Grid) -> str:
    """Markdown whose columns also line up in a plain text file."""
    grid = [[" ".join(cell.split()).replace("|", "\\|") for cell in line] for line in grid]
    widths = [max(map(len, column)) for column in zip(*grid, strict=True)]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    first, *lines = [
        [line[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True))]
        for line in grid
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in [first, rule, *lines])
