"""How fast a training step is on this machine, and which share of its peak that is.

For each net, at each size, in bf16 with channels last, on five input channels as `--compare` has them:

    step      forward, loss, backward and optimiser on batches that lie on the device; images a second, without and with
              `torch.compile`, and the seconds until the first compiled step is done
    loader    what the worker processes hand over, read, resized and augmented; images a second
    share     multiply-adds of such a step, counted by PyTorch (two operations each), times images a second, over the
              rate of a large bf16 matrix product on this device

Each measurement is a line of a file; what stands there already is not measured again. The median of --repeats blocks of
--steps steps is taken, each ended by a synchronisation.

    python -m benchmarks.gpu.speed data/kaggle_3m data/packed runs/speed.jsonl
"""

import argparse
import itertools
import json
import statistics
import time
from pathlib import Path
from typing import Any

from headtohead import machine

machine.tune_allocator()  # before PyTorch is imported

import torch  # noqa: E402
from torch.utils.flop_counter import FlopCounterMode  # noqa: E402

from headtohead.batches.datamodule import SliceDataModule  # noqa: E402
from headtohead.batches.splits import make_split  # noqa: E402
from headtohead.cohort import open_cohort  # noqa: E402
from headtohead.learning.losses.bce_dice import bce_dice_loss  # noqa: E402
from headtohead.learning.module import SegmentationModule  # noqa: E402
from headtohead.learning.schedules import build_optimizer  # noqa: E402
from headtohead.models.registry import find_spec  # noqa: E402
from headtohead.preparing.recipe import InputRecipe  # noqa: E402

MODELS = ("unet", "buda", "resnext")
WARM_UP = 3


class Step:
    """One training step of a net on one batch of noise that lies on the device."""

    def __init__(self, model: str, size: int, batch: int, width: int, compiled: bool) -> None:
        """Build net, optimiser and batch."""
        recipe = InputRecipe(image_size=size, normalise="inner", neighbours=1)
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.module = SegmentationModule(
            model=model,
            width=width if find_spec(model).width else 0,
            in_channels=recipe.channels,
            recipe=recipe.to_dict(),
            threshold=0.5,
            cases=1,
            learning_rate=5e-4,
        ).to(self.device)
        self.module.arrange(torch.channels_last)
        if compiled:
            self.module.model.compile()
        self.optimizer = build_optimizer("adamax", self.module.parameters(), 5e-4)
        noise = torch.Generator().manual_seed(0)
        image = torch.randint(0, 256, (batch, size, size, recipe.channels), dtype=torch.uint8, generator=noise)
        self.image = image.to(self.device)
        self.statistics = torch.tensor([[100.0, 50.0]] * recipe.channels).expand(batch, -1, -1).to(self.device)
        self.mask = (image[None, :, :, :, 0].transpose(0, 1) > 200).float().to(self.device)

    def __call__(self) -> None:
        """Learn once."""
        self.optimizer.zero_grad(set_to_none=True)
        with torch.autocast(self.device.type, torch.bfloat16):
            loss = bce_dice_loss(self.module(self.image, self.statistics), self.mask)
        loss.backward()
        self.optimizer.step()


def wait() -> float:
    """Seconds on the clock once the device has done all it was given."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter()


def seconds_each(act: Any, steps: int, repeats: int) -> float:
    """Median over blocks of the seconds that one call takes."""
    for _ in range(WARM_UP):
        act()
    blocks = []
    for _ in range(repeats):
        started = wait()
        for _ in range(steps):
            act()
        blocks.append((wait() - started) / steps)
    return statistics.median(blocks)


def peak(side: int, steps: int, repeats: int) -> dict[str, Any]:
    """Rate of a bf16 matrix product on random numbers, in operations a second."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    left, right = (torch.randn(side, side, device=device).bfloat16() for _ in range(2))
    taken = seconds_each(lambda: left @ right, steps, repeats)
    facts = machine.describe()
    return {"side": side, "operations_a_second": 2 * side**3 / taken, "device": facts.get("gpu", facts["processor"]),
            "torch": facts["torch"]}  # fmt: skip


