"""A job read as a scan: slices as the model wants them, with the truth beside it and the way back onto its grid."""

import numpy as np

from headtohead.predicting.files.finding import Job
from headtohead.predicting.scan import Scan
from headtohead.trained.facts import ModelFacts


def read_scan(job: Job, facts: ModelFacts, channels: str, plane: str) -> Scan:
    """Read one job.

    Args:
        job: from `find_jobs`.
        facts: the model's: its sequences, the plane of its slices, and whether it was trained on 8 bits.
        channels: --channels: which volume of a 4-D file is which sequence, such as `t1=0,flair=1`.
        plane: --plane: axial, coronal, sagittal, acquired; auto: the model's own.

    Returns:
        The scan. Of NIfTI, `volume` is uint8 for a model with an input recipe, which was trained on 8 bits: 0 stays 0,
        and the 99.9th percentile of the voxels above it is 255, per sequence; 8-bit files are left as they are. For
        models that scale slices or volumes themselves it is float32 as in the file.

    Raises:
        UserError: anything about the files that stands in the way, in one line.
    """
    raise NotImplementedError


def read_original(job: Job) -> np.ndarray:
    """Read a job's first file (of a folder, all) as it is, to multiply it with a mask.

    Returns:
        NIfTI: the file's shape and type; float32 where a scale factor applies. Pictures: [slices, H, W], or RGB
        [slices, H, W, 3], of the type in the file.

    Raises:
        UserError: it cannot be read.
    """
    raise NotImplementedError
