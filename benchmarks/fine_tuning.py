"""What a start from trained weights is worth with few patients, against random weights at equal steps.

Claim: printed, one table for each part; docs/how-to/fine-tune.md says what a start is.
Fetal: the shipped LGG model against random weights, trained on 1 and on 2 of 3 stacks of one foetus and scored on the
others. One foetus supports no sentence about others, so there is no interval.
LGG: a model of all hospitals but one, against random weights, on 5, 10 and 20 patients of that hospital, three draws of
patients each, scored on fixed further patients of it, whom no training has seen. Intervals are over these patients, of
the mean over draws; the draws are listed beside.
Hardware: printed; planned for 25 minutes on two cores. An interrupted command goes on where it was.
n: printed.

    python benchmarks/fine_tuning.py --fetal FOLDER --lgg data/kaggle_3m --output results/fine-tuning
    python benchmarks/fine_tuning.py --toy --output /tmp/fine-tuning

FOLDER holds NIfTI stacks with a brain mask beside each. Written are fetal.csv (one row a masked stack) and lgg.csv (one
row a test patient), of each training; the run folders are in work/. The toy is a rehearsal of both on made-up images.
"""

import argparse
import math
import shutil
import sys
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import nibabel
import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))

from headtohead import cli, machine
from headtohead.scoring.counts import count, dice
from headtohead.statistics.intervals import mean_interval

RANDOM, TRAINED = "random", "trained"
COMMON = "--model buda --width 16 --batch_size 8 --lr_scheduler --num_workers 0 --learning_rate 2e-3"
TESTED = 0  # the fold of the patients that are scored
MASK = "_desc-brain_mask"


@dataclass(frozen=True)
class Scale:
    """How much is trained: sides of the images, epochs of the largest training of each part, patients, draws."""

    image_size: int = 96
    fetal_epochs: int = 40
    before_epochs: int = 6
    lgg_epochs: int = 8
    patients: tuple[int, ...] = (5, 10, 20)
    draws: int = 3
    tested: int = 20


TOY = Scale(32, 2, 1, 1, (2, 4), 2, 4)


def main() -> None:
    """Carry out both parts, as far as their data are given."""
    wanted = arguments()
    scale = (
        TOY if wanted.toy else Scale(wanted.image_size, wanted.fetal_epochs, wanted.before_epochs, wanted.lgg_epochs)
    )
    machine.tune_allocator()
    facts = machine.describe()
    print(f"{facts.get('processor')}, {facts.get('cores')} cores; torch {facts.get('torch')}; {scale}")
    work = wanted.output / "work"
    work.mkdir(parents=True, exist_ok=True)
    fetal, lgg = (make_toy(work)) if wanted.toy else (wanted.fetal, wanted.lgg)
    if fetal:
        table = fetal_part(fetal, work, scale)
        table.to_csv(wanted.output / "fetal.csv", index=False)
        print(fetal_summary(table))
    if lgg:
        table = lgg_part(lgg, wanted.site, work, scale)
        table.to_csv(wanted.output / "lgg.csv", index=False)
        print(lgg_summary(table))


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fetal", type=Path, help="folder of NIfTI stacks with masks")
    parser.add_argument("--lgg", type=Path, help="folder of the LGG data set")
    parser.add_argument("--output", type=Path, required=True, help="folder for the tables and the runs")
    parser.add_argument("--site", default="DU", help="the hospital of the LGG patients that are trained on and tested")
    for name in ("image_size", "fetal_epochs", "before_epochs", "lgg_epochs"):
        parser.add_argument(f"--{name}", type=int, default=getattr(Scale, name))
    parser.add_argument("--toy", action="store_true", help="both parts on made-up images, in less than a minute")
    wanted = parser.parse_args()
    if not (wanted.toy or wanted.fetal or wanted.lgg):
        parser.error("nothing to do: give --fetal, --lgg or --toy")
    return wanted


