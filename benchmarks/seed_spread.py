"""How far the seeds of one experiment lie apart, and what else makes a score vary.

Claim: the figures of results/seeds.md. Read off a cases.csv of a comparison with several seeds of two entrants or more;
each variance is that of the classical two-way layout, cases by seeds, within each entrant.
n: printed.

    python benchmarks/seed_spread.py results/seeds/cases.csv
"""

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))

from headtohead.options.comparison import is_baseline
from headtohead.statistics.matrix import entrants


@dataclass(frozen=True)
class Spread:
    """What makes the scores of the entrants of a comparison vary, as standard deviations in units of the score.

    Attributes:
        names: of the entrants, [K].
        means: over cases and seeds, [K].
        cases: between cases, of the scores averaged over seeds, [K].
        seeds: between seeds, of their means over cases, [K]: the seed SD that a report prints.
        main: the same without the share of case and seed together, [K]; 0 where that explains it all.
        rest: of case and seed together, [K].
        interaction: of case and entrant together, what a paired difference varies by, over sqrt(2).
        rests: the residuals of case and seed, standardised, in one row: the shape that they have.
        interactions: the same of case and entrant.
    """

    names: list[str]
    means: NDArray[np.float64]
    cases: NDArray[np.float64]
    seeds: NDArray[np.float64]
    main: NDArray[np.float64]
    rest: NDArray[np.float64]
    interaction: float
    rests: NDArray[np.float64]
    interactions: NDArray[np.float64]


def read_scores(path: Path) -> tuple[list[str], NDArray[np.float64]]:
    """Read Dice of the entrants that have several seeds from a cases.csv: their names and [cases, entrants, seeds]."""
    table = pd.read_csv(path)
    table = table[~table["model"].map(is_baseline) & (table["tp"] + table["fn"] > 0) & table["seed"].notna()]
    named = table.assign(entrant=entrants(table))
    scores = named.pivot_table(index="case", columns=["entrant", "seed"], values="dice", sort=False).sort_index()
    names = list(dict.fromkeys(scores.columns.get_level_values(0)))
    return names, np.stack([scores[name].to_numpy(np.float64) for name in names], axis=1)


def measure(names: list[str], scores: NDArray[np.float64]) -> Spread:
    """Take the variances of [cases, entrants, seeds] apart."""
    cases, _, seeds = scores.shape
    by_case, by_seed = scores.mean(axis=2), scores.mean(axis=0)
    means = by_seed.mean(axis=1)
    rests = scores - by_case[..., None] - by_seed[None] + means[:, None]
    rest = (rests**2).sum(axis=(0, 2)) / ((cases - 1) * (seeds - 1))
    between = by_seed.var(axis=1, ddof=1)
    # Of each entrant's own ups and downs on the cases: what is left when the case's mean over entrants is taken off.
    own = by_case - by_case.mean(axis=1, keepdims=True)
    own -= own.mean(axis=0)
    interaction = (own**2).sum() / ((cases - 1) * (len(names) - 1)) - rest.mean() / seeds
    return Spread(
        names,
        means,
        by_case.std(axis=0, ddof=1),
        np.sqrt(between),
        np.sqrt(np.maximum(0, between - rest / cases)),
        np.sqrt(rest),
        float(np.sqrt(max(0.0, interaction))),
        (rests / rests.std(axis=(0, 2), keepdims=True)).ravel(),
        (own / own.std()).ravel(),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", type=Path, help="cases.csv of a comparison with several seeds")
    names, scores = read_scores(parser.parse_args().cases)
    found = measure(names, scores)
    cases, _, seeds = scores.shape
    print(f"{cases} cases, {seeds} seeds of each entrant; standard deviations of Dice\n")
    print("| entrant | mean of each seed | mean | seed SD | seed SD without case x seed | case x seed | cases |")
    print("|---|---|---:|---:|---:|---:|---:|")
    for place, name in enumerate(names):
        each = ", ".join(f"{mean:.4f}" for mean in scores[:, place].mean(axis=0))
        numbers = (found.means, found.seeds, found.main, found.rest, found.cases)
        print(f"| {name} | {each} | {' | '.join(f'{one[place]:.4f}' for one in numbers)} |")
    print(f"\ncase x entrant: {found.interaction:.4f}")


if __name__ == "__main__":
    main()
