"""What the prediction of a file will need of the memory at its peak, from headers alone.

The figures were measured with benchmarks/predict_memory.py; results/predict-memory.md has them.
"""

import math
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from headtohead.errors import printable
from headtohead.memory import refuse_unless_free
from headtohead.predicting.files.finding import Job
from headtohead.readers.opening import first_bytes
from headtohead.readers.picture_sizes import MEND, PictureSize, picture_size
from headtohead.trained.facts import ModelFacts

SMALL = 2**26
"""Bytes below which nothing is refused: the model itself takes more."""

ENGINE = 224 * 2**20
"""Bytes of what does not grow with the file: an engine with a batch at work."""

GRID = 14
"""Bytes for each voxel of the file's own grid: values, probability, mask, and what finds the lesions in it, where it
fills the volume."""

OTHER = 5
"""Bytes for each voxel of a further sequence on a grid of its own, or of a mask beside the scan, while it is read."""

RESAMPLED = 6
"""Bytes for each voxel of the file's grid while another sequence is brought onto it."""

SHOWN = 7
"""Bytes for each voxel as a model sees it, of slices resampled to square pixels or made level."""

LAST = 4
"""Bytes for each voxel and channel while a volume is measured, in float32."""


@dataclass(frozen=True)
class Weight:
    """What a job needs: the file that weighs most, its size in words, bytes at the peak, what helps against many."""

    path: Path
    what: str
    need: int
    mend: str = "crop or resample it"

    def refuse_unless_free(self) -> None:
        """Raise a UserError where more is needed than is free."""
        if self.need > SMALL + ENGINE:
            refuse_unless_free(printable(self.path), self.what, self.need, self.mend)


def weigh(job: Job, facts: ModelFacts, plane: str, further: int = 0, models: int = 1) -> Weight:
    """Estimate what reading and predicting a job takes.

    Args:
        job: from `find_jobs`.
        facts: those of the first of the models, each of which has an engine of its own.
        plane: as `read_scan` takes it.
        further: bytes for each voxel of the file's own grid that its outputs take besides.
        models: how many there are.

    Raises:
        UserError: a header cannot be read.
    """
    extra = ENGINE * models
    return (_volumes if job.kind == "nifti" else _pictures)(job, facts, plane, further, extra)


def _pictures(job: Job, facts: ModelFacts, plane: str, further: int, extra: int) -> Weight:
    sizes: dict[Path, PictureSize] = {}
    for path in job.files:
        first_bytes(path)
        with suppress(OSError):  # reading it says so
            if size := picture_size(path):
                sizes[path] = size
    if not sizes:
        return Weight(job.files[0], "its pixels", 0)
    as_bytes = facts.chain.takes_levels
    largest = max(sizes, key=lambda path: sizes[path].decoded)
    pixels = sum(size.pixels for size in sizes.values())
    stack = sum(size.pixels * 3 * size.itemsize for size in sizes.values())
    held = 3 if as_bytes else 12
    read = max(3 * stack, stack + pixels * held)
    if as_bytes and stack > 3 * pixels:  # more than 8 bits, scaled as float32
        read = max(read, stack + 24 * pixels)
    # For a moment a slice lies in the middle of a square.
    extra += max(max(size.width, size.height) for size in sizes.values()) ** 2 * (4 if as_bytes else 12)
    need = max(read, pixels * (held + GRID + further)) + sizes[largest].decoded + _slices(len(job.files), facts)
    count = f"{len(sizes)} pictures of up to " if len(sizes) > 1 else ""
    what = f"{count}{sizes[largest].width}x{sizes[largest].height} pixels"
    return Weight(largest, what, need + extra, MEND)


def _volumes(job: Job, facts: ModelFacts, plane: str, further: int, extra: int) -> Weight:
    from headtohead.predicting.files.volumes import cutting
    from headtohead.preparing.steps.level import most_after
    from headtohead.preparing.steps.square import squared
    from headtohead.readers.nifti_file import open_volume
    from headtohead.readers.truth_beside import truth_beside

    as_bytes, sequences = facts.chain.takes_levels, len(facts.task.sequences)
    files = [open_volume(path) for path in job.files]
    first = files[0]
    grid = math.prod(first.shape)
    view, oblique = cutting(first.grid, facts, plane)
    before = tuple(first.shape[axis] for axis in view.axes)
    after = (before[0], *squared((before[1], before[2]), *view.spacing[1:]))
    if oblique:
        after = most_after(first.affine, view, (before[0], before[1], before[2]))
    shown = math.prod(after)
    channels = max(3, sequences) if not facts.chain.slicewise or as_bytes else sequences
    width = np.dtype(facts.chain.depth).itemsize if as_bytes else 4
    # What an output masks are all volumes of a file.
    need = grid * (GRID + further * first.volumes) + shown * width * channels + max(after[1:]) ** 2 * max(4, 3 * width)
    others = [math.prod(file.shape) for file in files[1:] if not first.grid.is_that_of(file.grid)]
    need += OTHER * max(others) + RESAMPLED * grid if others else 0
    if len(files) > 1 or first.volumes > 1:  # each as slices before they are joined
        need += shown * width * sequences
    if after != before:
        need += SHOWN * shown
    if not as_bytes or not facts.chain.slicewise:
        need += LAST * shown * channels
    if truth_beside(first.path):
        need += OTHER * grid + 2 * shown
    heaviest = max(files, key=lambda file: math.prod(file.shape))
    what = f"{'x'.join(map(str, heaviest.shape))} voxels"
    return Weight(heaviest.path, what, need + extra + _slices(after[0], facts))


def _slices(number: int, facts: ModelFacts) -> int:
    """Give what slices take at the size of the model's input: their planes, and the answers twice."""
    planes = 4 * facts.in_channels if not facts.chain.slicewise else max(3, len(facts.task.sequences))
    return number * facts.image_size**2 * (planes + 8)