def fetal_part(folder: Path, work: Path, scale: Scale) -> pd.DataFrame:
    """Train on each choice of 1 and of 2 stacks with either start; score the masks of all other stacks."""
    images = [path for path in sorted(folder.glob("*.nii.gz")) if not path.name.endswith(f"{MASK}.nii.gz")]
    if len(images) < 3:
        sys.exit(f"error: {folder}: needs three stacks or more, each with its mask")
    rows = []
    for number in (1, 2):
        for chosen in combinations(images, number):
            names = "+".join(path.name.split("_T2w")[0] for path in chosen)
            data = linked([one for path in chosen for one in (path, mask_of(path))], work / "stacks" / names)
            others = linked([path for path in images if path not in chosen], work / "others" / names)
            epochs = scale.fetal_epochs * 2 // number  # as many steps with one stack as with two
            for start in (RANDOM, TRAINED):
                what = f"--data nifti --split slice --augmentation turns --num_epochs {epochs}"
                what += " --init_from shipped" if start == TRAINED else ""
                folder = train(f"fetal-{start}", names, what, work, scale, root_dir=data)
                output = work / "masks" / start / names
                if not (output / "summary.csv").is_file():
                    run("--postprocessing none", predict=others, output=output, model_path=folder)
                for image in images:
                    if image not in chosen:
                        score = dice_of(next(output.rglob(f"{image.name.removesuffix('.nii.gz')}*_mask.nii*")), image)
                        rows.append(
                            {"start": start, "stacks": number, "trained": names, "masked": image.name, "dice": score}
                        )
    return pd.DataFrame(rows)


def lgg_part(root: Path, site: str, work: Path, scale: Scale) -> pd.DataFrame:
    """Train at the other hospitals, then with either start on few patients of one; score its fixed test patients."""
    cases = sorted(path for path in root.iterdir() if path.name.startswith("TCGA_") and path.is_dir())
    own = [path for path in cases if path.name.split("_")[1] == site]
    shuffled = [own[place] for place in np.random.default_rng(0).permutation(len(own))]
    tested, pool = shuffled[: scale.tested], shuffled[scale.tested :]
    if len(pool) < max(scale.patients) + validated(scale.tested, max(scale.patients)):
        sys.exit(f"error: {root}: too few patients of {site} ({len(own)}); name another --site")
    elsewhere = linked([*(path for path in cases if path not in own), root / "data.csv"], work / "elsewhere")
    what = f"--empty_slices 0.2 --num_epochs {scale.before_epochs}"
    before = train("elsewhere", "before", what, work, scale, root_dir=elsewhere)
    rows = []
    for number in scale.patients:
        for draw in range(scale.draws):
            count_of_all = number + validated(scale.tested, number)
            drawn = [pool[place] for place in np.random.default_rng((1, draw)).permutation(len(pool))[:count_of_all]]
            name = f"{number}-patients-draw-{draw}"
            data = linked([*tested, *drawn, root / "data.csv"], work / "few" / name)
            folds = [f"{path.name},{int(path not in tested)}" for path in sorted([*tested, *drawn])]
            table = work / "few" / f"{name}.csv"
            table.write_text("\n".join(["case,fold", *folds, ""]))
            epochs = math.ceil(scale.lgg_epochs * max(scale.patients) / number)  # about as many steps for all
            what = f"--fold {TESTED} --empty_slices 0.2 --num_epochs {epochs}"
            for start, weights in ((RANDOM, {}), (TRAINED, {"init_from": before})):
                folder = train(f"few-{start}", name, what, work, scale, root_dir=data, fold_file=table, **weights)
                scores = pd.read_csv(folder / "cases.csv")
                assert set(scores["case"]) == {path.name for path in tested}
                rows.append(scores[["case", "dice"]].assign(start=start, patients=number, draw=draw))
    return pd.concat(rows, ignore_index=True)


def validated(tested: int, trained: int) -> int:
    """How many patients choose the epoch beside so many: a tenth of all, as the folds of the program have it."""
    return next(number for number in range(1, 100) if number == max(1, round(0.1 * (tested + trained + number))))


