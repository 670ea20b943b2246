"""What it costs a prediction that an image comes alone, without the other slices of its patient.

Claim: none in advance. With its volume, a slice is scaled by the whole case's statistics and sees its neighbours'
FLAIR; alone, it is scaled by its own and stands in for its neighbours. The script scores one trained model both ways
on its own test cases and prints mean Dice per case side by side.
n: every test slice of the run, once each way.

    python benchmarks/single_image.py runs/lgg_cpu/unet-cosine-s0-f0 --root_dir data/kaggle_3m
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))

import numpy as np

from headtohead import machine
from headtohead.batches.splits import make_split
from headtohead.cohort import open_cohort
from headtohead.options.table import from_flat
from headtohead.predicting.predictor import open_predictor
from headtohead.predicting.scan import scan_of
from headtohead.runs.folder import RunFolder
from headtohead.scoring.counts import count, mean_dice, target_dice


def main() -> None:
    """Read the command line, score both ways, print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("run", type=Path, help="a run folder with a trained model")
    parser.add_argument("--root_dir", type=Path, required=True, help="folder of the data set it was trained on")
    parser.add_argument("--cache_dir", type=Path, default=Path("data/packed"), help="packed copies (%(default)s)")
    arguments = parser.parse_args()

    machine.tune_allocator()
    run = RunFolder(arguments.run)
    record = run.record()
    predictor = open_predictor(from_flat({"model_path": str(run.path), "gpus": "cpu"}))
    cohort = open_cohort(arguments.root_dir, arguments.cache_dir)
    split = make_split(cohort, record["split"]["kind"], record["split"]["seed"])
    if split.key != record["split"]["key"]:
        sys.exit(f"{arguments.run}: made from another split; give the data set it was trained on")

    counts = {way: np.zeros((len(cohort), 3), int) for way in ("with its volume", "alone")}
    for number in split.test:
        case, index = cohort.case_of(int(number))
        volume = np.asarray(cohort.images(case))
        truth = np.asarray(cohort.masks(case)[index]) == 1
        one = slice(index, index + 1)
        ways = {"with its volume": scan_of(volume, one), "alone": scan_of(volume[one])}
        for way, scan in ways.items():
            counts[way][case] += count(predictor(scan).probability[0, 0] >= predictor.threshold, truth)

    print(f"{arguments.run.name}: {len(split.cases(cohort, 'test'))} test cases, {len(split.test)} slices")
    print("\n| slice             | mean Dice per case | median |\n|---|---:|---:|")
    scores = {way: target_dice(table) for way, table in counts.items()}
    for way, dice in scores.items():
        print(f"| {way:<17} | {mean_dice(dice):.3f} | {np.nanmedian(dice):.3f} |")
    ratio = mean_dice(scores["alone"]) / mean_dice(scores["with its volume"])
    print(f"\nalone : with its volume = {ratio:.2f}")


if __name__ == "__main__":
    main()
