"""NIfTI files as scans: their sequences told apart, cut into level slices with square pixels, and the way back."""

from dataclasses import dataclass

import cv2
import numpy as np

from headtohead.cohort.cohort import IMAGE
from headtohead.cohort.intensities import to_levels, white_of
from headtohead.cohort.orientation import Slicing, slicing
from headtohead.errors import UserError
from headtohead.predicting.files.finding import Job
from headtohead.predicting.files.levelling import Levelling, askew, levelling
from headtohead.predicting.files.naming import shown
from headtohead.predicting.files.nifti import Nifti, open_nifti, same_place
from headtohead.predicting.files.squaring import Squaring, squaring
from headtohead.predicting.files.truth import read_truth_volume
from headtohead.predicting.scan import Scan
from headtohead.trained.facts import ModelFacts

TOGETHER = 16
"""Slices that are turned at once: neighbours in memory may lie across slices, and to fetch the voxels of one slice
alone would then read the whole volume once a slice."""


@dataclass(frozen=True)
class Way:
    """The way from a NIfTI grid to level slices with square pixels, and back; no levelling where none is needed."""

    slicing: Slicing
    squaring: Squaring
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
        out = np.empty((len(cut), *self.squaring.after), values.dtype if white is None else np.uint8)
        for first in range(0, len(cut), TOGETHER):
            block = np.ascontiguousarray(cut[first : first + TOGETHER])
            for number, image in enumerate(block, first):
                square = self.squaring.there(image)
                out[number] = square if white is None else to_levels(square, white)
        return out

    def restore(self, slices: np.ndarray) -> np.ndarray:
        """Bring float32 [slices, H, W] back onto the file's own grid [x, y, z]."""
        slices = self.squaring.back(slices)
        return self.slicing.to_grid(self.levelling.back(slices) if self.levelling else slices)

    @property
    def spacing(self) -> tuple[float, float, float]:
        """Millimetres between slices, rows and columns, once pixels are square."""
        slices, rows, columns = self.levelling.spacing if self.levelling else self.slicing.spacing
        before, after = self.squaring.before, self.squaring.after
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
    files = [open_nifti(path) for path in job.files]
    first = files[0]
    for other in files[1:]:
        if not same_place(other.affine, other.shape, first.affine, first.shape):
            raise UserError(
                f"{shown(other.path)}: not on the grid of {shown(first.path.name)} of the same case; "
                "resample it onto that grid"
            )
    found = assign(job, files, facts, channels)
    needed = _needed(facts)
    read = {needed: found[needed][0].read(found[needed][1])}  # once: it also shows where the head is
    way = _way(first, read[needed], facts, plane)
    truth_on_grid = read_truth_volume(first)

    planes: dict[str, np.ndarray] = {}
    for sequence in sorted(found, key=lambda sequence: sequence != needed):
        file, number = found[sequence]
        values, white = read.pop(sequence) if sequence in read else file.read(number), None
        # The LGG data are 8-bit themselves; every other cohort was brought to 8 bits by its brightest voxels.
        if as_bytes and (values.dtype != np.uint8 or facts.sequences == IMAGE):
            values = values.astype(np.float32, copy=False)
            white = white_of(values)
        planes[sequence] = way.slices(values if as_bytes else values.astype(np.float32, copy=False), white)
    missing = tuple(sequence for sequence in facts.sequences if sequence not in found)
    # What is missing is filled as the data set does where a sequence was not taken.
    volume = interleave([planes.get(sequence, planes[needed]) for sequence in facts.sequences])
    truth = None if truth_on_grid is None else way.slices(truth_on_grid.astype(np.uint8) * np.uint8(255)) > 127
    return Scan(
        job.name,
        job.files,
        volume,
        way.spacing,
        missing,
        truth,
        truth_on_grid,
        way.restore,
        way.slicing.slice_axis,
        first.spacing,
        way.levelling is not None,
    )


def interleave(planes: list[np.ndarray]) -> np.ndarray:
    """Join one-channel volumes [slices, H, W] of one type to [slices, H, W, C]."""
    volume = np.empty((*planes[0].shape, len(planes)), planes[0].dtype)
    for number, out in enumerate(volume):
        out[:] = cv2.merge([plane[number] for plane in planes]).reshape(out.shape)
    return volume


def assign(job: Job, files: list[Nifti], facts: ModelFacts, channels: dict[str, int]) -> dict[str, tuple[Nifti, int]]:
    """Settle which volume of which file is which sequence of the model.

    A 4-D file needs --channels, whatever its name. A 3-D file is the sequence its name says, or FLAIR; --channels
    NAME=0 says otherwise, of a file that is a case by itself. Other numbers are meant for the 4-D files beside it:
    `grouping.refuse_ignored_channels` has seen that there is one.

    Raises:
        UserError: that cannot be settled, or the one sequence that the model needs is missing.
    """
    first, needed = files[0], _needed(facts)
    by_channels = len(files) == 1 and bool(channels) and (not job.sequences or set(channels.values()) == {0})
    if len(files) == 1 and (first.volumes > 1 or by_channels):
        found = _by_channels(first, facts, channels)
    else:
        found = {}
        for sequence, file in zip(job.sequences or (needed,), files, strict=True):
            if sequence in found:
                both = f"{shown(found[sequence][0].path.name)} and {shown(file.path.name)}"
                raise UserError(f"{shown(file.path)}: {both} are both {sequence} of one case; move one of them away")
            if file.volumes > 1:
                raise UserError(
                    f"{shown(file.path)}: holds {file.volumes} volumes; a file of one sequence holds one: "
                    "save the volume that is meant by itself"
                )
            found[sequence] = (file, 0)
    if needed not in found:
        raise UserError(
            f"{shown(first.path)}: no {needed.upper()} of this case, which the model needs; put it beside as "
            f"X_{needed}.nii.gz, or say which volume it is with --channels {needed}=0"
        )
    return found


def _by_channels(file: Nifti, facts: ModelFacts, channels: dict[str, int]) -> dict[str, tuple[Nifti, int]]:
    if not channels:
        example = ",".join(f"{name}={number}" for number, name in enumerate(facts.sequences))
        raise UserError(
            f"{shown(file.path)}: 4-D, {file.volumes} volumes; say which is which sequence, "
            f"such as --channels {example}"
        )
    for sequence, number in channels.items():
        if number >= file.volumes:
            holds = f"volumes 0 to {file.volumes - 1}" if file.volumes > 1 else "one volume, number 0"
            raise UserError(f"{shown(file.path)}: holds {holds}; --channels asks for {sequence}={number}")
    return {sequence: (file, number) for sequence, number in channels.items()}


def _needed(facts: ModelFacts) -> str:
    """Name the sequence that cannot be filled from another."""
    return "flair" if "flair" in facts.sequences else facts.sequences[0]


def _way(file: Nifti, values: np.ndarray, facts: ModelFacts, plane: str) -> Way:
    lone = file.shape.count(1) == 1
    auto = plane == "auto"
    plane = facts.plane if auto else plane
    # A single slice is what was acquired, whatever plane the model was trained in.
    cut = slicing(file.affine, plane="acquired" if lone and auto else plane, shape=file.shape)
    sliced = not lone or file.shape[cut.slice_axis] == 1  # else rows of a single slice are taken for slices
    if plane != "acquired" and sliced and askew(file.affine, cut, lone):
        level = levelling(file.affine, cut, cut.to_slices(values))
        return Way(cut, squaring(level.after[1:], *level.spacing[1:]), level)
    height, width = (file.shape[axis] for axis in cut.axes[1:])
    return Way(cut, squaring((height, width), *cut.spacing[1:]))
