"""NIfTI files as scans: their sequences told apart, cut into level slices with square pixels, and the inverse."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from headtohead.errors import UserError, printable
from headtohead.predicting.files.assigning import assign
from headtohead.predicting.files.finding import Job
from headtohead.predicting.files.label_maps import is_label_map
from headtohead.predicting.files.levelling import Levelling, levelling, needs_levelling
from headtohead.predicting.files.naming import stem
from headtohead.predicting.files.truth import read_truth_volume
from headtohead.predicting.scan import Scan
from headtohead.preparing.intensities import to_levels, white_of
from headtohead.preparing.steps.square import resized, squared, unsquared
from headtohead.readers.mask_names import says_mask
from headtohead.readers.nifti_file import VolumeFile, open_volume
from headtohead.readers.regridding import read_onto
from headtohead.readers.sequence_names import sequence_label
from headtohead.task.slicing import Slicing, slicing
from headtohead.trained.facts import ModelFacts

TOGETHER = 16
"""Slices that are turned at once: neighbours in memory may lie across slices, and to fetch the voxels of one slice
alone would then read the whole volume once a slice."""


@dataclass(frozen=True)
class Reslicing:
    """From a NIfTI grid to level slices with square pixels, and back; no levelling where none is needed."""

    slicing: Slicing
    before: tuple[int, int]
    after: tuple[int, int]
    levelling: Levelling | None = None

    def slices(self, values: np.ndarray, white: float | None = None) -> np.ndarray:
        """View values [x, y, z] as slices.

        Args:
            values: uint8 or float32.
            white: what becomes 255, the values float32; None: they keep their type.

        Returns:
            [slices, H, W], in one piece.
        """
        cut = self.slicing.to_slices(values)
        cut = self.levelling.there(cut) if self.levelling else cut
        out = np.empty((len(cut), *self.after), values.dtype if white is None else np.uint8)
        for first in range(0, len(cut), TOGETHER):
            block = np.ascontiguousarray(cut[first : first + TOGETHER])
            for number, image in enumerate(block, first):
                square = resized(image, self.after)
                out[number] = square if white is None else to_levels(square, white)
        return out

    def restore(self, slices: np.ndarray) -> np.ndarray:
        """Bring float32 [slices, H, W] back onto the file's own grid [x, y, z]."""
        slices = slices if self.before == self.after else unsquared(slices, self.before)
        return self.slicing.to_grid(self.levelling.back(slices) if self.levelling else slices)

    @property
    def spacing(self) -> tuple[float, float, float]:
        """Millimetres between slices, rows and columns, once pixels are square."""
        slices, rows, columns = self.levelling.spacing if self.levelling else self.slicing.spacing
        before, after = self.before, self.after
        return slices, rows * before[0] / after[0], columns * before[1] / after[1]


def read_volumes(job: Job, facts: ModelFacts, channels: dict[str, int], plane: str, as_bytes: bool) -> Scan:
    """Read the NIfTI files of a case.

    Args:
        job: from `find_jobs`.
        facts: the model's.
        channels: sequence to number of a volume in a 4-D file, as `parse_channels` gives it.
        plane: as `read_scan` takes it.
        as_bytes: whether the model was trained on 8 bits.

    Raises:
        UserError: see `read_scan`.
    """
    files = [open_volume(path) for path in job.files]
    first, needed = files[0], facts.task.primary
    found, notes = assign(job, files, facts, channels)
    values, said = read_onto(*found[needed], first, sequence_label(needed))
    _refuse_labels(found[needed][0].path, values)
    read = {needed: values}  # once: it also shows where the head is
    notes += said
    reslicing = _reslicing(first, read[needed], facts, plane)
    truth = read_truth_volume(first, facts.task.targets)

    planes: dict[str, np.ndarray] = {}
    for sequence in sorted(found, key=lambda sequence: sequence != needed):
        if sequence in read:
            values = read.pop(sequence)
        else:
            values, said = read_onto(*found[sequence], first, sequence_label(sequence))
            notes += said
        planes[sequence] = _cut(values, reslicing, facts, as_bytes)
    missing = tuple(sequence for sequence in facts.task.sequences if sequence not in found)
    # What is missing is filled as the data set does where a sequence was not taken.
    volume = interleave([planes.get(sequence, planes[needed]) for sequence in facts.task.sequences])
    return Scan(
        job.name,
        job.files,
        volume,
        reslicing.spacing,
        missing,
        truth,
        reslicing.restore,
        first.grid,
        reslicing.slicing,
        first,
        reslicing.levelling is not None,
        tuple(notes),
        facts.task.primary_channel,
    )


def _cut(values: np.ndarray, reslicing: Reslicing, facts: ModelFacts, as_bytes: bool) -> np.ndarray:
    """Cut a sequence into slices, in 8 bits if the model was trained on them."""
    white = None
    # The LGG data are 8-bit themselves; every other cohort was brought to 8 bits by its brightest voxels.
    if as_bytes and (values.dtype != np.uint8 or facts.task.unnamed):
        values = values.astype(np.float32, copy=False)
        white = white_of(values)
    return reslicing.slices(values if as_bytes else values.astype(np.float32, copy=False), white)


def _refuse_labels(path: Path, values: np.ndarray) -> None:
    """Refuse a label map: masks of other tools lie among scans."""
    if is_label_map(values, says_mask(stem(path))):
        levels = np.unique(values)
        some = ", ".join(f"{level:g}" for level in levels[:4]) + (", ..." if len(levels) > 4 else "")
        raise UserError(
            f"{printable(path)}: its values ({some}) are those of a mask or label map, not of a scan; predict "
            "the scan instead, or move this file away"
        )


def interleave(planes: list[np.ndarray]) -> np.ndarray:
    """Join one-channel volumes [slices, H, W] of one type to [slices, H, W, C]."""
    volume = np.empty((*planes[0].shape, len(planes)), planes[0].dtype)
    for number, out in enumerate(volume):
        out[:] = cv2.merge([plane[number] for plane in planes]).reshape(out.shape)
    return volume


def cutting(file: VolumeFile, facts: ModelFacts, plane: str) -> tuple[Slicing, bool]:
    """Decide how a file is cut into slices, and whether these are levelled; its header is enough for that."""
    lone = file.shape.count(1) == 1
    auto = plane == "auto"
    plane = facts.task.plane if auto else plane
    # A single slice is what was acquired, whatever plane the model was trained in.
    cut = slicing(file.affine, plane="acquired" if lone and auto else plane, shape=file.shape)
    sliced = not lone or file.shape[cut.slice_axis] == 1  # else rows of a single slice are taken for slices
    return cut, plane != "acquired" and sliced and needs_levelling(file.affine, cut, lone)


def _reslicing(file: VolumeFile, values: np.ndarray, facts: ModelFacts, plane: str) -> Reslicing:
    cut, oblique = cutting(file, facts, plane)
    if oblique:
        level = levelling(file.affine, cut, cut.to_slices(values))
        size = (level.after[1], level.after[2])
        return Reslicing(cut, size, squared(size, *level.spacing[1:]), level)
    height, width = (file.shape[axis] for axis in cut.axes[1:])
    return Reslicing(cut, (height, width), squared((height, width), *cut.spacing[1:]))
