"""A few validation slices as TensorBoard shows them during a training, outlined by the truth and by the model."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch.utils.data import default_collate

from headtohead import machine
from headtohead.batches.datamodule import SliceDataset, view_in_bytes
from headtohead.batches.splits import Split
from headtohead.cohort import Cohort
from headtohead.drawing.legend import legend
from headtohead.drawing.outlines import PREDICTION, TRUTH, by_colour, draw_outlines, enlarge
from headtohead.learning.counts import to_source_grid
from headtohead.learning.deciding import activate, decide_targets, encode
from headtohead.learning.module import SegmentationModule
from headtohead.preparing.intensities import to_eight_bits
from headtohead.readers.sequence_names import sequence_title
from headtohead.task import Targets

machine.mend_torchvision()

import pytorch_lightning as pl  # noqa: E402  imports torchvision

CASES = 4
TIMES = 5


class ValidationImages(pl.Callback):
    """A few times in a training, shows a slice of some validation cases with the truth's and the model's outline.

    The first time is before the first step, beside all sequences that the case has.
    """

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Show what a training begins with; one that goes on has shown it."""
        logger = tensorboard_of(trainer)
        if trainer.global_step or not trainer.is_global_zero or logger is None:
            return
        batches = trainer.datamodule  # type: ignore[attr-defined]
        assert isinstance(pl_module, SegmentationModule)
        with evaluating(pl_module):
            images = outlined(pl_module, batches.cohort, batches.split)
        for name, image in [*images, *inputs(batches.cohort, batches.split)]:
            logger.experiment.add_image(name, image, 0, dataformats="HWC")
        logger.save()

    def on_validation_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Show them in the first, the last and some epochs evenly between."""
        last = (trainer.max_epochs or 1) - 1
        due = {round(last * step / (TIMES - 1)) for step in range(TIMES)}
        logger = tensorboard_of(trainer)
        if trainer.current_epoch not in due or not trainer.is_global_zero or logger is None:
            return
        batches = trainer.datamodule  # type: ignore[attr-defined]
        assert isinstance(pl_module, SegmentationModule)
        step = trainer.global_step - 1  # that of the epoch's scores, so that a resumed training keeps or repeats both
        for name, image in outlined(pl_module, batches.cohort, batches.split):
            logger.experiment.add_image(name, image, step, dataformats="HWC")


def tensorboard_of(trainer: pl.Trainer) -> Any:
    """Give the logger that takes images: the first one, where the curves go to TensorBoard; else None."""
    logger = trainer.logger
    return logger if hasattr(getattr(logger, "experiment", None), "add_image") else None


@contextmanager
def evaluating(net: torch.nn.Module) -> Iterator[None]:
    """Put a net into evaluation mode, and afterwards each of its parts into the mode that it was in."""
    modes = {part: part.training for part in net.modules()}
    net.eval()
    try:
        yield
    finally:
        for part, mode in modes.items():
            part.training = mode


def inputs(cohort: Cohort, split: Split) -> list[tuple[str, np.ndarray]]:
    """Draw all sequences of the shown slices side by side: (tag, uint8 RGB [H, W, 3]) for each.

    A lone sequence is in the outlined picture, and none is drawn.
    """
    sequences = cohort.task.sequences
    if len(sequences) == 1:
        return []
    drawn = []
    for case, number in shown_slices(cohort, split).items():
        index = cohort.case_of(number)[1]
        channels = to_eight_bits(np.array(cohort.images(case)[index]))
        row = [enlarge(np.repeat(channels[..., [channel]], 3, axis=-1), 2) for channel in range(len(sequences))]
        both = np.concatenate(row, axis=1)
        names = legend([(", ".join(map(sequence_title, sequences)), ())], both.shape[1])
        drawn.append((f"{tag_of(cohort, case, index)} inputs", np.concatenate([both, names])))
    return drawn


def tag_of(cohort: Cohort, case: int, index: int) -> str:
    """Name the pictures of a slice, which TensorBoard shows beside each other."""
    return f"validation/{cohort.table['case'].iloc[case]} slice {index + 1}"


def outlined(module: SegmentationModule, cohort: Cohort, split: Split) -> list[tuple[str, np.ndarray]]:
    """Predict and draw the shown slices: (tag, uint8 RGB [H, W, 3]) for each."""
    dataset = SliceDataset(cohort, module.recipe)
    drawn = []
    split = replace(split, val=dataset.cases.shown(split.val))
    for case, number in shown_slices(cohort, split).items():
        item = dataset[(0, number)]
        batch = {name: value.to(module.device) for name, value in default_collate([item]).items()}
        with torch.inference_mode():
            probability = activate(module(batch["image"], batch["statistics"]), module.targets)
            if "truth" in item:
                probability = to_source_grid(probability, *item["truth"].shape)
                truth = encode(batch["truth"], module.targets)[0].cpu().numpy()
                image = np.array(cohort.primary(case)[item["slice"]])
            else:  # as the model sees it
                truth = np.moveaxis(item["mask"], 2, 0).astype(bool)
                image = view_in_bytes(item["image"])[..., module.recipe.primary_place]
            prediction = decide_targets(probability, module.targets, module.hparams["threshold"])[0].cpu().numpy()
        tag = tag_of(cohort, case, int(item["slice"]))
        drawn.append((tag, draw_pair(image, truth, prediction, cohort.task.targets)))
    return drawn


def draw_pair(image: np.ndarray, truth: np.ndarray, prediction: np.ndarray, targets: Targets) -> np.ndarray:
    """Draw truth and prediction, bool [K, H, W], on uint8 [H, W]; several targets side by side in their own colours.

    Gives uint8 RGB [2 * H, 2 * W, 3], of several targets twice as wide, the truth on the left, with their names below.
    """
    if len(targets) == 1:
        return draw_outlines(image, {TRUTH: truth[0], PREDICTION: prediction[0]}, scale=2)
    sides = [draw_outlines(image, by_colour(masks, targets, TRUTH), scale=2) for masks in (truth, prediction)]
    both = np.concatenate(sides, axis=1)
    entries = [(target.name, (target.colour,)) for target in targets.all]
    return np.concatenate([both, legend(entries, both.shape[1], "truth on the left")])


def shown_slices(cohort: Cohort, split: Split) -> dict[int, int]:
    """Choose cases evenly through the validation part, and of each the number of the slice with most of the targets."""
    cases = split.cases(cohort, "val")
    chosen = {}
    for case in cases[np.unique(np.linspace(0, len(cases) - 1, CASES).round().astype(int))]:
        own = np.intersect1d(cohort.slices_of(int(case)), split.val)
        areas = cohort.masks(int(case)).sum(axis=(1, 2))[own - cohort.slices_of(int(case))[0]]
        chosen[int(case)] = int(own[np.argmax(areas)])
    return chosen
