"""Why cases fail, in figures: everything that the text of results/lgg-crossval.md says about its failures.

Claim: none of its own; it prints what those pages quote, from the tables that stand beside them.
n: every test case of the comparison.

    python benchmarks/failing_cases.py results/lgg-crossval
    python benchmarks/failing_cases.py runs/lgg_cv

`cases.csv` is enough for scores, false voxels on slices without lesion and lesion size. With `slices.csv` (and only
with it) come the largest component, where false voxels lie along the slices, and slices where nothing is outlined.
Seeds are averaged within a case.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))

from headtohead.reporting.case_names import short_names
from headtohead.scoring.counts import FAILED_BELOW, dice

SCORES = ["dice", "precision", "recall"]
CHANGED = 0.01  # a case gains or loses if its Dice moves by more


def main() -> None:
    """Print the tables of one folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="where cases.csv lies, and slices.csv if it was kept")
    folder = parser.parse_args().folder
    if not (folder / "cases.csv").is_file():
        sys.exit(f"error: {folder / 'cases.csv'}: no such file; name the folder of a comparison or of its results")
    cases = pd.read_csv(folder / "cases.csv", keep_default_na=False, na_values={"seed": [""], "precision": [""]})
    models = cases[cases["seed"].notna()]
    print_failing(models)
    print_without_false_on_empty(models)
    print_thirds(models)
    if (folder / "slices.csv").is_file():
        slices = pd.read_csv(folder / "slices.csv")
        slices = slices[slices["seed"].notna()]
        print_largest_component(slices)
        print_along_the_slices(models, slices)
    else:
        print(f"\nno {folder / 'slices.csv'}: nothing on components and single slices")


def print_failing(models: pd.DataFrame) -> None:
    """Print Dice, precision and recall of each case below `FAILED_BELOW` in at least one model."""
    mean = models.groupby(["case", "model"])[[*SCORES, "lesion_voxels"]].mean().reset_index()
    failing = sorted(mean.loc[mean["dice"] < FAILED_BELOW, "case"].unique())
    own = mean[mean["case"].isin(failing)]
    wide = own.pivot_table(index="case", columns="model", values=SCORES).swaplevel(axis=1).sort_index(axis=1, level=0)
    about = models.groupby("case")[["lesion_voxels", "missing"]].first().loc[failing]
    table = pd.concat([about, wide.set_axis([" ".join(pair) for pair in wide.columns], axis=1)], axis=1)
    table.index = pd.Index([short_names(models["case"].unique())[case] for case in failing])
    counts = own[own["dice"] < FAILED_BELOW].groupby("model").size()
    print(f"cases below {FAILED_BELOW:g} in at least one model: {len(failing)}; by model: {counts.to_dict()}")
    print(table.sort_values(list(table.columns[2:3])).to_string(float_format=lambda value: f"{value:.2f}"))


def print_without_false_on_empty(models: pd.DataFrame) -> None:
    """Print the mean Dice that would be left if nothing were outlined on slices without lesion."""
    kept = models.assign(
        dice_without=dice(models["tp"], models["fp"] - models["false_voxels_on_empty_slices"], models["fn"])
    )
    mean = kept.groupby(["model", "case"])[["dice", "dice_without", "fp", "false_voxels_on_empty_slices"]].mean()
    by_model = mean.groupby("model").mean()
    share = by_model["false_voxels_on_empty_slices"] / by_model["fp"]
    print("\nmean Dice, the same with nothing outlined on slices without lesion, and the share of false voxels there")
    print(by_model[["dice", "dice_without"]].assign(share=share).to_string(float_format=lambda value: f"{value:.3f}"))


def print_thirds(models: pd.DataFrame) -> None:
    """Print the mean Dice of small, medium and large lesions (thirds of the cases)."""
    sizes = models.groupby("case")["lesion_voxels"].first()
    thirds = pd.qcut(sizes[sizes > 0], 3, labels=["small", "medium", "large"])
    mean = models.pivot_table(index="case", columns="model", values="dice")
    print("\nmean Dice by thirds of lesion size")
    print(mean.groupby(thirds, observed=True).mean().to_string(float_format=lambda value: f"{value:.3f}"))


def print_largest_component(slices: pd.DataFrame) -> None:
    """Print what keeping the largest component of each prediction would change."""
    summed = slices.groupby(["model", "seed", "case"])[["tp", "fp", "fn", "truth", "largest_tp", "largest_fp"]].sum()
    both = pd.DataFrame(
        {
            "dice": dice(summed["tp"], summed["fp"], summed["fn"]),
            "largest": dice(summed["largest_tp"], summed["largest_fp"], summed["truth"] - summed["largest_tp"]),
        },
        index=summed.index,
    )
    both = both.groupby(["model", "case"]).mean()
    print("\nlargest component of each case (test cases: this chooses nothing)")
    for model, own in both.groupby("model"):
        change = own["largest"] - own["dice"]
        print(
            f"{model}: mean {own['dice'].mean():.3f} to {own['largest'].mean():.3f}, median {own['dice'].median():.3f} "
            f"to {own['largest'].median():.3f}; {np.sum(change > CHANGED)} cases gain more than {CHANGED:g}, "
            f"{np.sum(change < -CHANGED)} lose as much; to zero: {np.sum((own['largest'] == 0) & (own['dice'] > 0))}"
        )
        moved = pd.concat([change.nlargest(4), change.nsmallest(3)]).index.get_level_values("case")
        names = short_names(both.index.get_level_values("case").unique())
        before, after = own["dice"].droplevel("model"), own["largest"].droplevel("model")
        print("  " + ", ".join(f"{names[case]} {before[case]:.2f} to {after[case]:.2f}" for case in moved))


def print_along_the_slices(models: pd.DataFrame, slices: pd.DataFrame) -> None:
    """Print, for each failing case, where along the slices its false and missed voxels lie."""
    mean = models.groupby(["case", "model"])["dice"].mean()
    failing = mean[mean < FAILED_BELOW].reset_index()[["case", "model"]]
    names = short_names(models["case"].unique())
    rows = []
    for case, model in failing.itertuples(index=False):
        own = slices[(slices["case"] == case) & (slices["model"] == model)]
        lesion = own.loc[own["truth"] > 0, "slice"]
        false, missed = max(own["fp"].sum(), 1), max(own["fn"].sum(), 1)
        rows.append(
            {
                "case": names[case],
                "model": model,
                "dice": mean[case, model],
                "false below the lesion": own.loc[own["slice"] < lesion.min(), "fp"].sum() / false,
                "false above it": own.loc[own["slice"] > lesion.max(), "fp"].sum() / false,
                "missed where nothing is outlined": own.loc[own["predicted"] == 0, "fn"].sum() / missed,
            }
        )
    print("\nshares of false and missed voxels along the slices, cases below a half (slices count from below)")
    print(pd.DataFrame(rows).to_string(index=False, float_format=lambda value: f"{value:.2f}"))


if __name__ == "__main__":
    main()
