"""Ensembles of seeds against what they are made of, and against each other."""

import pandas as pd

from headtohead.options.comparison import MARGIN
from headtohead.statistics.decimals import number
from headtohead.statistics.paired import compare_pairs
from headtohead.statistics.trainings import ENSEMBLE
from headtohead.statistics.words import interval_words, listed, too_few


def ensemble_pairs(matrix: pd.DataFrame, trained: pd.DataFrame, margin: float = MARGIN, seed: int = 0) -> pd.DataFrame:
    """Compare every ensemble with its own seeds and with the other ensembles, corrected over these pairs together.

    An ensemble is one draw: how far another one of other seeds would lie from it is not known. The interval holds the
    luck of the seeds it is compared with, and nothing for the ensemble itself, so a difference is of this ensemble.

    Args:
        matrix: Dice as `score_matrix` gives it, [cases, entrants].
        trained: as `trainings` gives it.
        margin: as for `compare_pairs`.
        seed: seed of the bootstrap.

    Returns:
        As `compare_pairs`; no row without an ensemble.
    """
    ensembles = [name for name in matrix if trained.loc[name, "kind"] == ENSEMBLE]
    own = [name for name in matrix if any(members_of(one) == name for one in ensembles)]
    return compare_pairs(
        matrix[own + ensembles], margin, seed, trained, lambda a, b: a not in own or members_of(b) == a
    )


def members_of(ensemble: str) -> str:
    """Name the entrant whose seeds an ensemble averages: `unet cosine` of `unet cosine, ensemble of 3 seeds`."""
    return ensemble.split(", ensemble of ")[0]


def verdict_on_ensembles(pairs: pd.DataFrame) -> str:
    """Say what the ensembles gain, and how they stand to each other.

    Args:
        pairs: as `ensemble_pairs` gives them, named in words.

    Returns:
        One or two sentences; empty without an ensemble.
    """
    if pairs.empty:
        return ""
    if few := too_few(pairs["n"].min(), len(pairs), "one pair", "pairs"):
        return f"Of the ensembles, {few}."
    shown, even = [], []
    for _, row in pairs.iterrows():
        a, b = row["a"], row["b"]
        if row["different"]:
            higher, lower = (a, b) if row["mean_difference"] > 0 else (b, a)
            low, high = sorted((abs(row["low"]), abs(row["high"])))
            by = number(abs(row["mean_difference"]), low, high)
            shown.append(f"{higher} scores higher than {lower} by {by} ({interval_words(low, high)})")
        else:
            even.append(f"{b} and {a}")
    sentences = [*shown, *([f"no evidence of a difference between {listed(even)}"] if even else [])]
    said = "; ".join(sentences)
    return f"Of the ensembles, each a single draw with unknown seed SD, corrected for {len(pairs)} pairs: {said}."
