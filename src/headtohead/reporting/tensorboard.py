"""What TensorBoard shows beside the curves of a run.

Validation slices with outlines, the table of settings and scores, precision-recall curves of the test, and a layout
that lays the Dice curves of a whole comparison over each other.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils.data import default_collate

from headtohead import machine
from headtohead.batches.datamodule import SliceDataset
from headtohead.batches.splits import Split
from headtohead.cohort import Cohort
from headtohead.drawing.outlines import PREDICTION, TRUTH, by_colour, draw_outlines
from headtohead.learning.counts import to_source_grid
from headtohead.learning.deciding import activate, encode, predict
from headtohead.learning.module import SegmentationModule
from headtohead.reporting.events import Events
from headtohead.runs.holding import comparison_held
from headtohead.scoring.probabilities import counts_at_thresholds
from headtohead.task import Targets

machine.mend_torchvision()

import pytorch_lightning as pl  # noqa: E402  imports torchvision
from lightning_fabric.loggers.logger import rank_zero_experiment  # noqa: E402
from pytorch_lightning.loggers import TensorBoardLogger  # noqa: E402

CASES = 4
TIMES = 5
SHOWN_SETTINGS = ("model", "lr_scheduler", "seed", "fold", "image_size", "learning_rate")
LAYOUT = {"Dice per case": {"validation": ["Multiline", ["dice/val"]], "training": ["Multiline", ["dice/train"]]}}
LAYOUT_SUFFIX, PR_SUFFIX, HPARAMS_SUFFIX = ".layout", ".pr", ".hparams"
MOST_THRESHOLDS = 127  # that TensorBoard's curves take


class RunLogger(TensorBoardLogger):
    """Writes event files into the run folder itself, and nothing else: its settings are in config.yaml already."""

    def __init__(self, run_folder: Path, first_step: int = 0) -> None:
        """Log into `run_folder` from `first_step` on; what an earlier process logged of later steps is void.

        A training that is killed between the points of an epoch and its checkpoint repeats the epoch.
        """
        super().__init__(run_folder, name="", version="", default_hp_metric=False, purge_step=first_step)

    @property
    @rank_zero_experiment
    def experiment(self) -> Events:
        """The writer, opened when it is first asked for."""
        if self._experiment is None:
            self._experiment = Events(self.log_dir, **self._kwargs)
        return self._experiment  # type: ignore[return-value]

    def save(self) -> None:
        """Flush the events; the parent would also leave an hparams.yaml."""
        self.experiment.flush()


class ValidationImages(pl.Callback):
    """A few times in a training, shows a slice of some validation cases with the truth's and the model's outline."""

    def on_validation_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Show them in the first, the last and some epochs evenly between."""
        last = (trainer.max_epochs or 1) - 1
        due = {round(last * step / (TIMES - 1)) for step in range(TIMES)}
        if trainer.current_epoch not in due or not trainer.is_global_zero or trainer.logger is None:
            return
        batches = trainer.datamodule  # type: ignore[attr-defined]
        assert isinstance(pl_module, SegmentationModule)
        step = trainer.global_step - 1  # that of the epoch's scores, so that a resumed training keeps or repeats both
        for name, image in outlined(pl_module, batches.cohort, batches.split):
            trainer.logger.experiment.add_image(name, image, step, dataformats="HWC")  # type: ignore[attr-defined]


def outlined(module: SegmentationModule, cohort: Cohort, split: Split) -> list[tuple[str, np.ndarray]]:
    """Predict and draw the shown slices.

    Returns:
        (tag, uint8 RGB [H, W, 3]) for each.
    """
    dataset = SliceDataset(cohort, module.recipe)
    drawn = []
    for case, number in shown_slices(cohort, split).items():
        item = dataset[(0, number)]
        batch = {name: value.to(module.device) for name, value in default_collate([item]).items()}
        with torch.inference_mode():
            probability = activate(module(batch["image"], batch["statistics"]), module.targets)
            probability = to_source_grid(probability, *item["truth"].shape)
            prediction = predict(probability, module.targets, module.hparams["threshold"])[0].cpu().numpy()
        truth = encode(batch["truth"], module.targets)[0].cpu().numpy()
        image = np.array(cohort.primary(case)[item["slice"]])
        tag = f"validation/{cohort.table['case'].iloc[case]} slice {item['slice'] + 1}"
        drawn.append((tag, draw_pair(image, truth, prediction, cohort.task.targets)))
    return drawn


