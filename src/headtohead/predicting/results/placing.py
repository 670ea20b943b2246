"""Where the results of `--predict` and `--image_path` go, and what they must never replace."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from headtohead.errors import UserError
from headtohead.predicting.files.finding import Job
from headtohead.predicting.results.journal import Journal
from headtohead.predicting.results.outputs import Outputs, Paths
from headtohead.predicting.results.written import Records
from headtohead.saving import atomic_path
from headtohead.trained.choosing import Choice


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
        for path in (path for files in paths.values() for path in files):
            if path.absolute() in inputs:
                clash = f"its {path.name} would replace an input; choose another folder with `output`"
            elif path in owners:
                clash = (
                    f"its {path.name} would also be that of {owners[path].name}; rename one of them, or use `pattern`"
                )
            else:
                continue
            clashes.setdefault(job, clash)
        if job not in clashes:
            places[job] = paths
            owners |= {path: job for files in paths.values() for path in files}
    return places, clashes


def refuse_replacing(
    places: Mapping[Job, Paths],
    jobs: Sequence[Job],
    records: Records,
    journal: Journal,
    source: Path | None,
    overwrite: bool,
) -> None:
    """Refuse to replace a file unless told to, or unless this command left it when it was interrupted.

    Never is what somebody else may have made: a mask, which may be a truth, and any file among the inputs.

    Args:
        places: the files of each job that is to be done.
        jobs: the inputs.
        records: what earlier commands wrote.
        journal: what this command and others did without coming to their end.
        source: what `--predict` names.
        overwrite: as `--overwrite`.

    Raises:
        UserError: names the first such file.
    """
    inputs = {file.parent.resolve() for job in jobs for file in job.files}
    source = source and source.resolve()
    for paths in places.values():
        for kind, files in paths.items():
            for path in files:
                if not path.exists() and not path.is_symlink():
                    continue
                if path.is_dir():
                    raise UserError(f"{path}: a folder with the name of a file to be written; move it away")
                ours = records.ours(path)
                if kind.startswith("image.") and not ours:  # of --outputs 0.0:.nii, named as its input is
                    raise UserError(
                        f"{path}: already exists and is not as `predict` wrote it, so it may be an image of yours, "
                        "which is never overwritten; choose another `output`"
                    )
                if kind == "mask" and not ours:
                    raise UserError(
                        f"{path}: already exists and is not as `predict` wrote it, so it may be a ground truth, "
                        "which is never overwritten; move it away, or choose another `output` or `mask_suffix`"
                    )
                beside = path.parent.resolve()
                if not ours and (beside in inputs or (source and beside.is_relative_to(source))):
                    raise UserError(
                        f"{path}: already exists among the inputs and is not as `predict` wrote it, so it is never "
                        "overwritten; choose another `output`, or another suffix"
                    )
                if overwrite or (ours and journal.left_over(path)):
                    continue
                if others := journal.origin(path):
                    raise UserError(
                        f"{path}: already exists, from an interrupted command ({others}); repeat that one to go on "
                        "with it, choose another folder with `output`, or add `overwrite`"
                    )
                raise UserError(f"{path}: already exists; choose another folder with `output`, or add `overwrite`")


def folder_for(output: str, runs_dir: str, choices: Sequence[Choice]) -> Path:
    """Say where outputs go: `--output`, or the figures of the run, or a folder of predictions below `--runs_dir`."""
    if output:
        return Path(output)
    run = choices[0].run
    return run.figures if run and len(choices) == 1 else Path(runs_dir) / "predictions"


def refuse_overwriting(outputs: dict[str, Path], image: Path, overwrite: bool) -> None:
    """Refuse to replace files, unless told to, and ever to put a predicted mask where the truth is looked for.

    Raises:
        UserError: names the file and the fix.
    """
    folder = outputs["mask"].parent
    if folder.resolve() == image.resolve().parent:
        raise UserError(
            f"`output` {folder}: the image's own folder, where {outputs['mask'].name} would be taken for its truth; "
            "choose another folder"
        )
    for path in outputs.values():
        if path.exists() and not overwrite:
            raise UserError(f"{path}: already exists; choose another folder with `output`, or add `overwrite`")


@contextmanager
def all_or_none(outputs: dict[str, Path]) -> Iterator[dict[str, Path]]:
    """Give a temporary path for each output; all get their names on success, none on any failure.

    Raises:
        UserError: the folder cannot be made or written to.
    """
    with ExitStack() as stack:
        try:
            temporary = {kind: stack.enter_context(atomic_path(path)) for kind, path in outputs.items()}
        except OSError as fault:
            folder = outputs["mask"].parent
            raise UserError(f"{folder}: cannot be written to ({fault.strerror}); choose another `output`") from fault
        yield temporary
