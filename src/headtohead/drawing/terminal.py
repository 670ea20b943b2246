"""A table as it is drawn on a terminal."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.table import Table


def drawn_table(grid: Sequence[Sequence[str]], title: str | None = None) -> "Table":
    """Draw a table of cells, the first line its header; what stands right of the first column are figures."""
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title, title_justify="left", title_style="bold")
    for place, name in enumerate(grid[0]):
        table.add_column(Text(name), justify="right" if place else "left")
    for line in grid[1:]:
        table.add_row(*map(Text, line))
    return table
