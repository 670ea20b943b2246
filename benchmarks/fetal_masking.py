"""Mask each stack of one foetus by a model that was trained on the other stacks.

Claim: training on volumes, prediction and geometry work on real data; three stacks of one subject prove no more.
Hardware: printed; a processor takes about two minutes a stack.
n: one training for each stack, one seed.

    python benchmarks/fetal_masking.py FOLDER --output results/fetal-masking

FOLDER holds NIfTI stacks with a brain mask beside each. Written are scores-MODEL.csv (one row a stack, before and after
clean-up) and, for each training, the cases.csv of its own held-out slices.
"""

import argparse
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import nibabel
import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))

from headtohead import machine
from headtohead.scoring.counts import count, dice

ROOT = Path(__file__).resolve().parents[1]
TRAINING = "--data nifti --split slice --schedules cosine --width 16 --image_size 192 --num_epochs 60 --batch_size 4"
TRAINING += " --learning_rate 2e-3 --augmentation turns --comparison fetal"
CLEAN_UPS = ("none", "largest,fill")


def main() -> None:
    """Train and predict once for each stack."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--output", type=Path, required=True, help="folder for the scores and the tables of cases")
    parser.add_argument("--model", default="buda")
    parser.add_argument("--only", default="", help="part of the name of the one stack to mask; default: each")
    wanted = parser.parse_args()
    images = [path for path in sorted(wanted.folder.glob("*.nii.gz")) if not path.name.endswith("_mask.nii.gz")]
    if len(images) < 2:
        sys.exit(f"error: {wanted.folder}: needs two stacks or more, each with its mask")
    facts = machine.describe()
    print(f"{facts.get('processor')}, {facts.get('cores')} cores; torch {facts.get('torch')}")
    wanted.output.mkdir(parents=True, exist_ok=True)
    rows = [mask_one(image, images, wanted) for image in images if wanted.only in image.name]
    table = pd.DataFrame(rows)
    table.to_csv(wanted.output / f"scores-{wanted.model}.csv", index=False)
    print(table.to_string(index=False, float_format=lambda value: f"{value:.3f}"))


def mask_one(image: Path, images: list[Path], wanted: argparse.Namespace) -> dict[str, object]:
    """Train on all stacks but one and score the masks of that one."""
    name = image.name.removesuffix(".nii.gz")
    with TemporaryDirectory(prefix="fetal-") as aside:
        place = Path(aside)
        for other in images:
            target = place / ("masked" if other == image else "known")
            target.mkdir(exist_ok=True)
            shutil.copy(other, target)
            if other != image:
                shutil.copy(mask_of(other), target)
        common = ["--runs_dir", str(place / "runs"), "--cache_dir", str(place / "packed")]
        main_py(["--compare", "--root_dir", str(place / "known"), "--models", wanted.model, *TRAINING.split(), *common])
        run = f"{wanted.model}-cosine-s0-f0"
        shutil.copy(place / "runs" / "fetal" / run / "cases.csv", wanted.output / f"cases-{wanted.model}-{name}.csv")
        truth = np.asarray(nibabel.load(mask_of(image)).dataobj) > 0
        row: dict[str, object] = {"masked": name, "model": wanted.model}
        for steps in CLEAN_UPS:
            output = place / f"masks-{len(row)}"
            chosen = ["--comparison", "fetal", "--run_name", run, "--runs_dir", str(place / "runs")]
            main_py(["--predict", str(place / "masked"), "--output", str(output), "--postprocessing", steps, *chosen])
            mask = np.asarray(nibabel.load(next(output.rglob("*_mask.nii*"))).dataobj) > 0
            row[f"dice after {steps}"] = float(dice(*count(mask, truth)))
    return row


def mask_of(image: Path) -> Path:
    """The brain mask beside a stack."""
    stem = image.name.removesuffix(".nii.gz")
    return image.with_name(f"{stem}_desc-brain_mask.nii.gz")


def main_py(words: list[str]) -> None:
    """Run the program, and stop where it stops."""
    done = subprocess.run([sys.executable, str(ROOT / "main.py"), *words], check=False)
    if done.returncode:
        sys.exit(done.returncode)


if __name__ == "__main__":
    main()
