"""`--predict`: every image and volume of a folder in, masks on their own grids out, and a summary."""

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from headtohead.disk_faults import NoRoomError
from headtohead.errors import PartlyDone, UserError, printable
from headtohead.options.files import FileOptions
from headtohead.options.flags import as_flags
from headtohead.options.table import ChoiceOptions, Options
from headtohead.plurals import count_of
from headtohead.predicting.files.assigning import parse_channels, refuse_ignored_channels, refuse_ignored_plane
from headtohead.predicting.files.finding import Job, find_jobs, refuse_missing
from headtohead.predicting.overlapping import Ended, overlap
from headtohead.predicting.results import summary
from headtohead.predicting.results.deciding import deciding_settings
from headtohead.predicting.results.journal import Journal
from headtohead.predicting.results.outputs import output_folder, read_outputs, refuse_bare_names
from headtohead.predicting.results.summary import Row, Rows
from headtohead.predicting.results.table import print_table
from headtohead.predicting.results.written import Records, Written
from headtohead.predicting.stages import Work
from headtohead.quiet import STDERR


@dataclass(frozen=True)
class Predicted:
    """What became of all files.

    Attributes:
        folder: where everything was written.
        rows: of summary.csv, those of each file together, in the order of the files.
        masks: name of a file, as in its rows -> its label maps: one, or one a slice; of a file that failed, none.
    """

    folder: Path
    rows: Sequence[Row]
    masks: Mapping[str, tuple[Path, ...]]


def predict_folder(options: Options) -> Path:
    """Carry out `--predict`, as `predict_below` does. Gives the folder that was written into.

    Raises:
        UserError: as `predict_below`.
        PartlyDone: some files could not be predicted, each has a line on stderr; all others are.
    """
    predicted = predict_below(Path(str(options.verbs.predict)), options, options.files)
    refuse_failed(predicted)
    return predicted.folder


def predict_below(source: Path, options: ChoiceOptions, files: FileOptions) -> Predicted:
    """Predict every file below a folder. What the same command did before it was interrupted is not done again.

    Writes into `--output`, mirroring the folders, what `results.outputs` names for each file, and summary.csv.

    Raises:
        UserError: an option, the model or the folder cannot be used, a file would be replaced, or another command is
            writing there; nothing is written then.
        NoRoomError: the disk is full; the same command goes on.
    """
    from headtohead.predicting.predictor import open_predictor

    outputs = read_outputs(files)
    folder = output_folder(options.prediction.output, source, outputs)
    refuse_missing(source)  # before `folder` is made, which may be the same
    predictor = open_predictor(options, source)
    task = predictor.facts.task
    outputs = outputs.of(task.targets)
    parse_channels(files.channels, task)  # once, rather than an error for every file
    if outputs.uncertainty == "variance" and predictor.members < 2:
        raise UserError(
            "`save_uncertainty=variance`: a single model has none; average several (`ensemble`), or use entropy"
        )
    with Journal(folder, deciding_settings(predictor, options, files)) as journal:
        # Results of an earlier command may lie among the inputs, under ends that this one does not name.
        jobs = find_jobs(source, files.pattern, task, outputs.ends, Records().ours)
        refuse_bare_names(outputs.mask, jobs, source, folder)
        refuse_ignored_channels(jobs, files.channels, task)
        refuse_ignored_plane(jobs, files.plane)
        work = Work(jobs, predictor, outputs, files, journal)
        rows = predict_left(work, source, options.comparison.overwrite, options.machine.debug)
    masks = {job.name: work.places[job].get("mask", ()) for job in jobs if job in work.done}
    return Predicted(folder, rows, masks)


def predict_left(work: Work, source: Path, overwrite: bool, debug: bool) -> list[Row]:
    """Predict the jobs that are not done, and print what became of all.

    Returns:
        The rows of all, in their order; those of a job that failed say why.

    Raises:
        UserError: before anything is written, if a file would be replaced.
        NoRoomError: the disk is full; the same command goes on.
    """
    left = [job for job in work.jobs if job not in work.done]
    refuse_replacing(left, work, source, overwrite)
    complete = False
    try:
        rows = run_stages(left, work, debug)
        tell_all(rows)
        complete = len(work.done) == len(work.jobs)
    finally:  # the last change to the disk: until then, the same command goes on
        work.journal.conclude({job.name for job in work.done}, complete)
    return rows


