"""Pictures as scans: one image alone, or the slices of a folder as one volume."""

from pathlib import Path

import numpy as np

from headtohead.errors import UserError, printable
from headtohead.predicting.files.finding import Job
from headtohead.predicting.scan import Scan
from headtohead.preparing.intensities import to_bytes
from headtohead.preparing.step import as_it_is
from headtohead.readers.file_names import PICTURES, is_mask
from headtohead.readers.opening import first_bytes
from headtohead.readers.pictures import colour, read_pixels, size_of
from headtohead.readers.sequence_names import sequence_label
from headtohead.readers.truth_beside import places_of_image, read_truth_picture
from headtohead.task import Grid, Task
from headtohead.task.case import finite
from headtohead.trained.facts import ModelFacts

ACCEPTED = "one 2-D slice as TIFF, PNG or JPEG"


def refuse_wrong_file(path: Path) -> None:
    """Raise a UserError where a file is by its name no image, or not there; nothing is read."""
    if path.is_dir():
        raise UserError(f"`image_path` {path}: a folder; name {ACCEPTED}")
    if not path.name.lower().endswith(PICTURES):
        raise UserError(f"`image_path` {path}: not an image this program reads; name {ACCEPTED}")
    if not path.is_file():
        kind = "not a regular file" if path.exists() else "no such file"
        raise UserError(f"`image_path` {path}: {kind}; name {ACCEPTED}")
    if is_mask(path):
        raise UserError(f"`image_path` {path}: a mask; name its image, {places_of_image(path)[0][1]}{path.suffix}")


def scan_pictures(job: Job, facts: ModelFacts) -> Scan:
    """Read a picture, or a folder of slices.

    Red, green and blue are the sequences of a model in their order; in a grey picture they are equal. A model of one
    sequence is shown the channel that `drawn_channel` gives. For a model that was trained on 8 bits, more are brought
    to 8, by one factor for all slices.

    Raises:
        UserError: a file is damaged, or slices differ in size; a truth does not fit; the model takes sequences that
            no picture holds.
    """
    task, drawn = facts.task, drawn_channel(facts.task)
    files = job.context or job.files
    pixels, truths = [], []
    for path in files:
        first_bytes(path)
        pixels.append(colour(read_pixels(path)))
        if pixels[-1].shape != pixels[0].shape or pixels[-1].dtype != pixels[0].dtype:
            own, first = (f"{size_of(one)} of {one.dtype}" for one in (pixels[-1], pixels[0]))
            raise UserError(
                f"{printable(path)}: {own}, but {printable(files[0].name)} of the same folder is {first}; restore it, "
                "or move it to a folder of its own"
            )
        if path in job.files:
            truths.append(read_truth_picture(path, pixels[-1].shape[:2], task.targets))
    volume = np.stack(pixels)
    _refuse_too_few(job.files[0], volume, facts)
    missing = tuple(
        name
        for channel, name in enumerate(task.sequences)
        if name in task.stand_ins and np.array_equal(volume[..., channel], volume[..., drawn])
    )
    if len(task.sequences) == 1:
        volume = volume[..., drawn : drawn + 1]
    if volume.dtype != np.uint8:
        volume = to_bytes(volume) if facts.chain.takes_levels else finite(volume)
    outlined = [truth for truth in truths if truth is not None]
    place = files.index(job.files[0])
    return Scan(
        job.name,
        np.ascontiguousarray(volume),
        None,
        missing,
        np.stack(outlined) if len(outlined) == len(truths) else None,  # with only some, a case cannot be scored
        as_it_is,
        Grid((len(job.files), *volume.shape[1:3])),
        primary=task.primary_channel,
        wanted=slice(place, place + len(job.files)),
    )


def _refuse_too_few(path: Path, volume: np.ndarray, facts: ModelFacts) -> None:
    """Refuse pictures that do not hold the sequences of a model; a grey one holds one, for which others stand in."""
    task = facts.task
    number, needed = len(task.sequences), len(task.lost(()))
    if number == 1 or (number == 3 and needed == 1):
        return
    grey = bool((volume == volume[..., :1]).all())
    if number != 3 or grey:
        holds = "grey, so it holds one sequence" if grey else "its colours hold three sequences"
        raise UserError(
            f"{printable(path)}: {holds}, but model {facts.name} takes {number} ("
            f"{', '.join(map(sequence_label, task.sequences))}); give it NIfTI volumes of them, or choose another model"
        )


def drawn_channel(task: Task) -> int:
    """Say which of red, green and blue is drawn in grey: the primary of three sequences, else green.

    Green is where LGG has FLAIR, and in photographs it is nearest to grey.
    """
    return task.primary_channel if len(task.sequences) == 3 else 1
