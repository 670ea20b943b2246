"""Where the runs come from: what all share is said once, what differs is in a table."""

from typing import Any

from headtohead.reporting.page import wording
from headtohead.reporting.page.tables.table import Cell, Column, Table, table_of

FIRST = ("name", "status")
TIME = "seconds"


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
    return shared, table_of("Runs", [_column(name) for name in own], flat)


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


def _column(name: str) -> Column:
    def cell(facts: dict[str, str]) -> Cell:
        value = facts.get(name, "")
        if not value:
            return Cell(wording.NOTHING)
        return Cell(wording.duration(float(value)), float(value)) if name == TIME else Cell(value, value)

    return Column("time" if name == TIME else name.replace("_", " "), cell, numeric=name == TIME)
