"""What each entrant costs, beside what it scores."""

from typing import Any

import pandas as pd

from headtohead.reporting.entrant_names import entrant_of
from headtohead.runs.ledger import Ledger
from headtohead.runs.run import Run

PACES = ("training_slices_per_second", "test_slices_per_second")
COLUMNS = ["entrant", "source", "parameters", "multiply_adds", "image", "runs", "seconds", *PACES, "device"]


def costs_of(ledger: Ledger) -> pd.DataFrame:
    """Lay out the cost of each entrant that was trained here by a version that counts it; empty where none was.

    Returns:
        One row an entrant: `source` of a net that is no row of the table, parameters, multiply-adds of one `image`
        (`3x256x256`), the number of `runs`, and of one of them, on average: `seconds` of training, slices a second in
        training and in the test. `device` names all that they ran on. Times are empty where the devices differ.
    """
    by_entrant: dict[str, list[Run]] = {}
    for run in ledger.counted:
        if run.fact("multiply_adds") is not None and not run.is_ensemble:
            by_entrant.setdefault(entrant_of(run), []).append(run)
    return pd.DataFrame([_row(name, runs) for name, runs in by_entrant.items()], columns=COLUMNS)


def no_costs() -> pd.DataFrame:
    """The table where nothing was trained here."""
    return pd.DataFrame(columns=COLUMNS)


def _row(name: str, runs: list[Run]) -> dict[str, Any]:
    first, devices = runs[0], list(dict.fromkeys(_device(run) for run in runs))
    image = first.fact("multiply_adds_of")
    alike = len(devices) == 1
    return {
        "entrant": name,
        "source": _source(first),
        "parameters": first.fact("parameters"),
        "multiply_adds": first.fact("multiply_adds"),
        "image": "x".join(map(str, image)) if image else "",
        "runs": len(runs),
        **{fact: _mean(runs, fact) if alike else None for fact in ("seconds", *PACES)},
        "device": " and ".join(devices),
    }


def _mean(runs: list[Run], fact: str) -> float | None:
    values = [value for run in runs if (value := run.fact(fact)) is not None]
    return sum(values) / len(values) if len(values) == len(runs) else None


def _source(run: Run) -> str:
    """Name the library and its version, or the file and the beginning of its hash; nothing of a row of the table."""
    source, content = run.fact("net", "source") or "", run.fact("net", "sha256") or ""
    return f"{source} ({content[:8]})" if content else str(source)


def _device(run: Run) -> str:
    """Name the GPU or the processor that a run was trained on, and how it counted."""
    device = str(run.fact("device") or "unknown")
    name = run.fact("hardware", "processor" if device == "cpu" else "gpu") or device
    cores = run.fact("hardware", "cores")
    of_cores = f", {cores} cores" if device == "cpu" and cores else ""
    precision = "bf16" if str(run.fact("precision") or "").startswith("bf16") else "float32"
    return f"{str(name).split(' (')[0]}{of_cores}, {precision}"
