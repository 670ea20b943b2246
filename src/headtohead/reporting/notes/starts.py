"""Which trainings began with weights of earlier ones, and whether these may have seen test cases."""

from collections.abc import Callable

from headtohead.options.comparison import is_baseline
from headtohead.plurals import count_of
from headtohead.reporting.entrant_names import in_words, joined_by_commas
from headtohead.runs.ledger import Ledger
from headtohead.runs.run import Run


def starts(ledger: Ledger) -> list[str]:
    """Name the weights that entrants started from, and warn where nobody knows which cases these have seen."""
    trained = [run for run in ledger.counted if not is_baseline(run.entrant[0]) and not run.is_ensemble]
    started = [run for run in trained if run.fact("start")]
    if not started:
        return []
    said = _listed(started, _how)
    others = sorted({_name(run) for run in trained} - {_name(run) for run in started})
    unlike = (
        f" Others did not: {joined_by_commas(others)}. A difference between them may come from this start and not from "
        "the model."
        if others
        else ""
    )
    notes = [f"Trainings began with weights of earlier ones: {said}.{unlike}"]
    if doubtful := [run for run in started if run.fact("start", "warning")]:
        notes.append(f"STARTS THAT MAY LEAK: {_listed(doubtful, _doubt)}.")
    return notes


def _listed(runs: list[Run], say: Callable[[Run], str]) -> str:
    """Say `unet, no schedule: from shipped (...)` of each entrant; of several runs, what the first one has."""
    words: dict[str, list[str]] = {}
    for run in runs:
        words.setdefault(_name(run), []).append(say(run))
    return "; ".join(f"{name} {_first_of(said)}" for name, said in words.items())


def _first_of(said: list[str]) -> str:
    others = len(set(said)) - 1
    return said[0] + (f" (and {count_of(others, 'other start')} in its other runs)" if others else "")


def _how(run: Run) -> str:
    layers = f"{run.fact('start', 'layers')} of {run.fact('start', 'of_layers')} layers"
    parts = [layers, *([f"{run.fact('frozen')} frozen{_until(run)}"] if run.fact("frozen") else [])]
    if rate := run.fact("old_layers_rate"):
        parts.append(f"these at {rate:g} of the learning rate")
    return f"from {run.fact('start', 'from') or run.fact('start', 'name')} ({', '.join(parts)})"


def _until(run: Run) -> str:
    epochs = run.fact("thaw_epoch")
    return f" for {count_of(epochs, 'epoch')}" if epochs else ""


def _doubt(run: Run) -> str:
    return f"started from {run.fact('start', 'from')}: {run.fact('start', 'warning')}"


def _name(run: Run) -> str:
    return in_words(" ".join(run.entrant))
