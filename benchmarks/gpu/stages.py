"""The stages of the kit; `run.sh` starts one of them. README.md beside this says in which order, and where each runs.

A stage stops by itself when its time is up, before the machine kills it, and says so: the same command goes on. A run
that is killed loses at most the epoch it was in.
"""

import argparse
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.gpu import pieces, results, wheels
from headtohead.errors import UserError

ROOT = Path(__file__).resolve().parents[2]
CARRIED = ROOT / "build" / "gpu"
"""Wheels and pieces, as they are made here and copied to the GPU machine."""

WORK = Path(os.environ.get("HEADTOHEAD_WORK", "/tmp/headtohead-gpu"))  # of the machine with the GPU
OUT = Path(os.environ.get("OUT", CARRIED / "out"))
DATA, PACKED, RUNS, LOGS = WORK / "data" / "cohort", WORK / "packed", WORK / "runs", WORK / "logs"

AGAIN = 75  # exit status of a stage that is not finished
COMPARISONS = {
    "lgg": "configs/lgg.yaml",
    "historical": "configs/historical.yaml",
    "folds": "configs/lgg_cv_full.yaml",
}
TRAINED = ("lgg_cv_full", "lgg", "lgg_reduced")  # comparisons whose first model predicts, in this order
MIB = 2**20


class Unfinished(Exception):
    """The time is up; the same command goes on."""


def fetch_wheels(words: list[str]) -> None:
    """With network: download the packages that the GPU machine lacks."""
    parser = argparse.ArgumentParser(prog="run.sh wheels")
    parser.add_argument("further", nargs="*", help="further packages, NAME==VERSION")
    parser.add_argument("--python", default=wheels.PYTHON, help="Python of the machine with the GPU (%(default)s)")
    given = parser.parse_args(words)
    wheels.fetch(CARRIED / "wheels", given.further, given.python)


def make_pieces(words: list[str]) -> None:
    """With network: pack the data set into pieces, each small enough for a transfer with the tree."""
    parser = argparse.ArgumentParser(prog="run.sh pieces")
    parser.add_argument("--root_dir", type=Path, default=ROOT / "data" / "kaggle_3m", help="folder of the data set")
    parser.add_argument("--transfer", type=float, default=64, help="MiB of a transfer, the tree among it (%(default)s)")
    parser.add_argument("--side", type=int, default=0, help="reduce the images to this side; 0: keep them")
    given = parser.parse_args(words)
    tree = tree_bytes()
    room = int(given.transfer * MIB) - tree - 2 * MIB
    if room < MIB:
        raise UserError(f"--transfer {given.transfer:g}: the tree alone has {tree / MIB:.0f} MiB")
    made = pieces.pack(given.root_dir, CARRIED / "pieces", room, given.side)
    size = sum((CARRIED / "pieces" / name).stat().st_size for name in made.pieces)
    reduced = (
        f", images reduced to {given.side}x{given.side}: another data set than {made.original}" if given.side else ""
    )
    print(
        f"pieces: {len(made.pieces)} of {size / MIB:.0f} MiB, and a tree of {tree / MIB:.0f}, in {CARRIED / 'pieces'}"
    )
    print(f"pieces: unpacked once, data key {made.key}{reduced}")