def fetal_summary(table: pd.DataFrame) -> str:
    """Mean Dice of each start and number of stacks, and in how many pairs the trained start was better."""
    lines = ["", "| stacks | trainings | random | trained start | better with it |", "|---|---|---|---|---|"]
    for number, rows in table.groupby("stacks"):
        pairs = rows.pivot_table(index=["trained", "masked"], columns="start", values="dice")
        better = int((pairs[TRAINED] > pairs[RANDOM]).sum())
        means = f"{pairs[RANDOM].mean():.3f} | {pairs[TRAINED].mean():.3f}"
        lines.append(f"| {number} | {rows['trained'].nunique()} | {means} | {better} of {len(pairs)} masks |")
    return "\n".join(lines)


def lgg_summary(table: pd.DataFrame) -> str:
    """Mean Dice of each start and number of patients, and the paired difference with its interval over patients."""
    lines = ["", "| patients | random | trained start | difference, each draw | mean difference [95 %] | n |"]
    lines.append("|---|---|---|---|---|---|")
    for number, rows in table.groupby("patients"):
        scores = rows.pivot_table(index="case", columns=["start", "draw"], values="dice", dropna=False)
        gains = (scores[TRAINED] - scores[RANDOM]).dropna()
        found = mean_interval(gains.mean(axis=1))
        each = ", ".join(f"{gain:+.3f}" for gain in gains.mean())
        means = f"{scores[RANDOM].mean(axis=None):.3f} | {scores[TRAINED].mean(axis=None):.3f}"
        interval = f"{found.mean:+.3f} [{found.low:+.3f}, {found.high:+.3f}]"
        lines.append(f"| {number} | {means} | {each} | {interval} | {found.n} |")
    return "\n".join(lines)


def train(comparison: str, name: str, what: str, work: Path, scale: Scale, **places: Path) -> Path:
    """Train and test one run, or keep it where it is finished; give its folder."""
    named = f"--train {what} --image_size {scale.image_size} {COMMON} --comparison {comparison} --run_name {name}"
    run(named, runs_dir=work / "runs", cache_dir=work / "packed", **places)
    return work / "runs" / comparison / name


def run(words: str, **places: Path) -> None:
    """Run the program with some flags, and further ones that name files and folders; stop where it stops."""
    named = [word for flag, place in places.items() for word in (f"--{flag}", str(place))]
    if status := cli.main([*words.split(), *named]):
        sys.exit(status)


def linked(paths: list[Path], folder: Path) -> Path:
    """Make a folder of links to some files and folders; one that is there already has them."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in paths:
        if path.exists() and not (folder / path.name).exists():
            (folder / path.name).symlink_to(path.absolute())
    return folder


def mask_of(image: Path) -> Path:
    """The brain mask beside a stack."""
    return image.with_name(f"{image.name.removesuffix('.nii.gz')}{MASK}.nii.gz")


def dice_of(mask: Path, image: Path) -> float:
    """Dice of a predicted mask against the one beside the image."""
    found, truth = (np.asarray(nibabel.load(path).dataobj) > 0 for path in (mask, mask_of(image)))
    return float(dice(*count(found, truth)))


def make_toy(work: Path) -> tuple[Path, Path]:
    """Make three small stacks with a bright ball, and made-up patients."""
    stacks, patients = work / "toy-stacks", work / "toy-patients"
    stacks.mkdir(exist_ok=True)
    rng = np.random.default_rng(0)
    grid = np.stack(np.meshgrid(*(np.linspace(-1, 1, side) for side in (48, 48, 12)), indexing="ij"))
    for number in (1, 3, 5):
        ball = ((grid - rng.uniform(-0.2, 0.2, (3, 1, 1, 1))) ** 2).sum(axis=0) < 0.3
        image = stacks / f"sub-01_run-{number}_T2w.nii.gz"
        for path, values in ((image, 40 + 80 * ball + rng.normal(0, 10, ball.shape)), (mask_of(image), ball)):
            nibabel.save(nibabel.Nifti1Image(values.astype(np.int16), np.diag([1.0, 1.0, 3.0, 1.0])), path)
    if not patients.is_dir():
        run("", make_phantoms=patients)
        for path in sorted(patients.glob("TCGA_*"))[36:]:  # 12, 30, 15 and 23 of four hospitals: fewer are quicker
            shutil.rmtree(path)
    return stacks, patients


if __name__ == "__main__":
    main()
