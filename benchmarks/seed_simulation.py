"""What a verdict over several seeds is worth: how often it finds a difference that is not there, or one that is.

Claim: the tables of results/seeds.md. Comparisons are drawn whose truth is known, with the variances and the shapes of
residuals that `seed_spread.py` reads off a real comparison, and are judged by the lines of the program that judge real
ones. One case in five has no lesion. The seed SD is also taken larger than measured, since other trainings are less
steady, and unequal between entrants.
n: 2,000 comparisons a line.

    python benchmarks/seed_simulation.py results/seeds/cases.csv
"""

import argparse
import gc
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit
from scipy.stats import wilcoxon

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))

from benchmarks.seed_spread import Spread, measure, read_scores
from headtohead.statistics import intervals
from headtohead.statistics.intervals import mean_intervals
from headtohead.statistics.paired import mcnemar_p
from headtohead.statistics.power import ALPHA
from headtohead.statistics.questions import holm
from headtohead.statistics.seeds import pooled, seed_variance, smallest_detectable_over_seeds, two_level_p, widened

Scores = NDArray[np.float64]

REPETITIONS = 2000
CASES = 110
WITHOUT_LESION = 0.2
SEEDS = (2, 3, 5)
ALARM_LUCK = (0.0, 0.5, 1.0)
AT_ONCE = 250  # comparisons in memory
BOOTSTRAP = 999
RESAMPLES = 2000  # of the interval over cases; a report takes 10,000, so that its own ends come out steady


@dataclass(frozen=True)
class World:
    """What comparisons are drawn from.

    Attributes:
        seed_sd: standard deviation of the effect of a seed, one number for each entrant.
        interaction: of case and entrant.
        rest: of case and seed within an entrant.
        interactions: what `interaction` is drawn from, standardised.
        rests: what `rest` is drawn from.
        cases: with a lesion.
    """

    seed_sd: tuple[float, ...]
    interaction: float
    rest: float
    interactions: Scores
    rests: Scores
    cases: int = round(CASES * (1 - WITHOUT_LESION))

    @classmethod
    def of(cls, spread: Spread, entrants: int, seed_sd: float) -> "World":
        """A world like a measured comparison, but for the effect of a seed."""
        return cls(
            (seed_sd,) * entrants, spread.interaction, float(np.sqrt((spread.rest**2).mean())),
            spread.interactions, spread.rests,
        )  # fmt: skip

    def draw(self, rng: np.random.Generator, number: int, seeds: int, ahead: float = 0.0) -> Scores:
        """Draw comparisons, [number, cases, entrants, seeds]; the first entrant is truly `ahead` of the others.

        What all entrants share on a case cancels in every difference, and is left out.
        """
        shape = (number, self.cases, len(self.seed_sd), seeds)
        own = self.interaction * rng.choice(self.interactions, shape[:3])[..., None]
        luck = rng.normal(size=(number, 1, *shape[2:])) * np.array(self.seed_sd)[:, None]
        scores: Scores = own + luck + self.rest * rng.choice(self.rests, shape)
        scores[:, :, 0] += ahead
        return scores


def batches(world: World, repetitions: int, seeds: int, ahead: float = 0.0, start: int = 0) -> Iterator[Scores]:
    """Draw so many comparisons, some at a time."""
    rng = np.random.default_rng(start)
    for first in range(0, repetitions, AT_ONCE):
        yield world.draw(rng, min(AT_ONCE, repetitions - first), seeds, ahead)


def higher(scores: Scores) -> NDArray[np.bool_]:
    """Say of each comparison which pairs the program calls different: tests/statistics holds it against the program.

    Returns:
        bool [number, pairs]: whether the first of the pair is said to score higher, or lower.
    """
    cases, entrants, seeds = scores.shape[1:]
    first, second = np.array(list(combinations(range(entrants), 2))).T
    by_case = scores.mean(axis=3)
    differences = by_case[..., first] - by_case[..., second]
    luck = seed_variance(scores.mean(axis=1))
    total, freedom = pooled(np.stack([luck[:, first], luck[:, second]], axis=-1), seeds - 1)
    mean, case_variance = differences.mean(axis=1), differences.var(axis=1, ddof=1) / cases
    # A pair that is not below 5 % by itself is not different, whatever the other test and the interval say: its p takes
    # long, and is not needed.
    tail = 1 - ALPHA / 2
    apart = mean**2 > stdtrit(cases - 1, tail) ** 2 * case_variance + stdtrit(freedom, tail) ** 2 * total
    p = np.ones(apart.shape)
    chosen = differences.transpose(1, 0, 2)[:, apart]
    if chosen.size:
        over_both = two_level_p(mean[apart], case_variance[apart], cases, total[apart], freedom[apart])
        p[apart] = np.maximum(over_both, wilcoxon(chosen, zero_method="pratt", axis=0).pvalue)
        found = mean_intervals(chosen)
        low, high = widened(
            mean[apart], [one.low for one in found], [one.high for one in found], total[apart], freedom[apart]
        )
        apart[apart] = (low > 0) | (high < 0)
    for place in np.flatnonzero(apart.any(axis=1)) if len(first) > 1 else ():
        p[place] = holm(p[place])
    return apart & (p < ALPHA)


