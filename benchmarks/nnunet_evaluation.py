"""Label maps of --predict, scored by nnU-Net's own evaluation, against our Dice.

Claim: nnU-Net's published package, in an environment of its own, reads the label maps that --predict writes for a data
set in its layout, and gives the Dice of our cases.csv for every case and region.
n: 12 test cases of 24 made-up patients of BraTS, 3 regions each; one small net.

    python3 -m venv nnunet && nnunet/bin/pip install nnunetv2
    python benchmarks/nnunet_evaluation.py --nnunet nnunet/bin/python

Source of nnU-Net: Isensee et al., Nature Methods 2021, doi 10.1038/s41592-020-01008-z.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))

import pandas as pd

from headtohead.cli import main

SEQUENCES = ("t1", "t1ce", "t2", "flair")
REGIONS = {"whole tumour": [1, 2, 4], "tumour core": [1, 4], "enhancing tumour": 4}
NET = "--model unet --width 8 --image_size 64 --num_epochs 12 --batch_size 8 --learning_rate 0.005 --precision 32"
EXACT = ("--engine", "torch", "--precision", "32")
"""The engine that the scores of a test come from; others round differently."""
EVALUATE = """
import sys
from nnunetv2.evaluation.evaluate_predictions import compute_metrics_on_folder2
compute_metrics_on_folder2(*sys.argv[1:5], sys.argv[5], num_processes=1, chill=True)
"""


def run(arguments: argparse.Namespace, folder: Path) -> None:
    """Train, predict, let nnU-Net score, and print how far the scores lie apart."""
    brats, nnunet, out = folder / "brats", folder / "Dataset001_Gliomas", folder / "predicted"
    call("--make_phantoms", str(brats), "--data", "brats")
    write_nnunet(brats, nnunet)
    runs = ["--runs_dir", str(folder / "runs"), "--run_name", "one"]
    call(
        "--train",
        "--data",
        "nnunet",
        "--root_dir",
        str(nnunet),
        "--cache_dir",
        str(folder),
        *runs,
        *NET.split(),
        "--folds",
        "2",
    )
    call("--predict", str(nnunet / "imagesTr"), "--output", str(out), "--mask_suffix", ".nii.gz", *runs, *EXACT)
    ours = pd.read_csv(folder / "runs" / "single" / "one" / "cases.csv").set_index(["case", "target"])["dice"]
    theirs = evaluate(arguments.nnunet, nnunet, out, folder)
    both = pd.DataFrame({"ours": ours, "nnunet": theirs.reindex(ours.index)}).dropna(subset="ours")
    apart = (both["ours"] - both["nnunet"]).abs()
    print(both.groupby("target").mean().round(4).to_string())
    print(f"{len(both)} scores of {ours.index.unique('case').size} cases; farthest apart: {apart.max():.2g}")
    if not apart.max() < 1e-9:
        raise SystemExit("the scores differ")


def call(*words: str) -> None:
    """Run the program, and end where it fails."""
    if status := main(list(words)):
        raise SystemExit(status)


def write_nnunet(brats: Path, root: Path) -> None:
    """Lay a data set of BraTS out as one of nnU-Net."""
    for name in ("imagesTr", "labelsTr"):
        (root / name).mkdir(parents=True)
    cases = sorted(path for path in brats.iterdir() if path.is_dir())
    for case in cases:
        for number, sequence in enumerate(SEQUENCES):
            shutil.copy(case / f"{case.name}_{sequence}.nii.gz", root / "imagesTr" / f"{case.name}_{number:04d}.nii.gz")
        shutil.copy(case / f"{case.name}_seg.nii.gz", root / "labelsTr" / f"{case.name}.nii.gz")
    facts = {
        "channel_names": dict(enumerate(SEQUENCES)),
        "labels": {"background": 0, **REGIONS},
        "regions_class_order": [2, 1, 4],
        "numTraining": len(cases),
        "file_ending": ".nii.gz",
    }
    (root / "dataset.json").write_text(json.dumps(facts))


def evaluate(python: str, root: Path, predicted: Path, folder: Path) -> "pd.Series[float]":
    """Give nnU-Net's Dice by case and target."""
    plans, summary = folder / "plans.json", folder / "summary.json"
    plans.write_text(json.dumps({"dataset_name": root.name, "plans_name": "none", "label_manager": "LabelManager"}))
    files = [root / "labelsTr", predicted, root / "dataset.json", plans, summary]
    subprocess.run([python, "-c", EVALUATE, *map(str, files)], check=True)
    names = {str(tuple(labels) if isinstance(labels, list) else labels): name for name, labels in REGIONS.items()}
    scores = {
        (Path(case["prediction_file"]).name.removesuffix(".nii.gz"), names[region]): found["Dice"]
        for case in json.loads(summary.read_text())["metric_per_case"]
        for region, found in case["metrics"].items()
    }
    return pd.Series(scores).rename_axis(["case", "target"])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nnunet", required=True, help="Python of the environment that holds nnunetv2")
    with tempfile.TemporaryDirectory() as temporary:
        run(parser.parse_args(), Path(temporary))
