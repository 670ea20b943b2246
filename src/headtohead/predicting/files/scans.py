"""A job read as a scan: slices as the model wants them, with the truth beside it and the way back onto its grid."""

from headtohead.predicting.files.assigning import parse_channels
from headtohead.predicting.files.finding import Job
from headtohead.predicting.files.weighing import Weight, weigh
from headtohead.predicting.scan import Scan
from headtohead.trained.facts import ModelFacts


def read_scan(job: Job, facts: ModelFacts, channels: str, plane: str, weight: Weight | None = None) -> Scan:
    """Read one job.

    Args:
        job: from `find_jobs`.
        facts: the model's.
        channels: --channels: which volume of a 4-D file is which sequence, such as `t1=0,flair=1`.
        plane: --plane: axial, coronal, sagittal, acquired; auto: the model's own, and that of a single slice its own.
        weight: what the job needs at its peak, outputs included; None: without any.

    Returns:
        The scan. Of NIfTI, `volume` is uint8 for a model with an input recipe, which was trained on 8 bits: 0 stays 0,
        and the 99.9th percentile of the voxels above it is 255, sequence by sequence. 8-bit files for the model of LGG,
        which is 8-bit itself, are left as they are. For models that scale slices or volumes themselves it is float32,
        as in the file. 8-bit pictures are left as they are for all models.

    Raises:
        UserError: anything about the files that stands in the way, in one line; also where its prediction needs more
            memory than is free.
    """
    named = parse_channels(channels, facts.task)
    (weight or weigh(job, facts, plane)).refuse_unless_free()
    # Neither NIfTI's reader nor that of pictures is imported for the other.
    if job.kind == "nifti":
        from headtohead.predicting.files.volumes import scan_volumes

        return scan_volumes(job, facts, named, plane)
    from headtohead.predicting.files.pictures import scan_pictures

    return scan_pictures(job, facts)
