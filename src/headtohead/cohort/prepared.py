"""Cases prepared as whole volumes, once: kept beside the packed copy under a key of the data and of the steps.

So an epoch reads its slices, memory-mapped, as fast as those of the packed copy.
"""

import hashlib
import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from filelock import FileLock

from headtohead.cohort.cohort import DEPTHS, Cohort, packed_file
from headtohead.machine import usable_cores
from headtohead.preparing.intensities import BETWEEN
from headtohead.preparing.recipe import InputRecipe
from headtohead.preparing.steps.neighbours import Neighbours
from headtohead.preparing.steps.scale import Scale
from headtohead.records.array_reader import read_array
from headtohead.records.regular import UnreadableError
from headtohead.saving import temporary_folder
from headtohead.task import Case, Grid

LAYOUT = "1"
"""Raised whenever what is kept changes: older copies are then made again."""

FACTS = "cases.npz"
LEVELS = np.dtype("<u2")
"""In what grey values are kept that the steps have standardised."""


@dataclass(frozen=True)
class PreparedCopy:
    """What is kept.

    Attributes:
        images: uint8 or uint16, memory-mapped: [slices, H, W, C] of one case after the other.
        labels: the same of the label maps, [slices, H, W].
        shapes: (slices, H, W, C) of each case.
        shown: whether the steps have left a slice of the cohort: bool [n_slices].
        statistics: centre and scale of each channel of the model's input, in units of 8 bits: float32 [cases,
            channels, 2].
    """

    images: np.ndarray
    labels: np.ndarray
    shapes: tuple[tuple[int, int, int, int], ...]
    shown: np.ndarray
    statistics: np.ndarray


def prepared_copy(cohort: Cohort, recipe: InputRecipe) -> PreparedCopy:
    """Map the copy that an earlier command has made, or make it; of two commands one does, the other waits.

    Raises:
        UserError: it cannot be written; nothing is left half-made.
    """
    steps = json.dumps(recipe.chain.to_dict())
    key = hashlib.blake2b(f"{LAYOUT} {steps}".encode(), digest_size=8).hexdigest()
    folder = cohort.packed.with_name(f"{cohort.packed.name}-{key}")
    with FileLock(f"{folder}.lock"):
        try:
            return _read(folder, cohort, recipe)
        except (OSError, UnreadableError, ValueError, LookupError):
            shutil.rmtree(folder, ignore_errors=True)
            _make(cohort, recipe, folder)
            return _read(folder, cohort, recipe)


def grid_of(images: np.ndarray) -> Grid:
    """Give the grid of [slices, H, W, ...], of which nobody says where it lies."""
    slices, height, width = images.shape[:3]
    return Grid((slices, height, width))


def as_levels(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Keep float32 [slices, H, W, C] as grey levels of 16 bits.

    Returns:
        uint16 of the same shape, and float32 [C, 2]: the centre and scale that bring levels in units of 8 bits back to
        the values, up to half of a 65,535th of their range.
    """
    low, high = values.min(axis=(0, 1, 2)), values.max(axis=(0, 1, 2))
    most, span = np.iinfo(LEVELS).max, np.where(high > low, high - low, 1)
    levels = np.rint((values - low) / span * most).astype(LEVELS)
    scale = most / BETWEEN / span
    return levels, np.stack([-low * scale, scale], axis=1).astype(np.float32)


def _read(folder: Path, cohort: Cohort, recipe: InputRecipe) -> PreparedCopy:
    facts = folder / FACTS
    shapes = read_array(facts, "shapes", np.int64, (len(cohort), 4))
    shown = read_array(facts, "shown", np.uint8, (cohort.n_slices,)).astype(bool)
    statistics = read_array(facts, "statistics", np.float32, (len(cohort), recipe.channels, 2))
    (images, image_kind), (labels, label_kind) = (packed_file(folder, name) for name in ("images", "labels"))
    voxels = int(shapes[:, :3].prod(axis=1).sum())
    held = int(shapes.prod(axis=1).sum()) * image_kind.itemsize, voxels * label_kind.itemsize
    if (images.stat().st_size, labels.stat().st_size) != held or shapes[:, 0].sum() != shown.sum():
        raise ValueError("not whole")
    sides = tuple((int(n), int(height), int(width), int(channels)) for n, height, width, channels in shapes)
    mapped = np.memmap(images, image_kind, "r"), np.memmap(labels, label_kind, "r")
    return PreparedCopy(*mapped, sides, shown, statistics)


def _make(cohort: Cohort, recipe: InputRecipe, destination: Path) -> None:
    print(f"preparing {len(cohort)} cases as whole volumes, once: {recipe.chain.in_words}")
    ends = {depth: end for end, depth in DEPTHS.items()}
    shapes, shown, statistics = [], [], []
    with temporary_folder(destination.parent, becomes=destination, kind="preparing") as temporary, ExitStack() as stack:
        files = {}
        # Splines take most of the time, and leave Python free for other threads.
        pool = stack.enter_context(ThreadPoolExecutor(usable_cores()))
        for case, seen, measured in pool.map(partial(_prepared, cohort, recipe), range(len(cohort))):
            shapes.append(case.images.shape)
            shown.append(seen)
            statistics.append(measured)
            assert case.labels is not None
            for name, array in (("images", case.images), ("labels", case.labels)):
                if name not in files:
                    files[name] = stack.enter_context((temporary / f"{name}{ends[array.dtype]}").open("wb"))
                files[name].write(array.tobytes())
        stack.close()
        np.savez(
            temporary / FACTS,
            shapes=np.array(shapes, np.int64),
            shown=np.concatenate(shown).astype(np.uint8),
            statistics=np.stack(statistics),
        )
        temporary.rename(destination)


def _prepared(cohort: Cohort, recipe: InputRecipe, number: int) -> tuple[Case, np.ndarray, np.ndarray]:
    """Carry out the steps on a case: what it is then, which slices are left, and the statistics of its channels."""
    images, chain = cohort.images(number), recipe.chain
    case, undo, slice_steps = chain.begin(Case("", images, grid_of(images), cohort.labels(number)))
    left = np.asarray(undo(np.ones(case.grid.shape, np.float32)).any(axis=(1, 2)))
    if not recipe.standardised:
        [scale] = (step for step in slice_steps if isinstance(step, Scale))
        assert scale.statistics is not None
        return case, left, scale.by_channel(scale.statistics)
    levels, own = as_levels(np.asarray(case.images, np.float32))
    around = chain.only(Neighbours)
    further = [own[[around.channel]]] * (2 * around.count) if around else []
    prepared = Case("", levels, case.grid, case.labels)
    return prepared, left, np.concatenate([own, *further])
