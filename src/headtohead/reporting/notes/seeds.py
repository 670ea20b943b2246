"""What the number of trainings means for the numbers: one seed, several, or not the same ones."""

from headtohead.reporting.entrant_names import in_words, joined_by_commas
from headtohead.runs.ledger import Ledger


def one_training(ledger: Ledger) -> list[str]:
    """Say of which entrants there is one training only, on which no sentence about a model can rest."""
    seeds = _trained_seeds(ledger)
    once = [in_words(f"{model} {schedule}") for (schedule, model), found in seeds.items() if len(found) == 1]
    if not once:
        return []
    who = "Every model was" if len(once) == len(seeds) else f"{joined_by_commas(once)}: each was"
    return [
        f"ONE SEED: {who} trained once, and a training is a draw: another seed may give another result. One seed "
        "supports no sentence about the models; what is said is about these trainings on these cases. Several seeds "
        "(--seeds 0,1,2) would support more (Bouthillier et al. 2021, arXiv:2103.03098)."
    ]


def several_seeds(ledger: Ledger) -> list[str]:
    """What the numbers of several seeds hold, and what the ensembles are."""
    numbers = {len(found) for found in _trained_seeds(ledger).values()}
    if max(numbers, default=1) < 2:
        return []
    folds = (
        " A seed counts as one draw with all its folds, since these share training data and first weights "
        "(Nadeau and Bengio 2003, doi:10.1023/A:1024068626366)."
        if ledger.folds > 1
        else ""
    )
    few = " Two seeds say little about the spread between seeds, so the intervals are wide: train three." * (
        2 in numbers
    )
    ensembles = (
        " An ensemble averages the probabilities of the seeds, fold by fold. It is a single draw: it has no seed SD, "
        "and its interval is over cases only."
        if any(run.is_ensemble for run in ledger.counted)
        else ""
    )
    return [
        "Seed SD is the standard deviation over seeds of the mean over cases. With several seeds, the intervals of "
        "means and of mean differences are over cases and seeds; those of medians, subgroups and ranks over cases "
        f"only.{folds}{few}{ensembles}"
    ]


def uneven_seeds(ledger: Ledger) -> list[str]:
    """Name the seeds of each entrant, if they are not the same."""
    seeds = _trained_seeds(ledger)
    if len({frozenset(found) for found in seeds.values()}) < 2:
        return []
    named = "; ".join(
        f"{in_words(f'{model} {schedule}')}: {', '.join(map(str, sorted(found)))}"
        for (schedule, model), found in seeds.items()
    )
    return [f"The means are not over the same seeds ({named})."]


def _trained_seeds(ledger: Ledger) -> dict[tuple[str, str], set[int]]:
    """Schedule and model of each entrant that was trained -> its seeds."""
    seeds: dict[tuple[str, str], set[int]] = {}
    for run in ledger.counted:
        if run.is_model and not run.is_ensemble:
            seeds.setdefault(run.entrant[::-1], set()).add(run.experiment["seed"])
    return seeds
