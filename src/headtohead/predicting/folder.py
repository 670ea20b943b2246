"""`--predict`: every image and volume of a folder in, masks on their own grids out, and a summary."""

from collections.abc import Sequence
from pathlib import Path

from headtohead.disk_faults import NoRoomError
from headtohead.errors import PartlyDone, UserError
from headtohead.options.table import Options
from headtohead.plurals import count_of
from headtohead.predicting.files.assigning import parse_channels, refuse_ignored_channels, refuse_ignored_plane
from headtohead.predicting.files.finding import Job, find_jobs, refuse_missing
from headtohead.predicting.overlapping import overlap
from headtohead.predicting.predictor import Predictor
from headtohead.predicting.results import summary
from headtohead.predicting.results.deciding import settings_of
from headtohead.predicting.results.journal import Journal
from headtohead.predicting.results.outputs import Outputs, read_outputs
from headtohead.predicting.results.placing import name_all, refuse_replacing
from headtohead.predicting.results.summary import Row, Rows
from headtohead.predicting.results.table import print_table
from headtohead.predicting.results.written import Records, Written
from headtohead.predicting.stages import Work
from headtohead.predicting.telling import progress, tell_fault, tell_rows


def predict_folder(options: Options) -> Path:
    """Carry out `--predict`.

    Writes into `--output`, mirroring the folders, what `results.outputs` names for each file, and summary.csv.

    Returns:
        That folder.

    Raises:
        UserError: an option, the model or the folder cannot be used, a file would be replaced, or another command is
            writing there; nothing is written then.
        NoRoomError: the disk is full; the same command goes on.
        PartlyDone: some files could not be predicted; all others are.
    """
    from headtohead.predicting.predictor import open_predictor

    outputs, folder, source = read_outputs(options.files), output_folder(options), Path(str(options.verbs.predict))
    refuse_own_folder(outputs, source, folder)
    refuse_missing(source)  # before `folder` is made, which may be the same
    predictor = open_predictor(options)
    outputs = outputs.of(predictor.facts.task.targets)
    parse_channels(options.files.channels, predictor.facts.task)  # once, rather than an error for every file
    if outputs.uncertainty == "variance" and predictor.members < 2:
        raise UserError(
            "--save_uncertainty variance: a single model has none; average several (--ensemble), or use entropy"
        )
    with Journal(folder, settings_of(predictor, options)) as journal:
        # Results of an earlier command may lie among the inputs, under ends that this one does not name.
        jobs = find_jobs(source, options.files.pattern, predictor.facts.task, outputs.ends, Records().ours)
        refuse_bare_names(outputs, jobs, source, folder)
        refuse_ignored_channels(jobs, options.files.channels, predictor.facts.task)
        refuse_ignored_plane(jobs, options.files.plane)
        predict_jobs(jobs, predictor, options, journal)
    return folder


def refuse_own_folder(outputs: Outputs, source: Path, folder: Path) -> None:
    """Refuse to write images under their inputs' names into the inputs' folder.

    Raises:
        UserError: names the option and what to do.
    """
    suffix, inputs = outputs.named_as_input, source if source.is_dir() else source.parent
    if suffix and inputs.resolve() == folder.resolve():
        raise UserError(
            f"--outputs {suffix}: would replace the images themselves; name another folder with --output, or give the "
            "results a suffix, such as 0.0:_brain.nii"
        )


def refuse_bare_names(outputs: Outputs, jobs: list[Job], source: Path, folder: Path) -> None:
    """Refuse masks without a suffix where they would be taken for images.

    Raises:
        UserError: an image has the name of its case, as none of nnU-Net's has, or the masks would lie among the images.
    """
    if not outputs.bare:
        return
    if source.resolve() == folder.resolve():
        raise UserError(f"--mask_suffix {outputs.mask}: masks would pass for images; name another folder with --output")
    if alone := next((job for job in jobs if job.kind != "nifti" or job.files[0].name == job.relative.name), None):
        raise UserError(
            f"--mask_suffix {outputs.mask}: would give the mask of {alone.name} the name of its image; only channels "
            "of nnU-Net (CASE_0000.nii.gz) leave it free"
        )


