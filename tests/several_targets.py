"""Cohorts of several targets, made from the made-up patients: nested regions, or classes that exclude each other."""

import dataclasses
import shutil
from pathlib import Path

import cv2
import numpy as np

from headtohead.cohort import Cohort
from headtohead.task import Target, Targets
from headtohead.task.targets import CLASSES

NESTED = Targets((Target("whole tumour", (1, 4), (31, 119, 180)), Target("core", (4,), (214, 39, 40))), others=(9,))
LARGE = Targets((Target("whole tumour", (300, 1035)), Target("core", (1035,), (214, 39, 40))), others=(9,))
"""As `NESTED`, with labels that need two bytes."""
CLASSED = Targets(
    (Target("rim", (1,)), Target("inside", (2, 5), (31, 119, 180)), Target("bright", (3,), (44, 160, 44))), CLASSES
)


def labels_of(cohort: Cohort, case: int, targets: Targets) -> np.ndarray:
    """Make the label map of a case from its lesion: uint8 or uint16 [slices, H, W].

    In one case of four the second target is missing, in one of six all are.
    """
    lesion = cohort.masks(case)
    inside = np.stack([cv2.erode(one, np.ones((3, 3), np.uint8), iterations=1) for one in lesion])
    inside *= case % 4 > 0
    lesion = lesion * np.uint8(case % 6 < 5)
    if targets.kind != CLASSES:
        labels = np.where(inside, 4, lesion)
        labels[:, :2, :2] = 9
    else:
        grey = cohort.primary(case)
        labels = np.where((grey > np.percentile(grey, 80)) & (lesion == 0), 3, lesion)
        labels[(inside > 0) & (lesion > 0)] = 2
        labels[:, :32][labels[:, :32] == 2] = 5
    labels = labels * (case % 6 < 5)
    if targets is LARGE:
        return np.select([labels == 1, labels == 4], [np.uint16(300), np.uint16(1035)], labels.astype(np.uint16))
    return labels.astype(np.uint8)


def relabelled(cohort: Cohort, folder: Path, targets: Targets) -> Cohort:
    """Pack a cohort of `folder` with the images of another and label maps of `targets`."""
    shutil.copytree(cohort.packed, folder)
    maps = [labels_of(cohort, case, targets) for case in range(len(cohort))]
    (folder / "labels.u8").unlink()
    np.concatenate([one.ravel() for one in maps]).tofile(folder / f"labels.u{8 * maps[0].itemsize}")
    task = dataclasses.replace(cohort.task, name="several targets", targets=targets)
    return Cohort(cohort.root, f"several {targets.kind}", cohort.table, folder, task)
