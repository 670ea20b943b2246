"""What TensorBoard shows beside the curves of a run.

The table of settings and scores, precision-recall curves of the test, and a layout
that lays the Dice curves of a whole comparison over each other.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from headtohead import machine
from headtohead.reporting.events import Events
from headtohead.runs.holding import comparison_held
from headtohead.scoring.probabilities import counts_at_thresholds

machine.mend_torchvision()

from lightning_fabric.loggers.logger import rank_zero_experiment  # noqa: E402
from pytorch_lightning.loggers import TensorBoardLogger  # noqa: E402

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


def write_hparams(run_folder: Path, settings: dict[str, Any], test_dice: float) -> None:
    """Add the run to TensorBoard's HParams table: what tells it from other runs, and its mean Dice per test case.

    Of the settings, its options, those in `SHOWN_SETTINGS` make the columns; the rest is in config.yaml.
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


def write_layout(folder: Path, targets: Sequence[str]) -> None:
    """Write, or replace, the layout of TensorBoard's page of custom scalars: all runs of a comparison in one chart.

    Several targets have a chart each.
    """
    layout = {name: dict(charts) for name, charts in LAYOUT.items()}
    if len(targets) > 1:  # tags are patterns, of which a beginning is enough: `dice/val` would show every target
        layout["Dice per case"]["validation"] = ["Multiline", ["dice/val$"]]
        layout["Validation Dice of each target"] = {
            name: ["Multiline", [f"dice/val/{re.escape(name)}$"]] for name in targets
        }
    with comparison_held(folder), replacing(folder, LAYOUT_SUFFIX) as writer:
        writer.add_custom_scalars(layout)


@contextmanager
def replacing(folder: Path, suffix: str) -> Iterator[Events]:
    """Open a file of events that takes the place of those whose names end in the same suffix, once it is whole.

    So a second test leaves no second curve.
    """
    before = list(folder.glob(f"events.out.tfevents.*{suffix}"))
    with Events(str(folder), filename_suffix=suffix) as writer:
        yield writer
    for path in before:
        path.unlink(missing_ok=True)