def tree_bytes() -> int:
    """Count what travels with every transfer: the files of the checkout that git does not ignore."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return sum(path.stat().st_size for name in set(listed.split("\0")) if name and (path := ROOT / name).is_file())


def install(_: list[str]) -> None:
    """On the GPU machine: install the wheels and list what is still missing."""
    wheels.install(CARRIED / "wheels", WORK / "site")


def unpack(_: list[str]) -> None:
    """On the GPU machine: unpack the pieces that have arrived, and results from an earlier machine."""
    results.restore(CARRIED / results.ARCHIVE, RUNS)
    manifest = pieces.Manifest.read(CARRIED / "pieces")
    lacking = pieces.unpack(CARRIED / "pieces", DATA)
    shutil.copy(CARRIED / "pieces" / pieces.MANIFEST, WORK)  # later stages need no transfer
    if lacking:
        raise Unfinished(f"{len(lacking)} of {len(manifest.pieces)} pieces are missing: {', '.join(lacking)}")
    print(f"unpack: all {len(manifest.pieces)} pieces, data key {manifest.key}, as packed")


def whole() -> pieces.Manifest:
    """Say what was unpacked.

    Raises:
        UserError: not all of it has arrived.
    """
    manifest = pieces.Manifest.read(WORK)
    if lacking := pieces.missing(manifest, DATA):
        raise UserError(f"the data set is incomplete; copy and unpack these first: {', '.join(lacking)}")
    return manifest


def speed(words: list[str]) -> None:
    """On the GPU machine: images per second of a training step and the loader, and the share of the peak."""
    whole()
    program([sys.executable, "-m", "benchmarks.gpu.speed", str(DATA), str(PACKED), str(RUNS / "speed.jsonl"), *words])


def compare(name: str) -> Callable[[list[str]], None]:
    """Give the stage of a comparison."""

    def carry_out(words: list[str]) -> None:
        """On the GPU machine: run this comparison; further words are options of main.py."""
        command = [sys.executable, "main.py", "--compare", "--config", COMPARISONS[name], "--case_gifs", "none"]
        command += ["--root_dir", str(DATA), "--cache_dir", str(PACKED), "--runs_dir", str(RUNS)]
        manifest = whole()
        if manifest.side:
            if name == "folds":
                raise UserError(f"folds: needs whole images; these were reduced to {manifest.side}x{manifest.side}")
            command += ["--comparison", f"{name}_reduced"]
        count = int(os.environ.get("PROCESSES", "1"))
        program([*command, *words], count)

    return carry_out


def predict(words: list[str]) -> None:
    """On the GPU machine: predict five patients that the model was not trained on, as volumes."""
    whole()
    scans = WORK / "scans"
    model = results.pick_run(RUNS, TRAINED)
    for case in results.test_cases(model, DATA)[:5]:
        (scans / case).mkdir(parents=True, exist_ok=True)
        for file in (DATA / case).iterdir():
            if not (scans / case / file.name).exists():
                (scans / case / file.name).symlink_to(file)
    command = [sys.executable, "main.py", "--predict", str(scans), "--output", str(RUNS / "predictions"), "--overwrite"]
    command += ["--runs_dir", str(RUNS)]
    command += ["--comparison", model.parent.name, "--run_name", model.name] if model else []
    started = time.monotonic()
    program([*command, *words])
    print(f"predict: five volumes in {time.monotonic() - started:.1f} s, start of the program included")


def collect(words: list[str]) -> None:
    """On the GPU machine: write tables, records and logs of everything finished to $OUT; every stage ends with this."""
    limit = float(words[0]) if words else 15.5
    results.collect(RUNS, LOGS, WORK / pieces.MANIFEST, OUT, int(limit * MIB))


def model(_: list[str]) -> None:
    """On the GPU machine: write the weights of the first trained run to $OUT, in 16 bits."""
    OUT.mkdir(parents=True, exist_ok=True)
    run = results.pick_run(RUNS, TRAINED)
    if run is None:
        raise UserError("model: no trained run on this machine")
    bundle = WORK / "bundle"
    shutil.rmtree(bundle, ignore_errors=True)
    command = [sys.executable, "main.py", "--export", "bundle", "--half", "--runs_dir", str(RUNS), "--overwrite"]
    program([*command, "--comparison", run.parent.name, "--run_name", run.name, "--output", str(bundle)])
    made = next(bundle.glob("*/model.json")).parent  # `--export` names it after the run
    for part in ("model.json", "weights.safetensors", "README.md"):
        shutil.copy(made / part, OUT / part)
    size = (OUT / "weights.safetensors").stat().st_size
    print(f"model: {run.parent.name}/{run.name}, {size / MIB:.1f} MiB, in {OUT}")


def everything(words: list[str]) -> None:
    """On the GPU machine: all stages of `ORDER`, each resumed where it was stopped."""
    for name in ORDER:
        done = WORK / f"{name}.done"
        if not done.is_file():
            print(f"--- {name}", flush=True)
            STAGES[name](words if name in COMPARISONS else [])
            done.touch()


ORDER = ("speed", *COMPARISONS, "predict")
STAGES: dict[str, Callable[[list[str]], None]] = {
    "wheels": fetch_wheels,
    "pieces": make_pieces,
    "install": install,
    "unpack": unpack,
    "speed": speed,
    **{name: compare(name) for name in COMPARISONS},
    "predict": predict,
    "all": everything,
    "collect": collect,
    "model": model,
}
LEAVES_RESULTS = frozenset((*ORDER, "all"))
DEADLINE = time.monotonic() + float(os.environ.get("SECONDS_A_COMMAND", "555"))


def program(command: list[str], count: int = 1) -> None:
    """Run a program until it ends or the time is up; several of them side by side share a comparison.

    Raises:
        Unfinished: the time is up; what was running is stopped.
        UserError: it failed.
    """
    running = [subprocess.Popen(command, cwd=ROOT) for _ in range(count)]
    try:
        status = max(process.wait(max(0, DEADLINE - time.monotonic())) for process in running)
    except subprocess.TimeoutExpired:
        raise Unfinished("out of time") from None
    finally:
        for process in running:
            if process.poll() is None:
                process.kill()
                process.wait()
    if status:
        raise UserError(f"{' '.join(command[1:4])} ended with status {status}; the reason is printed above")


def main(words: list[str]) -> int:
    """Run the stage that is named first; the rest are its options."""
    if not words or words[0] not in STAGES:
        width = max(map(len, STAGES))
        lines = [f"  {name:<{width}}  {(stage.__doc__ or '').splitlines()[0]}" for name, stage in STAGES.items()]
        print("usage: run.sh STAGE [OPTIONS], where STAGE is", *lines, sep="\n", file=sys.stderr)
        return 2
    name, *options = words
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # what it started is stopped with it
    try:
        STAGES[name](options)
        status = 0
    except Unfinished as reason:
        print(f"{name}: not finished: {reason}; rerun the same command", flush=True)
        status = AGAIN
    except UserError as fault:
        print(f"{name}: {fault}" if not str(fault).startswith(name) else fault, file=sys.stderr)
        status = 2
    if name in LEAVES_RESULTS:
        collect([])
    if not status:
        print(f"{name}: done", flush=True)
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
