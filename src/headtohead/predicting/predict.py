"""The one path of a prediction: a case as models are shown it goes in, what was found on its file's grid comes out.

    file -> scan -> chain of the model -> net -> inverse chain -> grid of the file -> decide -> clean up -> Found

Every command, the page and Python go through `predict`; `--predict` takes its steps one by one, since they overlap.
"""

from dataclasses import dataclass, replace

import numpy as np

from headtohead.predicting.cleaning.postprocessing import CleanUp, clean_labels
from headtohead.predicting.cleaning.shapes import Spacing
from headtohead.predicting.files.grouping import Job
from headtohead.predicting.predictor import Estimate, Predictor
from headtohead.predicting.scan import Scan
from headtohead.task import Case, Targets
from headtohead.task.slicing import Slicing


@dataclass(frozen=True)
class Found:
    """What was found in a scan, on the grid of its file.

    Attributes:
        targets: what was looked for, K of them.
        probability: float32 [K, *grid], from 0 to 1.
        variance: between the models, float32 of the same shape; None where there is one model.
        labels: uint8 or uint16 [*grid]: the label map that is written, shown and measured.
        truth: the same of the truth; None where there is none.
        view: how the grid is seen as slices.
        spacing: millimetres between slices, rows and columns; None where the file does not say.
        threshold: probability from which a region was there.
        clean_up: of the label map.
    """

    targets: Targets
    probability: np.ndarray
    variance: np.ndarray | None
    labels: np.ndarray
    truth: np.ndarray | None
    view: Slicing
    spacing: Spacing | None
    threshold: float
    clean_up: CleanUp

    def as_slices(self, values: np.ndarray) -> np.ndarray:
        """Copy values [*grid] as slices [slices, H, W], in one piece."""
        return np.ascontiguousarray(self.view.to_slices(values))

    def as_written(self, job: Job) -> np.ndarray:
        """Give the label map as it is written: of a lone target pictures get a mask, black and white."""
        return self.labels != 0 if job.kind != "nifti" and len(self.targets) == 1 else self.labels

    def label_map(self, threshold: float) -> np.ndarray:
        """Decide at another threshold, and clean up as for the first one: a label map [*grid]."""
        labels = self.targets.decide(self.probability, threshold)
        if not self.clean_up:
            return labels
        # As slices, a copy of the volume with other axes is cleaned in the same way. In their order, which is mostly
        # that of the file, a label map is soonest written.
        cleaned = clean_labels(self.as_slices(labels), self.targets, self.clean_up, self.spacing)
        return self.view.to_grid(cleaned).copy(order="K")


def predict(case: Case | Scan, models: Predictor) -> Found:
    """Predict one case.

    Args:
        case: on its own grid, or already as models are shown it, as `files.scans.read_scan` gives it.
        models: as `open_predictor` opens them.
    """
    if not isinstance(case, Scan):
        from headtohead.predicting.files.volumes import show  # not for pictures

        case = show(case, models.facts)
    return conclude(case, models(case), models)


def conclude(scan: Scan, estimate: Estimate, models: Predictor) -> Found:
    """Bring an estimate onto the file's own grid, decide there, and clean up: the last steps of `predict`."""
    probability = scan.on_grid(estimate.probability)
    np.clip(probability, 0, 1, out=probability)  # rounding adds a hair to it
    variance = None if estimate.variance is None else scan.on_grid(estimate.variance)
    if variance is not None:
        np.maximum(variance, 0, out=variance)
    undecided = Found(
        models.facts.task.targets,
        probability,
        variance,
        np.empty(0, np.uint8),
        scan.truth,
        scan.view,
        scan.view.spacing if scan.grid.affine is not None else None,
        models.threshold,
        models.clean_up,
    )
    return replace(undecided, labels=undecided.label_map(models.threshold))
