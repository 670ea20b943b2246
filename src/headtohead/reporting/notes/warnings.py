"""What a reader must know before any number."""

from typing import Any

from headtohead.cohort.made_up import made_up_cases
from headtohead.plurals import count_of
from headtohead.reporting.entrant_names import in_words
from headtohead.reporting.notes.seeds import one_training
from headtohead.reporting.notes.split import chosen_on_test, leak
from headtohead.reporting.notes.starts import starts
from headtohead.reporting.notes.unequal import unequal_settings
from headtohead.runs.ledger import Ledger
from headtohead.statistics.intervals import mean_interval
from headtohead.statistics.matrix import score_matrix
from headtohead.statistics.targets import over_targets

FEW_CASES = 30


def warnings_of(ledger: Ledger) -> list[str]:
    """What a reader must know before any number, one paragraph each."""
    notes = (
        _made_up(ledger)
        + one_training(ledger)
        + leak(ledger)
        + chosen_on_test(ledger)
        + _left_out(ledger)
        + unequal_settings(ledger)
        + starts(ledger)
        + _few(ledger)
    )
    return [" ".join(note.split()) for note in notes]


def _made_up(ledger: Ledger) -> list[str]:
    # Runs from before run.json said so are known by the names of their cases.
    said = any(run.fact("data", "made_up") for run in ledger.finished)
    if not said and not made_up_cases(case for table in ledger.tables.values() for case in table["case"]):
        return []
    return [
        "MADE-UP PATIENTS: these images were drawn by --make_phantoms. The scores show that the program works; they "
        "say nothing about real patients, nor about which model is better on them."
    ]


def _left_out(ledger: Ledger) -> list[str]:
    """Name the entrants and seeds that do not count, since a fold is missing, one paragraph each."""
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


def _few(ledger: Ledger) -> list[str]:
    intervals = [mean_interval(scores) for _, scores in score_matrix(over_targets(ledger.comparable)).items()]
    fewest = min((interval.n for interval in intervals), default=FEW_CASES)
    if fewest >= FEW_CASES:
        return []
    half_widths = [(interval.high - interval.low) / 2 for interval in intervals if interval.high >= interval.low]
    width = f" (up to ±{max(half_widths):.2f})" if half_widths else ""
    return [
        f"Only {count_of(fewest, 'test case')}: the intervals{width} are probably too narrow, and models with similar "
        "scores cannot be ranked by this table."
    ]
