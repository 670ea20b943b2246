"""What a cohort of 8 bits costs in Dice, where the scanner has 12.

Claim: none in advance. Made-up heads are drawn with 4,096 grey levels: bright scalp and fat up to the last one, and a
brain within some 160 levels far below them, so that one level of 8 bits is 16 of the scanner's. Lesions are brighter
than the brightest tissue of the brain by a few of these levels, down to a quarter of one of 8 bits. A patient's levels
are multiplied by a gain of their own, .9 to 1.1, so that they fall anywhere between two levels of 8 bits. One net is
trained on the same files packed with `--bits 8` and `--bits 16`, and scored on the same patients.
n: 36 patients of 8 slices, 12 of them for test, at each of 4 contrasts; one training each. Two trainings of one depth
differ by luck alone; --seeds 2 shows by how much.

    python benchmarks/storage_depth.py
"""

import argparse
import io
import sys
import tempfile
from contextlib import redirect_stdout
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))

import numpy as np
import pandas as pd

from headtohead import machine
from headtohead.cohort.phantom.anatomy import Tissue, draw_head, grow_lesion
from headtohead.comparing.training import test, train
from headtohead.options.table import from_flat
from headtohead.readers.nifti_writing import write_volume
from headtohead.runs.folder import RunFolder
from headtohead.task import Grid

PATIENTS, SLICES, SIDE = 36, 8, 64
LEVELS = 4096
NOISE = 2.0
"""Standard deviation in levels of the scanner: below one level of 8 bits, as in a clean scan."""

BRAIN = {Tissue.CSF: 260, Tissue.GREY: 420, Tissue.WHITE: 360, Tissue.DEEP_GREY: 400, Tissue.VESSEL: 300}
BRIGHT = {Tissue.SCALP: 3600, Tissue.FAT: 4000, Tissue.MARROW: 2500, Tissue.MUSCLE: 900, Tissue.EYE: 500}

CONTRASTS = (4, 8, 16, 64)
"""By how many of the scanner's levels a lesion is brighter than grey matter; one level of 8 bits is 16."""


def write_patients(folder: Path, contrast: float) -> None:
    """Write volumes of 12 bits with masks: `p01.nii.gz`, `p01_mask.nii.gz`."""
    folder.mkdir()
    table = np.full(len(Tissue), 20.0)
    for tissue, level in {**BRAIN, **BRIGHT}.items():
        table[tissue] = level
    for number in range(PATIENTS):
        rng = np.random.default_rng(number)
        head = draw_head(rng, SLICES, SIDE)
        lesion = grow_lesion(rng, head).mask
        levels = table[head.tissue]
        levels[lesion] = max(BRAIN.values()) + contrast
        levels *= rng.uniform(0.9, 1.1)
        levels += rng.normal(0, NOISE, levels.shape)
        volume = np.clip(np.rint(levels), 0, LEVELS - 1).astype(np.int16)
        grid = Grid((SIDE, SIDE, SLICES), np.diag([-3.0, -3.0, 12.0, 1.0]))
        for stem, values in ((f"p{number:02d}", volume), (f"p{number:02d}_mask", lesion.astype(np.uint8))):
            write_volume(folder / f"{stem}.nii.gz", np.asfortranarray(values.transpose(2, 1, 0)), grid)


def dice_at(bits: str, data: Path, runs: Path, epochs: int, seed: int) -> pd.Series:
    """Train and test one net on patients packed with so many bits; give the Dice of each test patient."""
    options = from_flat(
        {
            "data": "nifti", "root_dir": str(data), "cache_dir": str(runs / "packed"), "runs_dir": str(runs),
            "comparison": f"{data.name}-{bits}", "model": "buda", "width": 8, "image_size": SIDE,
            "num_epochs": epochs, "batch_size": 8, "learning_rate": 5e-3, "lr_scheduler": "cosine", "gpus": "cpu",
            "num_workers": 0, "folds": "3", "seed": seed, "bits": bits,
        }
    )  # fmt: skip
    with redirect_stdout(io.StringIO()):
        folder = train(options)
        test(replace(options, verbs=replace(options.verbs, test=True)))
    return pd.read_csv(RunFolder(folder).cases, index_col="case")["dice"]


def main() -> None:
    """Read the command line, train, print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--epochs", type=int, default=80, help="of each training (%(default)s)")
    parser.add_argument("--seeds", type=int, default=1, help="trainings at each depth and contrast (%(default)s)")
    arguments = parser.parse_args()
    machine.tune_allocator()
    facts = machine.describe()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for contrast in CONTRASTS:
            data = Path(folder) / f"contrast-{contrast}"
            write_patients(data, contrast)
            for seed in range(arguments.seeds):
                found = {bits: dice_at(bits, data, Path(folder), arguments.epochs, seed) for bits in ("8", "16")}
                apart = found["16"] - found["8"]
                rows.append((contrast, seed, found["8"].mean(), found["16"].mean(), apart.mean(), len(apart)))
    print(f"\n{facts['processor']}, {facts['cores']} cores; {arguments.epochs} epochs\n")
    print("| lesion brighter by, of 4,096 levels | of 256 | seed | Dice at 8 bits | Dice at 16 bits | difference | n |")
    print("|---:|---:|---:|---:|---:|---:|---:|")
    for contrast, seed, eight, sixteen, apart, number in rows:
        print(f"| {contrast} | {contrast / 16:.1f} | {seed} | {eight:.3f} | {sixteen:.3f} | {apart:+.3f} | {number} |")


if __name__ == "__main__":
    main()
