"""How the cases were split, and whether patients leak."""

from typing import Any

from headtohead.batches.splits import ALL
from headtohead.plurals import count_of
from headtohead.runs.ledger import Ledger


def leak(ledger: Ledger) -> list[str]:
    """Warn of patients that are in training and in the test."""
    split = _split(ledger)
    leaking = split.get("leaking_patients") or 0
    if split.get("kind") != "slice" and not leaking:
        return []
    who = f"{count_of(leaking, 'patient')} {'is' if leaking == 1 else 'are'}"
    return [
        f"LEAK: split by {split.get('kind')}, so {who} in training and also in validation or "
        "test. These scores tell how well further slices of known patients are segmented, not new patients."
    ]


def no_leak(ledger: Ledger) -> list[str]:
    """Say how the patients were kept apart, if they were."""
    split = _split(ledger)
    if not split or leak(ledger):
        return []
    if split.get("kind") == ALL:
        return ["Every case is a test case. Whether an entrant was made with some of them in view is not known here."]
    how = f"{ledger.folds}-fold cross-validation" if ledger.folds > 1 else "Split"
    source = f"folds of {split['source']}, validation patients by " if split.get("source") else ""
    return [
        f"{how} by {split.get('kind')} ({source}seed {split.get('seed')}): no patient is in both training and test."
    ]


def _split(ledger: Ledger) -> dict[str, Any]:
    split = ledger.finished[0].record.get("split") if ledger.finished else None
    return split if isinstance(split, dict) else {}
