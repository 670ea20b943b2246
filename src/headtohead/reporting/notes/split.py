"""How the cases were split, whether patients leak, and whether the test chose the model."""

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


def chosen_on_test(ledger: Ledger) -> list[str]:
    """Warn of a split that has no cases left for the test."""
    if not _split(ledger).get("chosen_on_test"):
        return []
    return [
        "VALIDATION IS TEST: the split has no test cases of its own, as in the publication it follows. The best epoch "
        "of each training was chosen by its score on the very cases that are scored here, so the scores are flattered."
    ]


def no_leak(ledger: Ledger) -> list[str]:
    """Say how the patients were kept apart, if they were."""
    split = _split(ledger)
    if not split or leak(ledger):
        return []
    if split.get("kind") == ALL:
        return ["Every case is a test case."]
    how = f"{ledger.folds}-fold cross-validation" if ledger.folds > 1 else "Split"
    if sites := sites_left_out(ledger):
        return [
            f"{ledger.folds}-fold cross-validation by site ({', '.join(sites)}; validation patients by seed "
            f"{split.get('seed')}): each site is tested by models trained at the others, and no patient is in both "
            "training and test."
        ]
    source = f"folds of {split['source']}, validation patients by " if split.get("source") else ""
    return [
        f"{how} by {split.get('kind')} ({source}seed {split.get('seed')}): no patient is in both training and test."
    ]


def sites_left_out(ledger: Ledger) -> list[str]:
    """Name the sites, fold by fold, where each fold is a site; nothing for other splits."""
    sites = {run.experiment["fold"]: run.fact("split", "site") for run in ledger.finished}
    return [str(sites[fold]) for fold in sorted(sites)] if sites and all(sites.values()) else []


def _split(ledger: Ledger) -> dict[str, Any]:
    split = ledger.finished[0].record.get("split") if ledger.finished else None
    return split if isinstance(split, dict) else {}
