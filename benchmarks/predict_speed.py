"""How fast a prediction starts, how fast it goes, and what is lost around the net.

Claims, for a processor with two cores:
1. `--image_path`, from a cold start to the written mask and panel, takes less time than `import torch` alone, and less
   than 0.8 s in all.
2. `--predict` of five volumes of 256x256x40, from opening the model to the last mask, takes at most 1.5 times what the
   net alone takes on the same slices: for the shipped model, a slim net at 128x128 that is done so soon that all
   else weighs heavily, and for a net of published size (`buda`, 7.8 million parameters, 256x256, untrained weights).
   Beside it stands the whole process, with the start of Python and all imports.
Before them stand the engines on the same slices, each as a ratio to eager PyTorch in float32.
n: medians of --repeats runs of each, interleaved, so that a slow minute of the machine affects all of them.

    python benchmarks/predict_speed.py
    python benchmarks/predict_speed.py --model_path runs/lgg_cv/buda-cosine-s0-f0 --repeats 7
"""

import argparse
import contextlib
import io
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))

import numpy as np

from headtohead import machine
from headtohead.cohort import open_cohort
from headtohead.cohort.phantom import make_phantoms
from headtohead.options.table import Options, from_flat
from headtohead.predicting.folder import predict_folder
from headtohead.predicting.predictor import PIXELS, open_predictor
from headtohead.preparing.chain import Prepared
from headtohead.readers.lgg import TASK as LGG_TASK
from headtohead.trained.engines.opening import Engine, installed, open_engine
from headtohead.trained.facts import ModelFacts
from headtohead.trained.shipped import SHIPPED
from headtohead.trained.source import ONNX, Source, open_source

ROOT = Path(__file__).resolve().parents[1]

EAGER = """
import sys; sys.path.insert(0, {src!r})
from pathlib import Path
import torch, cv2
from headtohead.trained.source import open_source
from headtohead.trained.engines.torch_engine import load_net
import numpy as np
from headtohead.predicting.files.grouping import slices_around
from headtohead.preparing.chain import Prepared
from headtohead.readers.pictures import colour, read_pixels
source = open_source(Path({model!r}))
net, path = load_net(source), Path({image!r})
files = slices_around(path)
volume, index = np.stack([colour(read_pixels(file)) for file in files]), files.index(path)
prepared = Prepared(source.facts.chain, volume)
with torch.inference_mode():
    probability = net(torch.from_numpy(prepared.input(index))[None])[0, 0].sigmoid().numpy()
mask = source.facts.chain.resize.undone(probability, *volume.shape[1:3]) >= source.facts.threshold
cv2.imwrite({mask!r}, mask.astype("uint8") * 255)
"""


