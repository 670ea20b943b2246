"""How much memory a prediction takes at its peak, beside what the program reckons from the header beforehand.

Claims:
1. A volume of 512x512x512 is predicted within 4 GiB, of memory in use and of address space (`ulimit -v`).
2. What is reckoned is never less than what is taken.
3. Over 200 files the peak stays flat: it is at most a tenth more than over 20.
Each row is a process of its own, which says its own peak (VmHWM; ru_maxrss would count the memory of this script, too),
in the first table less that of a process that has imported what it needs and opened no model. Linux only.

    python benchmarks/predict_memory.py
    python benchmarks/predict_memory.py --side 192 --files 50
"""

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))

import cv2
import numpy as np

from headtohead.predicting.files.finding import find_jobs
from headtohead.predicting.files.weighing import weigh
from headtohead.predicting.predictor import open_predictor
from headtohead.predicting.results.outputs import read_outputs
from headtohead.predicting.stages import further_bytes
from headtohead.trained.shipped import SHIPPED

ROOT = Path(__file__).resolve().parents[1]
MIB = 2**20
LIMIT = 4 * 2**30

BARE = """
import sys; sys.path.insert(0, sys.argv[1])
import cv2, nibabel
import headtohead.predicting.folder, headtohead.predicting.predictor, headtohead.predicting.trust.familiarity
print(open("/proc/self/status").read())
"""

PREDICT = """
import sys; sys.path.insert(0, sys.argv[1])
from headtohead.cli import main
status = main(sys.argv[2:])
print(open("/proc/self/status").read())
sys.exit(status)
"""

Make = Callable[[Path, int], None]

ALL = ("--save_probability", "--save_uncertainty", "entropy", "--preview")
FULL = ("--threshold", "1e-12")
"""The mask then fills the volume."""

STEPS = "largest,fill,min_size=1ml,close=2px,open=2px,dilate=2px,erode=2px"
MODELS = ("--runs_dir", "{runs}", "--run_name", "one,two,three")


