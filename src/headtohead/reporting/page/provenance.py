"""Where the runs come from: what all share is said once, what differs is in a table."""

from typing import Any

from headtohead.reporting.page import wording
from headtohead.reporting.page.tables.table import Cell, Column, Table

FIRST = ("name", "status")
TIMES = ("seconds",)


def shared_and_own(runs: list[dict[str, Any]]) -> tuple[list[tuple[str, str]], Table]:
    """Divide the facts about the runs.

    Args:
        runs: facts by name, one dictionary a run; a dictionary within is taken apart (`versions.torch`).

    Returns:
        What is the same in all runs that say it, as (name, value); and a table of the rest, one row a run.
    """
    flat = [_flatten(run) for run in runs]
    names = list(dict.fromkeys(name for facts in flat for name in facts))
    values = {name: {facts[name] for facts in flat if facts.get(name, "")} for name in names}
    # The baseline trains nothing and so says less; that does not make what the others share their own.
    shared = [(name, min(values[name])) for name in names if name not in FIRST and len(values[name]) == 1]
    own = [name for name in names if name in FIRST or len(values[name]) > 1]
    rows = [[_cell(name, facts.get(name, "")) for name in own] for facts in flat]
    return shared, Table("Runs", [Column(_title(name), numeric=name in TIMES) for name in own], rows)


def _flatten(facts: dict[str, Any], prefix: str = "") -> dict[str, str]:
    flat: dict[str, str] = {}
    for name, value in facts.items():
        if isinstance(value, dict):
            flat |= _flatten(value, f"{prefix}{name}.")
        elif isinstance(value, (list, tuple)):
            flat[prefix + name] = ", ".join(map(str, value))
        else:
            flat[prefix + name] = "" if wording.missing(value) else str(value)
    return flat


def _cell(name: str, value: str) -> Cell:
    if not value:
        return Cell(wording.NOTHING)
    if name in TIMES:
        return Cell(wording.duration(float(value)), float(value))
    return Cell(value, value)


def _title(name: str) -> str:
    return "time" if name in TIMES else name.replace("_", " ")