def draw_pair(image: np.ndarray, truth: np.ndarray, prediction: np.ndarray, targets: Targets) -> np.ndarray:
    """Draw truth and prediction: of one target on one image, of several side by side in their own colours.

    Args:
        image: uint8 [H, W].
        truth: bool [K, H, W].
        prediction: bool, the same shape.
        targets: whose they are.

    Returns:
        uint8 RGB [2 * H, 2 * W, 3], of several targets twice as wide: the truth on the left.
    """
    if len(targets) == 1:
        return draw_outlines(image, {TRUTH: truth[0], PREDICTION: prediction[0]}, scale=2)
    sides = [draw_outlines(image, by_colour(masks, targets, TRUTH), scale=2) for masks in (truth, prediction)]
    return np.concatenate(sides, axis=1)


def shown_slices(cohort: Cohort, split: Split) -> dict[int, int]:
    """Choose cases evenly through the validation part, and of each the validation slice with most of the targets.

    Returns:
        Case index to global slice number.
    """
    cases = split.cases(cohort, "val")
    chosen = {}
    for case in cases[np.unique(np.linspace(0, len(cases) - 1, CASES).round().astype(int))]:
        own = np.intersect1d(cohort.slices_of(int(case)), split.val)
        areas = cohort.masks(int(case)).sum(axis=(1, 2))[own - cohort.slices_of(int(case))[0]]
        chosen[int(case)] = int(own[np.argmax(areas)])
    return chosen


def write_hparams(run_folder: Path, settings: dict[str, Any], test_dice: float) -> None:
    """Add the run to TensorBoard's HParams table: what tells it from other runs, and its mean Dice per test case.

    Args:
        run_folder: where its event files are.
        settings: its options; those in `SHOWN_SETTINGS` make the columns, the rest is in config.yaml.
        test_dice: mean Dice per test case.
    """
    from torch.utils.tensorboard.summary import hparams

    plain = {name: settings[name] for name in SHOWN_SETTINGS}
    metric = "hparams/test_dice"
    with replacing(run_folder, HPARAMS_SUFFIX) as writer:
        for summary in hparams(plain, {metric: test_dice}):
            writer.file_writer.add_summary(summary)  # type: ignore[attr-defined]
        writer.add_scalar(metric, test_dice)


def write_pr_curves(run_folder: Path, histograms: dict[str, np.ndarray]) -> None:
    """Add the precision-recall curve of all test voxels, pooled over cases, for each target.

    Args:
        run_folder: where its event files are.
        histograms: by target, of the test's probabilities, [2, 256] as `scoring.probabilities` makes it, summed over
            cases.
    """
    with replacing(run_folder, PR_SUFFIX) as writer:
        for name, histogram in histograms.items():
            chosen = np.linspace(0, histogram.shape[1] - 1, MOST_THRESHOLDS).round().astype(int)
            tp, fp, fn, tn = (counts[chosen] for counts in counts_at_thresholds(histogram))
            precision, recall = tp / np.maximum(tp + fp, 1), tp / np.maximum(tp + fn, 1)
            tag = "test" if len(histograms) == 1 else f"test/{name}"
            writer.add_pr_curve_raw(tag, tp, fp, tn, fn, precision, recall, num_thresholds=MOST_THRESHOLDS)


def write_layout(folder: Path) -> None:
    """Write the layout of TensorBoard's page of custom scalars: all runs of a comparison in one chart.

    Args:
        folder: the comparison's folder; a layout that is there is replaced.
    """
    with comparison_held(folder), replacing(folder, LAYOUT_SUFFIX) as writer:
        writer.add_custom_scalars(LAYOUT)


@contextmanager
def replacing(folder: Path, suffix: str) -> Iterator[Events]:
    """Open a file of events that takes the place of those of the same suffix: a second test leaves no second curve.

    Args:
        folder: where the events are.
        suffix: end of the names of one kind of events, such as `.pr`.

    Yields:
        The writer. What was there is removed when the new file is whole.
    """
    before = list(folder.glob(f"events.out.tfevents.*{suffix}"))
    with Events(str(folder), filename_suffix=suffix) as writer:
        yield writer
    for path in before:
        path.unlink(missing_ok=True)
