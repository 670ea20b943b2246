"""The statistics as a textbook has them, on cases.csv: nothing of ours is used."""

from pathlib import Path

import numpy as np
import pandas as pd
from scipy import optimize, stats

from tests.reporting.by_hand.made_comparison import BASELINE, SEEDS


def matrix_of(folder: Path, score: str = "dice") -> pd.DataFrame:
    """Cases with a lesion x entrants: the mean over seeds."""
    cases = pd.read_csv(folder / "cases.csv").query("tp + fn > 0")
    name = np.where(cases["model"] == BASELINE, BASELINE, cases["model"] + " " + cases["schedule"])
    return cases.assign(entrant=name).groupby(["case", "entrant"])[score].mean().reset_index().pivot_table(
        index="case", columns="entrant", values=score, dropna=False
    )  # fmt: skip


def luck_of(folder: Path, score: str, *entrants: str) -> tuple[float, float]:
    """Variance that the seeds of these entrants add to a mean or a difference, and its degrees of freedom by Welch."""
    cases = pd.read_csv(folder / "cases.csv").query("tp + fn > 0")
    parts = []
    for entrant in entrants:
        model, _, schedule = entrant.partition(" ")
        own = cases[(cases["model"] == model) & (cases["schedule"] == schedule)]
        if model != BASELINE:
            parts.append(own.groupby("seed")[score].mean().var(ddof=1) / len(SEEDS))
    freedom = sum(parts) ** 2 / sum(part**2 / (len(SEEDS) - 1) for part in parts) if parts else 1.0
    return sum(parts), freedom


def with_luck(mean: float, ends: list[float], luck: tuple[float, float], confidence: float = 0.95) -> list[float]:
    """Both ends of an interval over cases, further away by the t interval over the seeds: a square of two lengths."""
    reach = stats.t.ppf((1 + confidence) / 2, luck[1]) * np.sqrt(luck[0])
    return [mean - np.hypot(mean - ends[0], reach), mean + np.hypot(ends[1] - mean, reach)]


def over_both_p(mean: float, difference: pd.Series, luck: tuple[float, float]) -> float:
    """The level at which the t interval over cases and seeds just reaches zero."""
    n = len(difference)

    def left(level: float) -> float:
        cases = stats.t.isf(level / 2, n - 1) * difference.std(ddof=1) / np.sqrt(n)
        return float(np.hypot(cases, stats.t.isf(level / 2, luck[1]) * np.sqrt(luck[0])) - abs(mean))

    return optimize.brentq(left, 1e-12, 1 - 1e-9, xtol=1e-14)


def bca(values: pd.Series, **options: float) -> list[float]:
    """The interval as documented: BCa, 10,000 resamples of the sorted values, seed 0."""
    found = stats.bootstrap(
        (np.sort(values.dropna()),), np.mean, n_resamples=10_000, method="BCa", rng=np.random.default_rng(0), **options
    )
    return list(found.confidence_interval)


def holm(p: list[float]) -> list[float]:
    """The smallest of K p values times K, the next times K - 1 ..., never falling, at most 1."""
    corrected, largest = [0.0] * len(p), 0.0
    for place, k in enumerate(np.argsort(p)):
        largest = max(largest, min(1.0, (len(p) - place) * p[k]))
        corrected[k] = largest
    return corrected


def power(effect: float, error: float, parts: list[float], n: int, tests: int) -> float:
    """How often a difference of so much is found, by drawing comparisons: their means, and what they make of the seeds.

    What the true seed variances may be, given those that were seen, is drawn too.
    """
    rng, freedom, draws = np.random.default_rng(5), len(SEEDS) - 1, 50_000
    true = np.array(parts) * freedom / rng.chisquare(freedom, (draws, 1))
    seen = true * rng.chisquare(freedom, (draws, 2)) / freedom
    both = np.where(seen.any(axis=1), seen.sum(axis=1) ** 2 / np.maximum((seen**2 / freedom).sum(axis=1), 1e-300), 1)
    level = 0.05 / tests / 2
    reach = np.hypot(stats.t.isf(level, n - 1) * error, stats.t.isf(level, both) * np.sqrt(seen.sum(axis=1)))
    return float((rng.normal(effect, np.hypot(error, np.sqrt(true.sum(axis=1))), draws) > reach).mean())