def stated(scores: Scores) -> float:
    """Give the smallest detectable difference that the program states of the first pair of a comparison, [1, ...]."""
    _, cases, entrants, seeds = scores.shape
    by_case = scores[0].mean(axis=2)
    difference = by_case[:, 0] - by_case[:, 1]
    luck = seed_variance(scores[0].mean(axis=0))
    tests = entrants * (entrants - 1) // 2
    return smallest_detectable_over_seeds(cases, difference.var(ddof=1) / cases, luck[:2], [seeds - 1] * 2, tests)


def false_rate(world: World, repetitions: int, seeds: int) -> float:
    """Share of comparisons of equal entrants in which any is said to score higher."""
    said = [higher(scores).any(axis=1) for scores in batches(world, repetitions, seeds)]
    return float(np.concatenate(said).mean())


def found_rate(world: World, repetitions: int, seeds: int) -> tuple[float, float]:
    """How large a difference the program states to be found four times in five, and how often it is.

    Each comparison states a size of its own; the same size is then put between the entrants of another comparison,
    since a report speaks of comparisons like itself.

    Returns:
        Median of the sizes, and the share of the others in which the first pair is found different, the right way.
    """
    sizes, found = [], []
    rng = np.random.default_rng(1)
    for scores in batches(world, repetitions, seeds, start=2):
        own = np.array([stated(scores[[place]]) for place in range(len(scores))])
        again = world.draw(rng, len(scores), seeds)
        again[:, :, 0] += own[:, None, None]
        right = again.mean(axis=(1, 3))[:, 0] > again.mean(axis=(1, 3))[:, 1]
        sizes.append(own)
        found.append(higher(again)[:, 0] & right)
    return float(np.median(np.concatenate(sizes))), float(np.concatenate(found).mean())


def false_alarm_rate(luck: float, repetitions: int, seeds: int) -> float:
    """Share of comparisons of two equal models in which one is said to leave more cases without a lesion alone.

    Not measured, since every LGG patient has a lesion: the log-odds of leaving a case alone have a standard deviation
    of 1.5 over cases, of 1 over case and model, and of `luck` over seeds. The program corrects for more tests.
    """
    rng, healthy, said = np.random.default_rng(4), CASES - round(CASES * (1 - WITHOUT_LESION)), 0
    for _ in range(repetitions):
        odds = 0.5 + rng.normal(0, 1.5, (healthy, 1, 1)) + rng.normal(size=(healthy, 2, 1))
        odds = odds + luck * rng.normal(size=(2, seeds))
        alone = (rng.random(odds.shape) < 1 / (1 + np.exp(-odds))).astype(float)
        difference = alone[:, 0].mean(axis=1) - alone[:, 1].mean(axis=1)
        total, freedom = pooled(seed_variance(alone.mean(axis=0)), seeds - 1)
        variance = difference.var(ddof=1) / healthy
        p = max(mcnemar_p(difference), float(two_level_p(difference.mean(), variance, healthy, total, freedom)))
        said += p < ALPHA
    return said / repetitions