def step(model: str, size: int, compiled: bool, given: argparse.Namespace) -> dict[str, Any]:
    """Time one training step, and count its operations."""
    torch.compiler.reset()
    learn = Step(model, size, given.batch, given.width, compiled)
    started = wait()
    learn()
    first = wait() - started
    taken = seconds_each(learn, given.steps, given.repeats)
    if compiled:
        return {"images_a_second": given.batch / taken, "first_step_seconds": first}
    with FlopCounterMode(display=False) as counter:
        learn()
    operations = counter.get_total_flops() / given.batch
    return {"images_a_second": given.batch / taken, "operations_an_image": operations}


def loader(size: int, given: argparse.Namespace) -> dict[str, Any]:
    """Time what the worker processes of a training hand over, from the second batch of an epoch to its last."""
    cohort = open_cohort(given.root, given.cache)
    recipe = InputRecipe(image_size=size, normalise="inner", neighbours=1)
    split = make_split(cohort, "patient", 0)
    workers = min(8, machine.usable_cores() - 1) if given.workers < 0 else given.workers
    data = SliceDataModule(cohort, split, recipe, batch_size=given.batch, augmentation="standard",
                           sequence_dropout=0.25, num_workers=workers)  # fmt: skip
    speeds = []
    batches = data.train_dataloader()
    for _ in range(given.repeats):
        handed = iter(batches)
        next(handed)
        started = time.perf_counter()
        images = sum(len(batch["image"]) for batch in handed)
        speeds.append(images / (time.perf_counter() - started))
    return {"images_a_second": statistics.median(speeds), "workers": workers}


def main() -> None:
    """Measure what is not in the file yet."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("root", type=Path, help="folder of the data set")
    parser.add_argument("cache", type=Path, help="where its packed copy is kept")
    parser.add_argument("file", type=Path, help="lines of JSON, one a measurement")
    parser.add_argument("--sizes", type=int, nargs="+", default=[128, 256], help="sides of the image (%(default)s)")
    parser.add_argument("--batch", type=int, default=32, help="images in a batch (%(default)s)")
    parser.add_argument("--width", type=int, default=0, help="width of our own nets; 0: as published")
    parser.add_argument("--steps", type=int, default=20, help="steps of a block (%(default)s)")
    parser.add_argument("--repeats", type=int, default=3, help="blocks (%(default)s)")
    parser.add_argument("--side", type=int, default=8192, help="side of the matrices (%(default)s)")
    parser.add_argument("--workers", type=int, default=-1, help="processes of the loader; -1: as in training")
    parser.add_argument("--eager", action="store_true", help="leave torch.compile out")
    given = parser.parse_args()
    given.file.parent.mkdir(parents=True, exist_ok=True)
    lines = given.file.read_text(encoding="utf-8").splitlines() if given.file.is_file() else []
    known = {line["what"] for line in map(json.loads, lines)}
    wanted = {"peak": lambda: peak(given.side, given.steps, given.repeats)}
    for size in given.sizes:
        for model, compiled in itertools.product(MODELS, (False,) if given.eager else (False, True)):
            name = f"{model} {size} {'compiled' if compiled else 'eager'}"
            wanted[name] = lambda model=model, size=size, compiled=compiled: step(model, size, compiled, given)  # type: ignore[misc]
        wanted[f"loader {size}"] = lambda size=size: loader(size, given)  # type: ignore[misc]
    for name, measure in wanted.items():
        if name not in known:
            try:
                found = measure()
            except Exception as fault:  # one net that does not run must not hide the others
                found = {"failed": f"{type(fault).__name__}: {fault}".splitlines()[0]}
            with given.file.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"what": name, **found}) + "\n")
            print(name, found, flush=True)


if __name__ == "__main__":
    main()
