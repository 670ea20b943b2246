"""The same patients under other folds: how far a cross-validated score moves, and single cases with it.

Claim: the figures of results/lgg-crossval-split1.md. Both comparisons train the same model by the same recipe and seed;
only who is in which fold differs, so every patient is predicted by another training.
n: the cases with a lesion in both.

    python benchmarks/fold_luck.py results/lgg-crossval results/lgg-crossval-split1 --model buda
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))

from headtohead.statistics.intervals import mean_interval, median_interval
from headtohead.statistics.paired import describe_differences


def main() -> None:
    """Print both scores, their paired difference, and the mean of each fold."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs=2, help="folders of two comparisons, each with cases.csv")
    parser.add_argument("--model", default="buda")
    wanted = parser.parse_args()
    tables = [read(folder / "cases.csv", wanted.model) for folder in wanted.folders]
    for folder, table in zip(wanted.folders, tables, strict=True):
        mean, median = mean_interval(table["dice"]), median_interval(table["dice"])
        folds = ", ".join(f"{value:.3f}" for value in table.groupby("fold")["dice"].mean())
        print(f"{folder.name}: mean {mean.mean:.3f} [{mean.low:.3f}, {mean.high:.3f}]", end=", ")
        print(f"median {median.median:.3f} [{median.low:.3f}, {median.high:.3f}], {len(table)} cases; folds {folds}")
    first, second = (table["dice"] for table in tables)
    both = first.index.intersection(second.index)
    difference = (second[both] - first[both]).to_numpy(np.float64)
    found = describe_differences(difference[:, None]).iloc[0]
    print(
        f"the second less the first: {found['mean_difference']:+.4f} [{found['low']:+.4f}, {found['high']:+.4f}] "
        f"on {len(both)} cases, Wilcoxon p = {found['p']:.2f}; "
        f"SD of the difference of a case {difference.std(ddof=1):.3f}"
    )


def read(path: Path, model: str) -> pd.DataFrame:
    """Read fold and Dice of the cases with a lesion, seeds averaged, indexed by case."""
    if not path.is_file():
        sys.exit(f"error: {path}: no such file; name the folder of a comparison or of its results")
    table = pd.read_csv(path)
    own = table[(table["model"] == model) & (table["tp"] + table["fn"] > 0)]
    if own.empty:
        sys.exit(
            f"error: {path}: no rows of {model}; --model takes one of {', '.join(sorted(table['model'].unique()))}"
        )
    return own.groupby("case")[["fold", "dice"]].mean()


if __name__ == "__main__":
    main()
