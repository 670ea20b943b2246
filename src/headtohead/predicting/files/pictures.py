"""Pictures as scans: one image alone, or the slices of a folder as one volume."""

import numpy as np

from headtohead.cohort.cohort import FLAIR
from headtohead.errors import UserError
from headtohead.predicting.files.finding import Job
from headtohead.predicting.files.naming import printable
from headtohead.predicting.files.opening import first_bytes
from headtohead.predicting.files.reading import colour, read_pixels, read_truth, size_of, to_bytes
from headtohead.predicting.scan import Scan
from headtohead.trained.facts import ModelFacts


def read_pictures(job: Job, facts: ModelFacts, as_bytes: bool) -> Scan:
    """Read a picture, or a folder of slices.

    Red, green and blue are the sequences of LGG in their order; in a grey picture they are equal. A model of one
    sequence is shown green, where FLAIR lies and which in photographs is nearest to grey.

    Args:
        job: from `find_jobs`.
        facts: the model's.
        as_bytes: whether more than 8 bits are brought to 8, by one factor for all slices.

    Raises:
        UserError: a file is damaged, or slices differ in size; a truth does not fit.
    """
    if len(facts.sequences) not in (1, 3):
        raise UserError(
            f"{printable(job.files[0])}: an image has 3 channels, but model {facts.name} takes {len(facts.sequences)}; "
            "choose another model"
        )
    pixels, truths = [], []
    for path in job.files:
        first_bytes(path)
        pixels.append(colour(read_pixels(path)))
        if pixels[-1].shape != pixels[0].shape or pixels[-1].dtype != pixels[0].dtype:
            raise UserError(
                f"{printable(path)}: {_kind(pixels[-1])}, but {printable(job.files[0].name)} of the same folder is "
                f"{_kind(pixels[0])}; restore it, or move it to a folder of its own"
            )
        truths.append(read_truth(path, pixels[-1].shape[:2]))
    volume = np.stack(pixels)
    missing = tuple(
        name
        for channel, name in enumerate(facts.sequences)
        if channel != FLAIR and len(facts.sequences) == 3 and np.array_equal(volume[..., channel], volume[..., FLAIR])
    )
    if len(facts.sequences) == 1:
        volume = volume[..., FLAIR : FLAIR + 1]
    if as_bytes:
        volume = to_bytes(volume)
    elif volume.dtype != np.uint8:
        with np.errstate(over="ignore"):  # what no float32 holds becomes infinite, and that is put to 0
            volume = np.nan_to_num(volume.astype(np.float32), nan=0, posinf=0, neginf=0)
    drawn = [truth for truth in truths if truth is not None]
    # A case with only some of its masks cannot be scored.
    truth = np.stack(drawn) if len(drawn) == len(truths) else None
    return Scan(job.name, job.files, np.ascontiguousarray(volume), None, missing, truth, truth, _as_it_is)


def _as_it_is(values: np.ndarray) -> np.ndarray:
    return values


def _kind(pixels: np.ndarray) -> str:
    return f"{size_of(pixels)} of {pixels.dtype}"
