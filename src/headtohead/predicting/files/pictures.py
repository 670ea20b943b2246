"""Pictures as scans: one image alone, or the slices of a folder as one volume."""

import numpy as np

from headtohead.errors import UserError, printable
from headtohead.predicting.files.finding import Job
from headtohead.predicting.files.reading import colour, read_truth, to_bytes
from headtohead.predicting.scan import Scan
from headtohead.readers.opening import first_bytes
from headtohead.readers.pictures import read_pixels, size_of
from headtohead.task import Grid, Task
from headtohead.trained.facts import ModelFacts


def scan_pictures(job: Job, facts: ModelFacts, as_bytes: bool) -> Scan:
    """Read a picture, or a folder of slices.

    Red, green and blue are the sequences of a model in their order; in a grey picture they are equal. A model of one
    sequence is shown the channel that `drawn_channel` gives.

    Args:
        job: from `find_jobs`.
        facts: the model's.
        as_bytes: whether more than 8 bits are brought to 8, by one factor for all slices.

    Raises:
        UserError: a file is damaged, or slices differ in size; a truth does not fit.
    """
    task, drawn = facts.task, drawn_channel(facts.task)
    if len(task.sequences) not in (1, 3):
        raise UserError(
            f"{printable(job.files[0])}: an image has 3 channels, but model {facts.name} takes {len(task.sequences)}; "
            "choose another model"
        )
    files = job.context or job.files
    pixels, truths = [], []
    for path in files:
        first_bytes(path)
        pixels.append(colour(read_pixels(path)))
        if pixels[-1].shape != pixels[0].shape or pixels[-1].dtype != pixels[0].dtype:
            raise UserError(
                f"{printable(path)}: {_kind(pixels[-1])}, but {printable(files[0].name)} of the same folder is "
                f"{_kind(pixels[0])}; restore it, or move it to a folder of its own"
            )
        if path in job.files:
            truths.append(read_truth(path, pixels[-1].shape[:2], task.targets))
    volume = np.stack(pixels)
    missing = _missing(volume, task, drawn)
    if len(task.sequences) == 1:
        volume = volume[..., drawn : drawn + 1]
    if as_bytes:
        volume = to_bytes(volume)
    elif volume.dtype != np.uint8:
        with np.errstate(over="ignore"):  # what no float32 holds becomes infinite, and that is put to 0
            volume = np.nan_to_num(volume.astype(np.float32), nan=0, posinf=0, neginf=0)
    outlined = [truth for truth in truths if truth is not None]
    # A case with only some of its masks cannot be scored.
    truth = np.stack(outlined) if len(outlined) == len(truths) else None
    place = files.index(job.files[0])
    return Scan(
        job.name,
        np.ascontiguousarray(volume),
        None,
        missing,
        truth,
        _as_it_is,
        Grid((len(job.files), *volume.shape[1:3])),
        primary=task.primary_channel,
        wanted=slice(place, place + len(job.files)),
    )


def drawn_channel(task: Task) -> int:
    """Say which of red, green and blue is drawn in grey: the primary of three sequences, else green.

    Green is where LGG has FLAIR, and in photographs it is nearest to grey.
    """
    return task.primary_channel if len(task.sequences) == 3 else 1


def _as_it_is(values: np.ndarray) -> np.ndarray:
    return values


def _kind(pixels: np.ndarray) -> str:
    return f"{size_of(pixels)} of {pixels.dtype}"


def _missing(volume: np.ndarray, task: Task, drawn: int) -> tuple[str, ...]:
    """Name the sequences in whose channels the primary one stands."""
    return tuple(
        name
        for channel, name in enumerate(task.sequences)
        if name in task.stand_ins and np.array_equal(volume[..., channel], volume[..., drawn])
    )
