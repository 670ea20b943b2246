"""What a reader must know before any number."""

from headtohead.cohort.made_up import made_up_cases
from headtohead.plurals import count_of
from headtohead.reporting.notes.left_out import left_out
from headtohead.reporting.notes.seeds import one_training
from headtohead.reporting.notes.split import leak
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
        + left_out(ledger)
        + unequal_settings(ledger)
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