def output_folder(options: Options) -> Path:
    """Give the folder to write to.

    Raises:
        UserError: none is given, it is a file, or somebody else's summary.csv lies in it.
    """
    if not options.prediction.output:
        raise UserError("--predict: no output folder; name one with --output, such as the input folder itself")
    folder = Path(options.prediction.output)
    if folder.exists() and not folder.is_dir():
        raise UserError(f"--output {folder}: not a folder; name a folder, which need not exist yet")
    summary.read_summary(folder / summary.FILE)
    return folder


def predict_jobs(jobs: Sequence[Job], predictor: Predictor, options: Options, journal: Journal) -> None:
    """Predict what was found and say what became of each. What the same command did before is not done again.

    Args:
        jobs: the files.
        predictor: the models.
        options: of which `files`, `--overwrite` and `--debug` count.
        journal: of the folder of the results, and held.

    Raises:
        UserError: before anything is written, if a file would be replaced.
        NoRoomError: the disk is full; the same command goes on.
        PartlyDone: some could not be predicted; each has a line on stderr.
    """
    outputs, folder = read_outputs(options.files).of(predictor.facts.task.targets), journal.folder
    places, clashes = name_all(jobs, outputs, folder)
    work = Work(predictor, options, outputs, Written(folder), journal, places, clashes)
    work.find_done()
    left = [job for job in jobs if job not in work.done]
    refuse_replacing({job: places[job] for job in left if job in places}, jobs, work.records, journal, options)
    complete = False
    try:
        tell_all(predict_left(left, jobs, work), folder)
        complete = True
    finally:  # the last change to the disk: until then, the same command goes on
        journal.conclude([job.name for job in work.done], complete)


def predict_left(left: Sequence[Job], jobs: Sequence[Job], work: Work) -> list[Row]:
    """Predict the jobs that are not done, and write summary and lists; an interrupt loses nothing of them.

    Returns:
        The rows of all jobs, in their order.
    """
    failed: dict[Job, Rows] = {}
    before, begun = len(work.done), False
    try:
        with overlap(left, work.read, work.compute, work.write, work.claims.close) as outcomes:
            work.predictor.ready()
            work.written.tidy()  # so that lines can be added to it, whoever wrote it
            begun = True
            for choice in work.predictor.choices:
                print(choice.line)
            if before:
                verb = "was" if before == 1 else "were"
                print(f"{before} of {count_of(len(jobs), 'file')} {verb} predicted before; going on")
            with progress(len(jobs), before) as advance:
                for outcome in outcomes:
                    if isinstance(outcome.fault, NoRoomError):
                        raise outcome.fault  # no fault of this file: the next would be computed for nothing
                    if outcome.result is not None:
                        tell_rows(outcome.result)
                    else:
                        reason = tell_fault(outcome, work.options.machine.debug)
                        row = Row(outcome.item.name, model=work.models, seconds=outcome.seconds, error=reason)
                        failed[outcome.item] = (row,)
                    advance()
    finally:  # when nothing is being written any more
        rows = [row for job in jobs for row in work.done.get(job) or failed.get(job, ())]
        if begun:
            write_lists(rows, work.written)
    return rows


def write_lists(rows: Sequence[Row], written: Written) -> None:
    """Write summary.csv, and the list of what was written, each file once.

    Raises:
        UserError: as `told`; the same command writes them.
    """
    summary.write_summary(rows, written.folder)
    written.tidy()


def tell_all(rows: Sequence[Row], folder: Path) -> None:
    """Print the table of all files that are done.

    Raises:
        PartlyDone: some are not.
    """
    done = [row for row in rows if not row.error]
    failed = len(rows) - len(done)
    files = len({row.file for row in rows})
    if done:
        print_table(done, files)
    if failed:
        reasons, them, these = ("reason is", "it", "this is") if failed == 1 else ("reasons are", "them", "these are")
        raise PartlyDone(
            f"{failed} of {count_of(files, 'file')} could not be predicted; the {reasons} above and in "
            f"{folder / summary.FILE}; fix {them} and run the same command again: only {these} predicted"
        )
