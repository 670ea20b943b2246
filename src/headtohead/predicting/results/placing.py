"""Where the results of `--predict` go, and under which names they would do harm."""

from collections.abc import Sequence
from pathlib import Path

from headtohead.errors import UserError
from headtohead.predicting.files.finding import Job
from headtohead.predicting.results import summary
from headtohead.predicting.results.outputs import Outputs, Paths, every, without_extension


def output_folder(output: str, source: Path, outputs: Outputs) -> Path:
    """Give the folder that `--predict` writes to.

    Raises:
        UserError: none is given, it is a file, or somebody else's summary.csv lies in it; or it is the inputs' own, and
            images would be written under their names.
    """
    if not output:
        raise UserError("`predict`: no output folder; name one with `output`, such as the input folder itself")
    folder = Path(output)
    if folder.exists() and not folder.is_dir():
        raise UserError(f"`output` {folder}: not a folder; name a folder, which need not exist yet")
    summary.read_summary(folder / summary.FILE)
    suffix = next((suffix for suffix in outputs.masked if not without_extension(suffix)), "")
    inputs = source if source.is_dir() else source.parent
    if suffix and inputs.resolve() == folder.resolve():
        raise UserError(
            f"`outputs` {suffix}: would replace the images themselves; name another folder with `output`, or give the "
            "results a suffix, such as 0.0:_brain.nii"
        )
    return folder


def refuse_bare_names(mask: str, jobs: Sequence[Job], source: Path, folder: Path) -> None:
    """Refuse masks without a suffix where they would be taken for images.

    Raises:
        UserError: an image has the name of its case, as none of nnU-Net's has, or the masks would lie among the images.
    """
    if not mask or without_extension(mask):
        return
    if source.resolve() == folder.resolve():
        raise UserError(f"`mask_suffix` {mask}: masks would pass for images; name another folder with `output`")
    if alone := next((job for job in jobs if job.kind != "nifti" or job.files[0].name == job.relative.name), None):
        raise UserError(
            f"`mask_suffix` {mask}: would give the mask of {alone.name} the name of its image; only channels of "
            "nnU-Net (CASE_0000.nii.gz) leave it free"
        )


def name_all(jobs: Sequence[Job], outputs: Outputs, folder: Path) -> tuple[dict[Job, Paths], dict[Job, str]]:
    """Name the files of all jobs.

    Returns:
        The paths of each job, and for each that cannot have its own: why.
    """
    places: dict[Job, Paths] = {}
    clashes: dict[Job, str] = {}
    owners: dict[Path, Job] = {}
    inputs = {file.absolute() for job in jobs for file in job.files}
    for job in jobs:
        paths = outputs.paths(job, folder)
        clash = next((path for path in every(paths) if path in owners or path.absolute() in inputs), None)
        if clash is None:
            places[job] = paths
            owners |= dict.fromkeys(every(paths), job)
        elif clash.absolute() in inputs:
            clashes[job] = f"its {clash.name} would replace an input; choose another folder with `output`"
        else:
            also = f"its {clash.name} would also be that of {owners[clash].name}"
            clashes[job] = f"{also}; rename one of them, or use `pattern`"
    return places, clashes