def main() -> None:
    """Read the command line, measure, print the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--model_path", type=Path, default=SHIPPED, help="a bundle or a run folder (the shipped model)")
    parser.add_argument("--repeats", type=int, default=5, help="runs of each (%(default)s)")
    arguments = parser.parse_args()

    machine.tune_allocator()
    source = open_source(arguments.model_path)
    described = machine.describe()
    print(f"{source.facts.name}, {described['processor']}, {described['cores']} cores, n = {arguments.repeats}\n")
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        make_phantoms(folder / "phantoms", n_cases=5, seed=0, size=256, slices=(40, 40))
        cohort = open_cohort(folder / "phantoms", folder / "packed")
        volumes = [np.asarray(cohort.images(case)) for case in range(len(cohort))]
        engines(source, volumes[0], arguments.repeats)
        cold_start(arguments.model_path, folder, arguments.repeats)
        models = {"`buda`, 7.8 M, 256x256": as_published(folder / "published"), "this model": arguments.model_path}
        whole_folder(models, volumes, folder, arguments.repeats)


def engines(source: Source, volume: np.ndarray, repeats: int) -> None:
    """Print slices a second of each engine on the slices of one volume."""
    prepared = Prepared(source.facts.chain, volume)
    batch = np.stack([prepared.input(index) for index in range(16)])
    ways: dict[str, Callable[[np.ndarray], np.ndarray]] = {"torch, eager, float32": eager(source)}
    ways["torch, tuned"] = open_engine(source, "torch", "cpu")
    ways |= {name: open_engine(source, name, "cpu") for name in ("onnx", "openvino") if installed(name)}
    seconds = in_turns({name: lambda ask=ask: ask(batch) for name, ask in ways.items()}, repeats)  # type: ignore[misc]
    first = next(iter(seconds.values()))
    print(f"| engine, {batch.shape[-1]}x{batch.shape[-1]} | slices/s | ratio |\n|---|---:|---:|")
    for name, taken in seconds.items():
        print(f"| {name:<21} | {len(batch) / taken:.1f} | {first / taken:.2f} |")


def eager(source: Source) -> Callable[[np.ndarray], np.ndarray]:
    """The net as PyTorch runs it when nobody tunes anything."""
    import torch

    from headtohead.trained.engines.torch_engine import load_net

    net = load_net(source)

    def ask(batch: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            return net(torch.from_numpy(batch)).sigmoid().numpy()

    return ask


def cold_start(model: Path, folder: Path, repeats: int) -> None:
    """Print the wall time of whole processes that predict one image."""
    image = sorted((folder / "phantoms").glob("TCGA_*/*_20.tif"))[0]
    words = ["--image_path", str(image), "--model_path", str(model), "--output", str(folder / "one"), "--overwrite"]
    script = EAGER.format(src=str(ROOT / "src"), model=str(model), image=str(image), mask=str(folder / "eager.png"))
    processes = {
        "main.py --image_path": [sys.executable, str(ROOT / "main.py"), *words],
        "import torch": [sys.executable, "-c", "import torch"],
        "import torch, predict eagerly": [sys.executable, "-c", script],
    }

    def run(words: list[str]) -> None:
        subprocess.run(words, check=True, capture_output=True)

    seconds = in_turns({name: lambda words=words: run(words) for name, words in processes.items()}, repeats)  # type: ignore[misc]
    ours = next(iter(seconds.values()))
    print("\n| from a cold start | seconds | ours : it |\n|---|---:|---:|")
    for name, taken in seconds.items():
        print(f"| {name:<29} | {taken:.2f} | {ours / taken:.2f} |")


def whole_folder(models: dict[str, Path], volumes: list[np.ndarray], folder: Path, repeats: int) -> None:
    """Print the wall time of `--predict`, and of the net alone on the same slices."""
    import nibabel

    (folder / "scans").mkdir()
    for number, volume in enumerate(volumes):
        # Slices last, as scanners store them.
        values = np.moveaxis(volume[..., LGG_TASK.primary_channel], 0, 2).astype(np.int16)
        nibabel.save(nibabel.Nifti1Image(values, np.diag([1.0, 1.0, 3.0, 1.0])), folder / "scans" / f"{number}.nii.gz")
    print(f"\n| {len(volumes)} volumes of 256x256x40 | engine | process, s | --predict, s | the net alone, s | ratio |")
    print("|---|---|---:|---:|---:|---:|")
    for name, model in models.items():
        wanted = {"predict": folder / "scans", "output": folder / "masks", "model_path": model}
        options = from_flat({**{key: str(path) for key, path in wanted.items()}, "overwrite": True})
        words = [word for key, path in wanted.items() for word in (f"--{key}", str(path))]
        engine, taken = beside_the_net(options, words, volumes, repeats)
        everything, here, net = taken["process"], taken["here"], taken["net"]
        print(f"| {name} | {engine} | {everything:.2f} | {here:.2f} | {net:.2f} | {here / net:.2f} |")


def beside_the_net(
    options: Options, words: list[str], volumes: list[np.ndarray], repeats: int
) -> tuple[str, dict[str, float]]:
    """Time `--predict` as a process, in this process, and the net alone: what runs the net, and the seconds of each."""
    predictor = open_predictor(options)
    engine, batches = predictor.engines[0], []
    for volume in volumes:
        primary = predictor.facts.task.primary_channel
        one = Prepared(predictor.facts.chain, volume[..., primary : primary + 1])
        inputs = np.stack([one.input(index) for index in range(one.n)])
        size = max(1, PIXELS // inputs[0, 0].size)
        batches += [inputs[start : start + size] for start in range(0, len(inputs), size)]
    process = [sys.executable, str(ROOT / "main.py"), *words, "--overwrite"]
    ways: dict[str, Callable[[], object]] = {
        "process": lambda: subprocess.run(process, check=True, capture_output=True),
        "here": lambda: quietly(options),
        "net": lambda: ask(engine, batches),
    }
    return engine.name, in_turns(ways, repeats)


def ask(engine: Engine, batches: list[np.ndarray]) -> None:
    """Put all batches through a net."""
    for batch in batches:
        engine(batch)


def quietly(options: Options) -> None:
    """Carry out `--predict` without its lines."""
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        predict_folder(options)


def as_published(folder: Path) -> Path:
    """Write a bundle of the published size, whose weights nobody trained: its speed is the same."""
    from headtohead.models.registry import build_model
    from headtohead.trained.onnx_file import write_onnx

    recipe = {"image_size": 256, "normalise": "inner", "neighbours": 1}
    facts = ModelFacts("buda as published", "buda", 0, 5, recipe, task=LGG_TASK)
    folder.mkdir()
    facts.write(folder)
    write_onnx(build_model("buda", 5).eval(), facts, folder / ONNX, np.zeros((1, 5, 256, 256), np.float32))
    return folder


def in_turns(ways: dict[str, Callable[[], object]], repeats: int) -> dict[str, float]:
    """Give the median seconds of each way; all are tried once before anything is timed."""
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(repeats + 1):
        for name, do in ways.items():
            start = time.perf_counter()
            do()
            if turn:
                taken[name].append(time.perf_counter() - start)
    return {name: statistics.median(values) for name, values in taken.items()}


if __name__ == "__main__":
    main()
