"""How much faster our training step is than a plain loop, on the machine this runs on.

Claim: on a processor, ours trains more images a second than the plain loop, for `unet` and `resnext` at 128x128.
Hardware: printed above the table; a ratio holds for the machine it was measured on and no other.
n: --repeats runs of --steps steps for each way and model, each run a process of its own, the ways taking turns so
that a machine that warms up or is shared slows both alike. The table gives the median and the range.

    ours    what `--train` does: allocator tuned, packed uint8 slices, normalised inside the step, channels last and
            bf16 where they pay, counts kept on the device, under Lightning's Trainer.
    plain   the loop people write first: every TIFF read again in every epoch, normalised in float32 one by one,
            default memory layout and allocator, float32, outputs copied to NumPy for a Dice in every step.

The same on both sides: net, three input channels, image size, batch, loss, optimiser, flips as augmentation, data
prepared in the training process (on a GPU, ours uses worker processes as `--train` does). Each counts the time from
the end of its warm-up to the end of its last step, reading and augmenting included.

    python benchmarks/train_speed.py                          # phantoms made for the purpose
    python benchmarks/train_speed.py --root_dir data/kaggle_3m --steps 20 --repeats 5
"""

import argparse
import itertools
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))

from headtohead import machine

MODELS = ("unet", "resnext")
WAYS = ("plain", "ours")
PHANTOMS = 10
WARM_UP = 2
AUGMENTATION = "flips"
LEARNING_RATE = 5e-4
THRESHOLD = 0.5
SEED = 0


def ours(model: str, root: Path, cache: Path, size: int, batch: int, steps: int) -> float:
    """Train with the harness; images a second."""
    machine.tune_allocator()  # before PyTorch is imported
    import torch

    machine.mend_torchvision()
    import pytorch_lightning as pl

    from headtohead.batches.datamodule import SliceDataModule
    from headtohead.batches.splits import make_split
    from headtohead.cohort import open_cohort
    from headtohead.preparing.recipe import InputRecipe

    torch.manual_seed(SEED)
    cohort = open_cohort(root, cache)
    recipe = InputRecipe(image_size=size, normalise="inner", neighbours=0)
    split = make_split(cohort, "patient", SEED)
    data = SliceDataModule(cohort, split, recipe, batch_size=batch, augmentation=AUGMENTATION, seed=SEED)
    module, placed = build(model, recipe, len(cohort))
    watch = stopwatch(steps)
    trainer = pl.Trainer(
        **placed,
        max_epochs=-1,
        max_steps=WARM_UP + steps,
        limit_val_batches=0,
        callbacks=[watch],
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        log_every_n_steps=1_000_000,
        use_distributed_sampler=False,
    )
    trainer.fit(module, data)
    return watch.images / (watch.ended - watch.started)


def stopwatch(steps: int) -> Any:
    """Make a callback that counts the images after the warm-up: `images` between `started` and `ended`."""
    import pytorch_lightning as pl

    class Stopwatch(pl.Callback):
        images = 0
        started = ended = 0.0

        def on_train_batch_end(self, trainer: pl.Trainer, module: Any, outputs: Any, batch: Any, index: int) -> None:
            if trainer.global_step > WARM_UP:
                self.images += len(batch["image"])
            if trainer.global_step == WARM_UP:
                self.started = now()
            elif trainer.global_step == WARM_UP + steps:
                self.ended = now()

    return Stopwatch()


def build(model: str, recipe: Any, cases: int) -> tuple[Any, dict[str, Any]]:
    """Build the module as the harness does; and say where and how precisely a trainer is to run it."""
    import torch

    from headtohead.learning.module import SegmentationModule
    from headtohead.models.registry import MODELS as SPECS

    module = SegmentationModule(
        model=model,
        width=0,
        in_channels=recipe.channels,
        recipe=recipe.to_dict(),
        threshold=THRESHOLD,
        cases=cases,
        learning_rate=LEARNING_RATE,
    )
    accelerator, devices = machine.pick_device("auto")
    precision = machine.pick_precision("auto", accelerator)
    if machine.prefers_channels_last(accelerator, precision, SPECS[model].batch_norm):
        module.arrange(torch.channels_last)
    if accelerator == "cuda":
        module.model.compile()
    return module, {"accelerator": accelerator, "devices": devices, "precision": precision}


def plain(model: str, root: Path, cache: Path, size: int, batch: int, steps: int) -> float:
    """Train with the loop people write first; images a second. It keeps no packed copy, so `cache` is not used."""
    import torch
    from torch.utils.data import DataLoader

    from headtohead.learning.losses.bce_dice import bce_dice_loss
    from headtohead.models.registry import build_model

    torch.manual_seed(SEED)
    accelerator, _ = machine.pick_device("auto")
    net = build_model(model, 3).to(accelerator)
    optimizer = torch.optim.Adamax(net.parameters(), lr=LEARNING_RATE)
    loader = DataLoader(tiff_slices(root, size), batch_size=batch, shuffle=True)
    endless = itertools.chain.from_iterable(itertools.repeat(loader))
    images, started, scores = 0, 0.0, []
    for step, (image, mask) in enumerate(itertools.islice(endless, WARM_UP + steps), start=1):
        optimizer.zero_grad()
        logits = net(image.to(accelerator))
        loss = bce_dice_loss(logits, mask.to(accelerator))
        loss.backward()
        optimizer.step()
        found, truth = logits.sigmoid().detach().cpu().numpy() >= THRESHOLD, mask.numpy() > 0
        scores.append((loss.item(), 2 * (found & truth).sum() / max(found.sum() + truth.sum(), 1)))
        if step > WARM_UP:
            images += len(image)
        elif step == WARM_UP:
            started = now()
    return images / (now() - started)


