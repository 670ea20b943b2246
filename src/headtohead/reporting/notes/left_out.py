"""Which entrants and seeds are left out of the table, and why: a fold is missing."""

from typing import Any

from headtohead.reporting.entrant_names import in_words
from headtohead.runs.ledger import Ledger


def left_out(ledger: Ledger) -> list[str]:
    """Name the entrants and seeds that do not count, one paragraph each."""
    notes = [
        f"{in_words(f'{model} {schedule}')} is left out: {_lacks(ledger, (model, schedule), finished)}."
        f"{_why(ledger, (model, schedule), None)}"
        for (model, schedule), finished in ledger.partial.items()
    ]
    for entrant, seeds in ledger.incomplete.items():
        kept = sorted({run.experiment["seed"] for run in ledger.counted if run.entrant == entrant}, key=str)
        if kept:
            name = in_words(" ".join(entrant))
            notes += [
                f"{name} counts only seed {', '.join(map(str, kept))}: seed {seed} is left out because "
                f"{count} of its {ledger.folds} folds are finished.{_why(ledger, entrant, seed)}"
                for seed, count in seeds.items()
            ]
    return notes


def _lacks(ledger: Ledger, entrant: tuple[str, str], finished: str) -> str:
    """Say what an entrant lacks. Several seeds may well cover every case between them; none does so alone."""
    seeds = ledger.incomplete[entrant]
    if len(seeds) == 1:
        return f"{finished} are finished, so it was not scored on every case"
    counts = ", ".join(f"seed {seed}: {count}" for seed, count in seeds.items())
    return f"no seed has all its {ledger.folds} folds ({counts})"


def _why(ledger: Ledger, entrant: tuple[str, str], seed: Any) -> str:
    """Name the runs that an entrant, or one seed of it, lacks, and what became of them."""
    lacking = [run for run in (*ledger.failed, *ledger.unfinished) if run.entrant == entrant]
    lacking = [run for run in lacking if seed is None or run.experiment["seed"] == seed]
    said = [
        f"{run.name} failed ({run.record.get('error') or 'no reason is recorded'})"
        if run.status == "failed"
        else f"{run.name} is not finished"
        for run in lacking
    ]
    return f" {'; '.join(said)}." if said else ""
