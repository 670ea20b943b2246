"""Has a change made anything slower? Two checkouts, timed in turns.

Claim: none in advance; results/predict-speed.md has what was measured. Each state predicts the same files with the
model that it ships, and trains the same nets on the same made-up patients with its own `benchmarks/train_speed.py`.
n: --repeats runs of each, the states taking turns, so that a slow minute of the machine affects both. The table gives
the medians, and the median of the ratios of neighbouring runs.

    python benchmarks/two_states.py ../before
    python benchmarks/two_states.py ../before --repeats 10 --train
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from time import perf_counter

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))

import nibabel
import numpy as np

from headtohead.cohort import open_cohort
from headtohead.cohort.phantom import make_phantoms

HERE = Path(__file__).resolve().parents[1]
VOLUMES, SLICES, SIDE = 5, 40, 256
STEPS, BATCH, TRAINED = 6, 16, 128

PREDICT = """
import contextlib, io, sys, time
sys.path.insert(0, sys.argv[1] + "/src")
from headtohead import machine
machine.tune_allocator()
from headtohead.options.table import from_flat
from headtohead.predicting.folder import predict_folder
options = from_flat({"predict": sys.argv[2], "output": sys.argv[3], "overwrite": True, "runs_dir": sys.argv[3]})
printed = sys.stdout
for line in sys.stdin:
    begin = time.perf_counter()
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        predict_folder(options)
    print(time.perf_counter() - begin, file=printed, flush=True)
"""
"""A process that has done its imports, and predicts the folder for each line that it is sent."""

TRAIN = """
import importlib.util, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1] + "/src")
spec = importlib.util.spec_from_file_location("train_speed", sys.argv[1] + "/benchmarks/train_speed.py")
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
print(1 / module.ours(sys.argv[2], Path(sys.argv[3]), Path(sys.argv[4]), *map(int, sys.argv[5:])))
"""


def main() -> None:
    """Read the command line, measure, print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("before", type=Path, help="another checkout, whose packages are those of this one")
    parser.add_argument("--repeats", type=int, default=5, help="runs of each (%(default)s)")
    parser.add_argument("--train", action="store_true", help="training as well, about 20 s a run")
    arguments = parser.parse_args()
    states = {"before": arguments.before.resolve(), "after": HERE}

    print("| | before, s | after, s | after : before |\n|---|---:|---:|---:|")
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        make_files(folder)
        image = sorted((folder / "phantoms").glob(f"TCGA_*/*_{SLICES // 2}.tif"))[0]
        compare(
            "`--image_path`, a process",
            {key: lambda key=key, root=root: one_image(root, image, folder / key) for key, root in states.items()},  # type: ignore[misc]
            arguments.repeats,
        )
        servers = {key: stack.enter_context(server(root, folder, key)) for key, root in states.items()}
        compare(
            f"`--predict`, {VOLUMES} volumes of {SIDE}x{SIDE}x{SLICES}, after the imports",
            {key: lambda one=one: ask(one) for key, one in servers.items()},  # type: ignore[misc]
            arguments.repeats,
        )
        for model in ("unet", "resnext") if arguments.train else ():
            compare(
                f"training `{model}`, an image of {TRAINED}x{TRAINED}",
                {key: lambda key=key, root=root: train(root, model, folder, key) for key, root in states.items()},  # type: ignore[misc]  # noqa: B023
                arguments.repeats,
            )


def make_files(folder: Path) -> None:
    """Draw patients as LGG's files, and their FLAIR as volumes."""
    make_phantoms(folder / "phantoms", n_cases=2 * VOLUMES, seed=0, size=SIDE, slices=(SLICES, SLICES))
    cohort = open_cohort(folder / "phantoms", folder / "packed")
    (folder / "scans").mkdir()
    for case in range(VOLUMES):
        values = np.moveaxis(np.asarray(cohort.primary(case)), 0, 2).astype(np.int16)
        nibabel.save(nibabel.Nifti1Image(values, np.diag([1.0, 1.0, 3.0, 1.0])), folder / "scans" / f"{case}.nii.gz")


def one_image(root: Path, image: Path, output: Path) -> float:
    """Predict one image in a new process; seconds."""
    words = ["--image_path", str(image), "--output", str(output), "--runs_dir", str(output), "--overwrite"]
    begin = perf_counter()
    subprocess.run([sys.executable, "main.py", *words], cwd=root, check=True, capture_output=True)
    return perf_counter() - begin


def server(root: Path, folder: Path, key: str) -> "subprocess.Popen[str]":
    """Begin a process that predicts whenever it is asked."""
    words = [sys.executable, "-c", PREDICT, str(root), str(folder / "scans"), str(folder / f"masks-{key}")]
    return subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


def ask(one: "subprocess.Popen[str]") -> float:
    """Let it predict; seconds."""
    assert one.stdin is not None and one.stdout is not None
    print("go", file=one.stdin, flush=True)
    return float(one.stdout.readline())


def train(root: Path, model: str, folder: Path, key: str) -> float:
    """Train some steps in a new process; seconds an image."""
    words = [str(root), model, str(folder / "phantoms"), str(folder / f"cache-{key}"), TRAINED, BATCH, STEPS]
    command = [sys.executable, "-c", TRAIN, *map(str, words)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()[-1])


def compare(name: str, states: dict[str, Callable[[], float]], repeats: int) -> None:
    """Time both states in turns, after one run that does not count, and print a row."""
    seconds: dict[str, list[float]] = {key: [] for key in states}
    for turn in range(repeats + 1):
        for key, run in states.items() if turn % 2 else reversed(states.items()):
            taken = run()
            if turn:
                seconds[key].append(taken)
    before, after = seconds.values()
    ratio = statistics.median(late / early for early, late in zip(before, after, strict=True))
    print(f"| {name} | {statistics.median(before):.3f} | {statistics.median(after):.3f} | {ratio:.2f} |", flush=True)


if __name__ == "__main__":
    main()