def rates_by_interval(world: World, repetitions: int, seeds: int) -> dict[str, float]:
    """Share of comparisons of two equal entrants in which a 95 % interval holds no zero, by the kind of interval."""
    rng = np.random.default_rng(3)
    cases = world.cases
    drawn = rng.multinomial(cases, np.full(cases, 1 / cases), size=BOOTSTRAP) / cases
    weights = rng.multinomial(seeds, np.full(seeds, 1 / seeds), size=(2, BOOTSTRAP)) / seeds
    corrected = 1 / seeds + (weights - 1 / seeds) * np.sqrt(seeds / (seeds - 1))
    counts: dict[str, list[NDArray[np.bool_]]] = {}
    for scores in batches(world, repetitions, seeds):
        by_case = scores.mean(axis=3)
        difference = by_case[..., 0] - by_case[..., 1]
        mean, variance = difference.mean(axis=1), difference.var(axis=1, ddof=1) / cases
        reach = stdtrit(cases - 1, 0.975) * np.sqrt(variance)
        luck = seed_variance(scores.mean(axis=1))
        total, freedom = pooled(luck, seeds - 1)
        both = (variance + total) ** 2 / (variance**2 / (cases - 1) + total**2 / freedom)
        resampled = np.einsum("bn,rnks->rbks", drawn, scores, optimize=True)
        said = {"cases only": np.abs(mean) > reach}
        for name, drawing in (("two-level bootstrap", weights), ("the same, corrected for few seeds", corrected)):
            means = np.einsum("rbks,kbs->rbk", resampled, drawing)
            low, high = np.quantile(means[..., 0] - means[..., 1], [0.025, 0.975], axis=1)
            said[name] = (low > 0) | (high < 0)
        said["t, Satterthwaite"] = np.abs(mean) > stdtrit(both, 0.975) * np.sqrt(variance + total)
        low, high = widened(mean, mean - reach, mean + reach, total, freedom)
        said["chosen: MOVER, Welch"] = (low > 0) | (high < 0)
        for name, outside in said.items():
            counts.setdefault(name, []).append(outside)
    return {name: float(np.concatenate(found).mean()) for name, found in counts.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", type=Path, help="cases.csv of a comparison with several seeds")
    parser.add_argument("--repetitions", type=int, default=REPETITIONS)
    options = parser.parse_args()
    intervals.RESAMPLES = RESAMPLES
    gc.freeze()  # what modules hold is not searched again and again: Holm's correction takes a tenth
    spread = measure(*read_scores(options.cases))
    worlds = worlds_of(spread)
    print(f"{options.repetitions} comparisons a line, {CASES} cases, {WITHOUT_LESION:.0%} of them without a lesion\n")
    print("Intervals of two equal entrants that hold no zero (aim: 5 %):\n")
    rows = [
        (name, seeds, rates_by_interval(world, options.repetitions, seeds))
        for name, world in worlds.items()
        for seeds in SEEDS
    ]
    print(f"| seed SD | seeds | {' | '.join(rows[0][2])} |\n|---|---:|{'---:|' * len(rows[0][2])}")
    for name, seeds, rates in rows:
        print(f"| {name} | {seeds} | {' | '.join(f'{rate:.1%}' for rate in rates.values())} |")
    print("\nFalse “higher” in the whole verdict, by the number of models:\n")
    print("| seed SD | seeds | 2 models | 3 models | 5 models |\n|---|---:|---:|---:|---:|")
    for name, world in worlds.items():
        for seeds in SEEDS:
            rates = [
                false_rate(replace(world, seed_sd=several(world.seed_sd, models)), options.repetitions, seeds)
                for models in (2, 3, 5)
            ]
            print(f"| {name} | {seeds} | {' | '.join(f'{rate:.1%}' for rate in rates)} |")
    print("\nFalse “leaves more cases without a lesion alone”, two models, by the SD of the log-odds over seeds:\n")
    print("| SD | 2 seeds | 3 seeds | 5 seeds |\n|---:|---:|---:|---:|")
    for luck in ALARM_LUCK:
        rates = [false_alarm_rate(luck, options.repetitions, seeds) for seeds in SEEDS]
        print(f"| {luck:g} | {' | '.join(f'{rate:.1%}' for rate in rates)} |")
    print("\nA true difference of the smallest detectable size that the report states:\n")
    print("| seed SD | seeds | models | stated size (median) | found |\n|---|---:|---:|---:|---:|")
    for name, world in worlds.items():
        for seeds in SEEDS:
            for models in (2, 3):
                size, rate = found_rate(
                    replace(world, seed_sd=several(world.seed_sd, models)), options.repetitions, seeds
                )
                print(f"| {name} | {seeds} | {models} | {size:.3f} | {rate:.1%} |")


def worlds_of(spread: Spread) -> dict[str, World]:
    """The worlds that are simulated: as measured, less steady, and unequal; of two entrants each."""
    measured = float(np.sqrt((spread.main**2).mean()))
    return {
        f"{measured:.3f}, as measured": World.of(spread, 2, measured),
        "0.010": World.of(spread, 2, 0.01),
        "0.030": World.of(spread, 2, 0.03),
        "0 and 0.030": replace(World.of(spread, 2, 0.0), seed_sd=(0.0, 0.03)),
    }


def several(seed_sd: Sequence[float], models: int) -> tuple[float, ...]:
    """The seed SDs of more entrants: those of two, in turn."""
    return tuple(seed_sd[place % len(seed_sd)] for place in range(models))


if __name__ == "__main__":
    main()