def tiff_slices(root: Path, size: int) -> Any:
    """Make a data set that reads, resizes, augments and scales one TIFF at a time."""
    import cv2
    import numpy as np
    import torch
    from torch.utils.data import Dataset

    from headtohead.batches.augmentation import build_policy
    from headtohead.preparing.steps.scale import FIXED

    centre, spread = FIXED["imagenet"].T

    class TiffSlices(Dataset[tuple[torch.Tensor, torch.Tensor]]):
        def __init__(self) -> None:
            self.masks = sorted(root.glob("*/*_mask.tif"))
            self.augment = build_policy(AUGMENTATION)

        def __len__(self) -> int:
            return len(self.masks)

        def __getitem__(self, index: int) -> tuple[torch.Tensor, torch.Tensor]:
            file = self.masks[index]
            image = np.asarray(cv2.imread(str(file).replace("_mask.tif", ".tif"), cv2.IMREAD_COLOR_RGB))
            mask = np.asarray(cv2.imread(str(file), cv2.IMREAD_GRAYSCALE))
            image = cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA)
            mask = cv2.resize(mask, (size, size), interpolation=cv2.INTER_NEAREST)
            drawn = self.augment(image=image, mask=mask)
            scaled = (drawn["image"].astype(np.float32) - centre) / spread
            return torch.from_numpy(scaled.transpose(2, 0, 1).copy()), torch.from_numpy(drawn["mask"] > 0)[None].float()

    return TiffSlices()


def now() -> float:
    """Seconds on the clock once the device has done all it was given."""
    import torch

    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter()


def measure(way: str, model: str, root: Path, cache: Path, options: argparse.Namespace) -> float:
    """Run one way once in a process of its own."""
    size, batch, steps = (str(number) for number in (options.size, options.batch, options.steps))
    command = [sys.executable, __file__, "--one", way, model, str(root), str(cache), size, batch, steps]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{way} {model} failed:\n{done.stderr}")
    return float(done.stdout.split()[-1])


def compare(root: Path, cache: Path, options: argparse.Namespace) -> None:
    """Let the ways take turns and print the table."""
    from headtohead.cohort import open_cohort

    facts = machine.describe()
    accelerator, _ = machine.pick_device("auto")
    precision = machine.pick_precision("auto", accelerator)
    hardware = facts.get("gpu") or f"{facts['processor']}, {facts['cores']} cores"
    print(f"{hardware}; torch {facts['torch']}; load {os.getloadavg()[0]:.1f} before the start")
    print(f"{options.size}x{options.size}, batch {options.batch}, {options.steps} steps, n = {options.repeats}")
    print(f"ours in {precision}, plain in float32", flush=True)

    open_cohort(root, cache)  # packed once, before anything is timed
    speeds: dict[tuple[str, str], list[float]] = {(model, way): [] for model in MODELS for way in WAYS}
    for _, model, way in itertools.product(range(options.repeats), MODELS, WAYS):
        speeds[model, way].append(measure(way, model, root, cache, options))

    print("\nimages a second, median (range)\n")
    print("| model   | plain                 | ours                  | ratio |")
    print("|---------|-----------------------|-----------------------|-------|")
    for model in MODELS:
        ratio = statistics.median(speeds[model, "ours"]) / statistics.median(speeds[model, "plain"])
        cells = " | ".join(f"{spread(speeds[model, way]):<21}" for way in WAYS)
        print(f"| {model:<7} | {cells} | {ratio:5.2f} |")


def spread(values: list[float]) -> str:
    """Write a median with its range."""
    return f"{statistics.median(values):.2f} ({min(values):.2f}-{max(values):.2f})"


def main() -> None:
    """Read the command line and compare, on a data set or on phantoms."""
    if sys.argv[1:2] == ["--one"]:
        way, model, root_name, cache_name = sys.argv[2:6]
        size, batch, steps = map(int, sys.argv[6:])
        print({"ours": ours, "plain": plain}[way](model, Path(root_name), Path(cache_name), size, batch, steps))
        return
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--root_dir", type=Path, help="folder of the LGG data set; without it phantoms are made")
    parser.add_argument("--steps", type=int, default=10, help="steps timed in each run (%(default)s)")
    parser.add_argument("--size", type=int, default=128, help="side of the image in pixels (%(default)s)")
    parser.add_argument("--batch", type=int, default=16, help="images in a batch (%(default)s)")
    parser.add_argument("--repeats", type=int, default=3, help="runs of each way and model (%(default)s)")
    options = parser.parse_args()
    if min(options.steps, options.size, options.batch, options.repeats) < 1:
        parser.error("--steps, --size, --batch and --repeats must be at least 1")
    with tempfile.TemporaryDirectory() as folder:
        root = options.root_dir or Path(folder) / "phantoms"
        if options.root_dir is None:
            from headtohead.cohort.phantom import make_phantoms

            make_phantoms(root, n_cases=PHANTOMS, seed=SEED)
        compare(root, Path(folder) / "packed", options)


if __name__ == "__main__":
    main()
