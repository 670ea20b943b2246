"""NIfTI files as scans: their sequences told apart, cut into level slices with square pixels, and the inverse."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from headtohead.errors import UserError, printable
from headtohead.predicting.files.assigning import assign
from headtohead.predicting.files.finding import Job
from headtohead.predicting.scan import AS_STORED, Scan
from headtohead.preparing.chain import Chain
from headtohead.preparing.step import Step
from headtohead.preparing.steps.level import Level, needs_levelling
from headtohead.preparing.steps.reorient import Reorient
from headtohead.preparing.steps.square import Square
from headtohead.preparing.steps.window import Window
from headtohead.readers.file_names import stem
from headtohead.readers.label_maps import is_label_map
from headtohead.readers.mask_names import says_mask
from headtohead.readers.nifti_file import open_volume
from headtohead.readers.sequence_names import sequence_label
from headtohead.readers.truth_beside import read_truth_volume
from headtohead.readers.volumes import read_onto
from headtohead.task import Case, Grid
from headtohead.task.slicing import Slicing, slicing
from headtohead.trained.facts import ModelFacts


def scan_volumes(job: Job, facts: ModelFacts, channels: dict[str, int], plane: str) -> Scan:
    """Read the NIfTI files of a case; see `read_scan`. `channels` are what `parse_channels` gives."""
    files = [open_volume(path) for path in job.files]
    first, task = files[0], facts.task
    found, notes = assign(job, files, facts, channels)

    def sequences() -> Iterator[tuple[str, Case]]:
        for sequence in sorted(found, key=lambda one: one != task.primary):
            values, said = read_onto(*found[sequence], first, sequence_label(sequence))
            if sequence == task.primary:
                _refuse_labels(found[sequence][0].path, values)
            notes.extend(said)
            case = Case("", values[..., None], first.grid)
            del values
            yield sequence, case

    scan = _in_slices(sequences(), facts, plane)
    truth = read_truth_volume(first, task.targets)
    missing = tuple(sequence for sequence in task.sequences if sequence not in found)
    return replace(scan, name=job.name, source=first, missing=missing, truth=truth, notes=tuple(notes))


def show(case: Case, facts: ModelFacts) -> Scan:
    """Show a case that was read elsewhere as a model wants it.

    Args:
        case: its channels are the model's sequences, in order; a missing one is filled by what stands in for it.
        facts: the model's.

    Raises:
        ValueError: it has another number of channels.
    """
    task = facts.task
    if case.images.shape[-1] != len(task.sequences):
        raise ValueError(f"{case.name}: needs {len(task.sequences)} channels, not {case.images.shape[-1]}")
    alone = [replace(case, images=one[..., None], labels=None) for one in np.moveaxis(case.images, -1, 0)]
    named = sorted(zip(task.sequences, alone, strict=True), key=lambda one: one[0] != task.primary)
    return replace(_in_slices(iter(named), facts, "auto"), name=case.name, missing=case.missing, truth=case.labels)


def _in_slices(sequences: Iterator[tuple[str, Case]], facts: ModelFacts, plane: str) -> Scan:
    """Cut the sequences of a case, each a case of one channel, the primary one first, into level slices."""
    task, chain = facts.task, facts.chain
    planes: dict[str, np.ndarray] = {}
    steps: tuple[Step, ...] = ()
    for sequence, case in sequences:
        if not steps:
            grid = case.grid
            view, oblique = cutting(grid, facts, plane)
            reorient = Reorient(view.plane)
            level = (Level(view.plane).fitted(reorient.apply(case)[0]),) if oblique else ()
            steps = (reorient, *level, Square())
        if chain.takes_levels:
            # The LGG data are 8-bit themselves; every other cohort was brought to 8 bits by its brightest voxels.
            shown, restore = Chain((*steps, Window(chain.depth, task.unnamed).fitted(case))).apply(case)
        else:
            shown, restore = Chain(steps).apply(replace(case, images=case.images.astype(np.float32, copy=False)))
        planes[sequence] = np.ascontiguousarray(shown.images[..., 0])
        del case  # before the next is read
    volume = _interleave([planes[one if one in planes else task.stand_ins[one]] for one in task.sequences])
    spacing, channel = shown.grid.spacing, task.primary_channel
    return Scan("", volume, spacing, (), None, restore, grid, view, levelled=oblique, primary=channel)


def _refuse_labels(path: Path, values: np.ndarray) -> None:
    """Refuse a label map: masks of other tools lie among scans."""
    if is_label_map(values, says_mask(stem(path))):
        levels = np.unique(values)
        some = ", ".join(f"{level:g}" for level in levels[:4]) + (", ..." if len(levels) > 4 else "")
        raise UserError(
            f"{printable(path)}: its values ({some}) are those of a mask or label map, not of a scan; predict "
            "the scan instead, or move this file away"
        )


def _interleave(planes: list[np.ndarray]) -> np.ndarray:
    """Join one-channel volumes [slices, H, W] of one type to [slices, H, W, C]."""
    volume = np.empty((*planes[0].shape, len(planes)), planes[0].dtype)
    for number, out in enumerate(volume):
        out[:] = cv2.merge([plane[number] for plane in planes]).reshape(out.shape)
    return volume


def cutting(grid: Grid, facts: ModelFacts, plane: str) -> tuple[Slicing, bool]:
    """Decide how a grid is cut into slices, and whether these are levelled."""
    if grid.affine is None:
        return AS_STORED, False
    lone = grid.shape.count(1) == 1
    auto = plane == "auto"
    plane = facts.task.plane if auto else plane
    # A single slice is what was acquired, whatever plane the model was trained in.
    cut = slicing(grid.affine, plane="acquired" if lone and auto else plane, shape=grid.shape)
    sliced = not lone or grid.shape[cut.slice_axis] == 1  # else rows of a single slice are taken for slices
    return cut, bool(plane != "acquired" and sliced and needs_levelling(grid.affine, cut, lone))
