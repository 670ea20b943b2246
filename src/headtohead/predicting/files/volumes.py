"""NIfTI files as scans: their sequences told apart, cut into level slices with square pixels, and the inverse."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from headtohead.errors import UserError, printable
from headtohead.predicting.files.assigning import assign
from headtohead.predicting.files.finding import Job
from headtohead.predicting.files.label_maps import is_label_map
from headtohead.predicting.files.naming import stem
from headtohead.predicting.files.truth import read_truth_volume
from headtohead.predicting.scan import AS_STORED, Scan
from headtohead.preparing.chain import Chain
from headtohead.preparing.step import Undo, as_it_is
from headtohead.preparing.steps.level import Level, needs_levelling
from headtohead.preparing.steps.reorient import Reorient
from headtohead.preparing.steps.square import Square
from headtohead.preparing.steps.window import Window
from headtohead.readers.mask_names import says_mask
from headtohead.readers.nifti_file import VolumeFile, open_volume
from headtohead.readers.sequence_names import sequence_label
from headtohead.readers.volumes import read_onto
from headtohead.task import Case, Grid
from headtohead.task.slicing import Slicing, slicing
from headtohead.trained.facts import ModelFacts


def scan_volumes(job: Job, facts: ModelFacts, channels: dict[str, int], plane: str, as_bytes: bool) -> Scan:
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
    cut, oblique = cutting(first.grid, facts, plane)
    geometry = _geometry(case_of(values, first), cut.plane, oblique)
    del values  # in `read` until it is cut
    truth = read_truth_volume(first, facts.task.targets)

    planes: dict[str, np.ndarray] = {}
    restore: Undo = as_it_is
    for sequence in sorted(found, key=lambda sequence: sequence != needed):
        if sequence not in read:
            read[sequence], said = read_onto(*found[sequence], first, sequence_label(sequence))
            notes += said
        shown, restore = _as_slices(case_of(read.pop(sequence), first), geometry, facts, as_bytes)
        planes[sequence] = np.ascontiguousarray(shown.images[..., 0])
    missing = tuple(sequence for sequence in facts.task.sequences if sequence not in found)
    # What is missing is filled as the data set does where a sequence was not taken.
    volume = interleave([planes.get(sequence, planes[needed]) for sequence in facts.task.sequences])
    return Scan(
        job.name,
        job.files,
        volume,
        shown.grid.spacing,
        missing,
        truth,
        restore,
        first.grid,
        cut,
        first,
        oblique,
        tuple(notes),
        facts.task.primary_channel,
    )


def show_case(case: Case, facts: ModelFacts, plane: str, as_bytes: bool) -> Scan:
    """See `scans.show`."""
    view, oblique = cutting(case.grid, facts, plane) if case.grid.affine is not None else (AS_STORED, False)
    primary = facts.task.primary_channel
    alone = [replace(case, images=one[..., None], labels=None) for one in np.moveaxis(case.images, -1, 0)]
    geometry = _geometry(alone[primary], view.plane, oblique)
    shown = [_as_slices(one, geometry, facts, as_bytes) for one in alone]
    last, restore = shown[-1]
    return Scan(
        case.name,
        (),
        interleave([np.ascontiguousarray(one.images[..., 0]) for one, _ in shown]),
        last.grid.spacing,
        case.missing,
        case.labels,
        restore,
        case.grid,
        view,
        levelled=oblique,
        primary=primary,
    )


def _as_slices(case: Case, geometry: Chain, facts: ModelFacts, as_bytes: bool) -> tuple[Case, Undo]:
    """Cut a case of one channel into slices, in 8 bits if the model was trained on them."""
    if not as_bytes:
        return geometry.apply(replace(case, images=case.images.astype(np.float32, copy=False)))
    # The LGG data are 8-bit themselves; every other cohort was brought to 8 bits by its brightest voxels.
    return Chain((*geometry.steps, Window(facts.chain.depth, facts.task.unnamed).fitted(case))).apply(case)


def case_of(values: np.ndarray, file: VolumeFile) -> Case:
    """Take values [x, y, z] on the grid of a file for a case of one channel."""
    return Case("", values[..., None], file.grid)


def _geometry(case: Case, plane: str, oblique: bool) -> Chain:
    """Settle how a case becomes level slices with square pixels."""
    reorient = Reorient(plane)
    steps = (reorient, Level(plane).fitted(reorient.apply(case)[0])) if oblique else (reorient,)
    return Chain((*steps, Square()))


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


def cutting(grid: Grid, facts: ModelFacts, plane: str) -> tuple[Slicing, bool]:
    """Decide how a grid is cut into slices, and whether these are levelled; it must have an affine."""
    assert grid.affine is not None
    lone = grid.shape.count(1) == 1
    auto = plane == "auto"
    plane = facts.task.plane if auto else plane
    # A single slice is what was acquired, whatever plane the model was trained in.
    cut = slicing(grid.affine, plane="acquired" if lone and auto else plane, shape=grid.shape)
    sliced = not lone or grid.shape[cut.slice_axis] == 1  # else rows of a single slice are taken for slices
    return cut, bool(plane != "acquired" and sliced and needs_levelling(grid.affine, cut, lone))
