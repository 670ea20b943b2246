"""What the numbers of several targets are, and what is corrected together."""

from headtohead.runs.ledger import Ledger
from headtohead.statistics.matrix import holds_lesion
from headtohead.statistics.targets import TARGET, each_target
from headtohead.statistics.words import listed


def of_targets(ledger: Ledger) -> list[str]:
    """Name the primary score, whose cases each target has, and the families of tests; nothing of one target."""
    cases = ledger.comparable
    if TARGET not in cases:
        return []
    held = {name: rows.loc[holds_lesion(rows), "case"].nunique() for name, rows in each_target(cases).items()}
    return [
        f"The primary score, declared for all tasks of several targets, is the mean over the targets that the truth of "
        f"a case holds ({listed(list(held))}). Ranks, subgroups, ensembles and scores other than Dice are of it.",
        "Each target also stands by itself, over the cases whose truth holds it: "
        f"{', '.join(f'{name} {count}' for name, count in held.items())} of {cases['case'].nunique()} test cases.",
        "Holm's correction is over all tests of a family. Primary: every pair of entrants. Targets: every pair of "
        "models in the Dice of every target. Ensembles: their pairs. Secondary: every pair of models in every other "
        "score. Without a target: every pair twice for each target that some case lacks.",
    ]
