"""A job read as a scan: slices as the model wants them, with the truth beside it and the inverse onto its grid."""

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
        The scan. Volumes have as many bits as those the model was trained on; for models that scale slices or volumes
        themselves they are float32, as in the file. 8-bit pictures are left as they are.

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