def refuse_replacing(left: Sequence[Job], work: Work, source: Path, overwrite: bool) -> None:
    """Refuse to replace a file unless told to, or unless this command left it when it was interrupted.

    Never is what somebody else may have made: a mask, which may be a truth, and any file among the inputs.

    Raises:
        UserError: names the first such file.
    """
    inputs = {file.parent.resolve() for job in work.jobs for file in job.files}
    planned = [pair for job in left for pair in work.places.get(job, {}).items()]
    for kind, path in ((kind, path) for kind, files in planned for path in files):
        if not os.path.lexists(path):
            continue
        if path.is_dir():
            raise UserError(f"{path}: a folder with the name of a file to be written; move it away")
        ours, beside = work.records.ours(path), path.parent.resolve()
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
        if not ours and (beside in inputs or beside.is_relative_to(source.resolve())):
            raise UserError(
                f"{path}: already exists among the inputs and is not as `predict` wrote it, so it is never "
                "overwritten; choose another `output`, or another suffix"
            )
        if overwrite or (ours and work.journal.left_over(path)):
            continue
        others = work.journal.origin(path)
        going_on = f", from an interrupted command ({others}); repeat that one to go on with it, " if others else "; "
        raise UserError(f"{path}: already exists{going_on}choose another folder with `output`, or add `overwrite`")


def run_stages(left: Sequence[Job], work: Work, debug: bool) -> list[Row]:
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
                print(as_flags(choice.line))
            if before:
                verb = "was" if before == 1 else "were"
                print(f"{before} of {count_of(len(work.jobs), 'file')} {verb} predicted before; going on")
            with progress(len(work.jobs), before) as advance:
                for outcome in outcomes:
                    if isinstance(outcome.fault, NoRoomError):
                        raise outcome.fault  # no fault of this file: the next would be computed for nothing
                    if outcome.result is not None:
                        tell_rows(outcome.result)
                    else:
                        reason = tell_fault(outcome, debug)
                        row = Row(outcome.item.name, model=work.model, seconds=outcome.seconds, error=reason)
                        failed[outcome.item] = (row,)
                    advance()
    finally:  # when nothing is being written any more
        rows = [row for job in work.jobs for row in work.done.get(job) or failed.get(job, ())]
        if begun:
            write_lists(rows, work.written)
    return rows


def write_lists(rows: Sequence[Row], written: Written) -> None:
    """Write summary.csv, and the list of what was written, each file once."""
    summary.write_summary(rows, written.folder)
    written.tidy()


def tell_rows(rows: Rows) -> None:
    """Print what was found in a file: a line for each target, and one for each note and warning."""
    for row in rows:
        print(row.line)
    for note in rows[0].notes:
        print(f"{rows[0].file}: note: {note}")
    for warning in rows[0].warnings:
        print(f"{rows[0].file}: warning: {warning}")


def tell_fault(outcome: Ended[Job, Rows], debug: bool) -> str:
    """Print on stderr why a file could not be predicted, with `debug` the traceback too; give the reason."""
    assert outcome.fault is not None
    reason = reason_of(outcome.item, outcome.fault)
    with STDERR:
        print(f"error: {outcome.item.name}: {reason}", file=sys.stderr, flush=True)
        print(outcome.trace if debug else "", end="", file=sys.stderr, flush=True)
    return reason


def reason_of(job: Job, fault: Exception) -> str:
    """Say in one line why a file could not be predicted, without the path if it is that of the file itself."""
    text = " ".join(as_flags(fault).split())
    if isinstance(fault, UserError):
        return text.removeprefix(f"{printable(job.files[0])}: ")
    if isinstance(fault, OSError):
        where = f" ({fault.filename})" if fault.filename else ""
        return f"{(fault.strerror or type(fault).__name__).lower()}{where}; correct this and predict the file again"
    if isinstance(fault, MemoryError):
        return "not enough memory; predict it on a machine with more"
    return f"{type(fault).__name__}: {text}; run again with --debug"


@contextmanager
def progress(total: int, done: int = 0) -> Iterator[Callable[[], None]]:
    """Show a bar while files are predicted, on a terminal; in a log their lines are enough. Give what moves it on."""
    if not sys.stdout.isatty():
        yield lambda: None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeElapsedColumn, TimeRemainingColumn

    columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns, transient=True, redirect_stderr=sys.stderr.isatty()) as bar:
        task = bar.add_task("predicting", total=total, completed=done)
        yield lambda: bar.advance(task)


def tell_all(rows: Sequence[Row]) -> None:
    """Print the table of all files that are done."""
    if done := [row for row in rows if not row.error]:
        print_table(done, len({row.file for row in rows}))


def refuse_failed(predicted: Predicted) -> None:
    """Say of how many files there is no result.

    Raises:
        PartlyDone: of some.
    """
    failed = sum(bool(row.error) for row in predicted.rows)
    if not failed:
        return
    files = len({row.file for row in predicted.rows})
    reasons, them, these = ("reason is", "it", "this is") if failed == 1 else ("reasons are", "them", "these are")
    raise PartlyDone(
        f"{failed} of {count_of(files, 'file')} could not be predicted; the {reasons} above and in "
        f"{predicted.folder / summary.FILE}; fix {them} and run the same command again: only {these} predicted"
    )