def main() -> None:
    """Read the command line, measure, print the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--side", type=int, default=256, help="voxels along each axis of most volumes (%(default)s)")
    parser.add_argument("--files", type=int, default=200, help="files of the longest folder (%(default)s)")
    parser.add_argument("--large", type=int, default=512, help="voxels along each axis of the large one (%(default)s)")
    parser.add_argument("--parts", default="kinds,large,flat", help="which tables, with commas (%(default)s)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        done = subprocess.run(
            [sys.executable, "-c", BARE, str(ROOT / "src")], capture_output=True, text=True, check=True
        )
        base = peak_in(done.stdout)
        print(f"Base: {base / MIB:.0f} MiB.\n")
        for name in ("one", "two", "three"):
            run_folder(folder / "runs" / "same" / name)
        for part in arguments.parts.split(","):
            {
                "kinds": lambda: kinds(folder, arguments.side, base),
                "large": lambda: within(folder, arguments.large),
                "flat": lambda: flat(folder, arguments.files),
            }[part]()


def kinds(folder: Path, side: int, base: int) -> None:
    """Print peak and estimate of one file of each kind."""
    print("| one file | outputs | peak, MiB | bytes a voxel | reckoned, MiB | reckoned : taken |")
    print("|---|---|---:|---:|---:|---:|")
    for name, (make, flags) in KINDS.items():
        source = folder / re.sub(r"\W+", "_", name + "".join(flags))
        make(source, side)
        taken = peak(source, folder, *flags) - base
        need, voxels = reckoned(source, folder, flags)
        print(
            f"| {name} | {' '.join(flags) or 'mask'} | {taken / MIB:.0f} | {taken / voxels:.1f} | {need / MIB:.0f} "
            f"| {need / max(taken, 1):.2f} |",
            flush=True,
        )


def within(folder: Path, side: int) -> None:
    """Print what a large volume takes, and whether it is predicted under a limit of address space."""
    print(f"\n| {side}x{side}x{side} | outputs | peak, MiB | reckoned | within 4 GiB of address space |")
    print("|---|---|---:|---:|---|")
    for name, (make, flags) in KINDS.items():
        if name not in LARGE:
            continue
        source = folder / "large"
        make(source, side)
        status, most = run(source, folder, "--overwrite", *flags, limit=LIMIT)
        most = most if status == 0 else peak(source, folder, *flags)
        need = reckoned(source, folder, flags)[0]
        answer = "yes" if status == 0 else "no"
        print(f"| {name} | {' '.join(flags) or 'mask'} | {most / MIB:.0f} | {need / MIB:.0f} | {answer} |", flush=True)
        shutil.rmtree(source)


def flat(folder: Path, files: int) -> None:
    """Print the peak over few files and over many."""
    print("\n| volumes of 96x96x96 | peak, MiB |\n|---:|---:|")
    source = folder / "many"
    for number in range(files):
        volume(source / f"{number}.nii.gz", 96, seed=number)
        if number + 1 in (files // 10, files // 4, files // 2, files):
            print(f"| {number + 1} | {peak(source, folder) / MIB:.0f} |", flush=True)


def run_folder(folder: Path) -> None:
    """Make a run folder of the shipped model, for an average of several."""
    (folder / "checkpoints").mkdir(parents=True)
    (folder / "checkpoints" / "best.ckpt").touch()  # OpenVINO reads model.onnx alone
    (folder / "run.json").write_text(json.dumps({"status": "finished"}))
    for name in ("model.json", "model.onnx"):
        shutil.copy(SHIPPED / name, folder)


def volume(path: Path, side: int, dtype: Any = np.int16, seed: int = 0, **how: Any) -> None:
    """Write a head of noise in air: an affine, a slope may be given."""
    import nibabel

    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    values = np.zeros((side, side, side), dtype, order="F")
    axis = np.linspace(-1, 1, side, dtype=np.float32)
    noise = rng.integers(0, 100, (side, side))
    for place, height in enumerate(axis):
        inside = axis[:, None] ** 2 / 0.8 + axis**2 / 0.7 + height**2 < 0.8
        values[:, :, place] = np.where(inside, 100 + np.roll(noise, place, 0), noise // 20)
    image = nibabel.Nifti1Image(values, how.get("affine", np.eye(4)), dtype=dtype)
    if "slope" in how:
        image.header.set_slope_inter(how["slope"], 1)
    nibabel.save(image, path)


def turned(degrees: float) -> np.ndarray:
    """Give an affine that is turned about two axes."""
    angle = np.radians(degrees)
    one, other = np.eye(4), np.eye(4)
    one[:2, :2] = other[1:3, 1:3] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    return one @ other


def with_mask(folder: Path, side: int) -> None:
    """Write a volume and a mask beside it."""
    volume(folder / "a.nii.gz", side)
    volume(folder / "a_mask.nii.gz", side, np.uint8)


def sequences(folder: Path, side: int) -> None:
    """Write the sequences that LGG has."""
    for name in ("flair", "t1", "t1ce"):
        volume(folder / f"a_{name}.nii.gz", side)


def picture(end: str, dtype: Any) -> Make:
    """Give what writes a picture of as many pixels as a volume has voxels."""

    def make(folder: Path, side: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        sides = side * 8, side * side // 8
        pixels = np.random.default_rng(0).integers(0, 250, (*sides, 3)).astype(dtype)
        assert cv2.imwrite(str(folder / f"a{end}"), pixels)

    return make


def alone(*arguments: Any, **how: Any) -> Make:
    """Give what writes one volume of a kind."""
    return lambda folder, side: volume(folder / "a.nii.gz", side, *arguments, **how)


KINDS: dict[str, tuple[Make, tuple[str, ...]]] = {
    "int16": (alone(), ()),
    "uint8": (alone(np.uint8), ()),
    "float64": (alone(np.float64), ()),
    "int16, scaled": (alone(slope=0.5), ()),
    "pixels of 1 by 2 mm": (alone(affine=np.diag([1.0, 2.0, 1.0, 1.0])), ()),
    "tilted": (alone(affine=turned(20)), ()),
    "with a mask": (with_mask, ()),
    "three sequences": (sequences, ()),
    "int16, full mask": (alone(), FULL),
    "int16, all": (alone(), ALL),
    "int16, full mask, all": (alone(), (*FULL, *ALL)),
    "pixels of 1 by 2 mm, all": (alone(affine=np.diag([1.0, 2.0, 1.0, 1.0])), ALL),
    "tilted, all": (alone(affine=turned(20)), ALL),
    "float64, extracted": (alone(np.float64), ("--outputs", "0.0:_brain.nii.gz,0.2:_dim.nii.gz")),
    "int16, extracted": (alone(), ("--outputs", "0.0:_brain.nii.gz,0.2:_dim.nii.gz")),
    "int16, cleaned": (alone(), ("--postprocessing", STEPS)),
    "int16, full mask, cleaned": (alone(), (*FULL, "--postprocessing", STEPS)),
    "int16, mirrored": (alone(), ("--tta",)),
    "three models": (alone(), MODELS),
    "three models, variance": (alone(), (*MODELS, "--save_uncertainty", "variance")),
    "PNG, 8-bit pixels": (picture(".png", np.uint8), ()),
    "TIFF, 16-bit pixels": (picture(".tif", np.uint16), ()),
}

LARGE = (
    "int16",
    "float64",
    "tilted",
    "int16, full mask",
    "int16, all",
    "pixels of 1 by 2 mm, all",
    "int16, full mask, cleaned",
    "int16, mirrored",
    "three models",
    "three models, variance",
)


def reckoned(source: Path, folder: Path, flags: tuple[str, ...]) -> tuple[int, int]:
    """Give what the program reckons with, and how many voxels or pixels a file has."""
    from headtohead.parsing import parse
    from headtohead.readers.nifti_file import open_volume
    from headtohead.readers.picture_sizes import picture_size

    options = parse(words_of(source, folder, flags))
    predictor = open_predictor(options)
    facts = predictor.facts
    [job] = find_jobs(source, "", facts.task, read_outputs(options.files).ends)
    further = further_bytes(read_outputs(options.files), predictor)
    need = weigh(job, facts, "auto", further, predictor.members).need
    if job.kind == "nifti":
        return need, int(np.prod(open_volume(job.files[0]).shape))
    size = picture_size(job.files[0])
    assert size
    return need, size.pixels


def run(source: Path, folder: Path, *flags: str, limit: int = 0) -> tuple[int, int]:
    """Predict a folder in a process of its own: exit status and peak in bytes."""
    words = [sys.executable, "-c", PREDICT, str(ROOT / "src"), *words_of(source, folder, flags)]
    if limit:
        words = ["bash", "-c", f'ulimit -v {limit // 1024}; exec "$@"', "limited", *words]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    return done.returncode, peak_in(done.stdout)


def peak_in(text: str) -> int:
    """Read the peak from what a process printed of itself, in bytes; 0 where it printed nothing."""
    found = re.search(r"VmHWM:\s+(\d+) kB", text)
    return int(found[1]) * 1024 if found else 0


def words_of(source: Path, folder: Path, flags: tuple[str, ...]) -> list[str]:
    """Give the command line that predicts a folder."""
    flags = tuple(flag.replace("{runs}", str(folder / "runs")) for flag in flags)
    return ["--predict", str(source), "--output", str(folder / "out"), *flags]


def peak(source: Path, folder: Path, *flags: str) -> int:
    """Give the peak of a process that predicts a folder."""
    status, most = run(source, folder, "--overwrite", *flags)
    if status:
        raise SystemExit(f"{source}: exit status {status}")
    return most


if __name__ == "__main__":
    main()
