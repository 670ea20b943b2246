"""`--predict`: every image and volume of a folder in, masks on their own grids out, and a summary."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from headtohead.errors import PartlyDone, UserError
from headtohead.memory import Claims
from headtohead.options.table import Options
from headtohead.plurals import count_of
from headtohead.predicting.files.finding import Job, find_jobs
from headtohead.predicting.files.grouping import refuse_ignored_channels, refuse_ignored_plane
from headtohead.predicting.files.naming import printable
from headtohead.predicting.files.scans import read_scan, wants_bytes
from headtohead.predicting.files.sequences import parse_channels
from headtohead.predicting.files.weighing import Weight, weigh
from headtohead.predicting.overlapping import Outcome, overlap
from headtohead.predicting.results import summary
from headtohead.predicting.results.finishing import Predicts, answer, write_results
from headtohead.predicting.results.outputs import Outputs, read_outputs
from headtohead.predicting.results.placing import Paths, name_all, refuse_replacing
from headtohead.predicting.results.summary import Row
from headtohead.predicting.results.written import Records, Written, truth_is_ours
from headtohead.predicting.scan import Scan
from headtohead.predicting.seen import seen_before
from headtohead.predicting.trust.geometry import doubts_of_header
from headtohead.quiet import STDERR

MASKED, PREVIEW, CLEANED, MEMBERS = 12, 4, 8, 8
"""Bytes for each voxel that images times masks, previews and a clean-up take more than what `files.weighing` counts
anyway, each at a time of its own; and several models, all the time."""


def predict_folder(options: Options) -> Path:
    """Carry out `--predict`.

    Writes into `--output`, mirroring the folders, what `results.outputs` names for each file, and summary.csv.

    Returns:
        That folder.

    Raises:
        UserError: an option, the model or the folder cannot be used, or a file would be replaced; nothing is written
            then.
        PartlyDone: some files could not be predicted; all others are.
    """
    from headtohead.predicting.predictor import open_predictor

    outputs = read_outputs(options.files)
    refuse_own_folder(outputs, Path(str(options.verbs.predict)), output_folder(options))
    predictor = open_predictor(options)
    parse_channels(options.files.channels, predictor.facts.sequences)  # once, rather than an error for every file
    source = Path(str(options.verbs.predict))
    # Results of an earlier command may lie among the inputs, under ends that this one does not name.
    jobs = find_jobs(source, options.files.pattern, predictor.facts.sequences, outputs.ends, Records().ours)
    refuse_ignored_channels(jobs, options.files.channels, predictor.facts.sequences)
    refuse_ignored_plane(jobs, options.files.plane)
    return predict_jobs(jobs, predictor, options)


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


def predict_jobs(jobs: Sequence[Job], predictor: Predicts, options: Options) -> Path:
    """Predict what was found and say what became of each.

    Args:
        jobs: the files.
        predictor: the models.
        options: of which `files`, `--output`, `--overwrite` and `--debug` count.

    Returns:
        The folder of the results.

    Raises:
        UserError: before anything is written, if a file would be replaced.
        PartlyDone: some could not be predicted; each has a line on stderr.
    """
    outputs = read_outputs(options.files)
    folder = output_folder(options)
    if outputs.uncertainty == "variance" and predictor.members < 2:
        raise UserError(
            "--save_uncertainty variance: a single model has none; average several (--ensemble), or use entropy"
        )
    places, clashes = name_all(jobs, outputs, folder)
    work = Work(predictor, options, outputs, Written(folder), places, clashes)
    refuse_replacing(places, jobs, work.records, options)
    rows: list[Row] = []
    with overlap(jobs, work.read, work.compute, work.write) as outcomes:
        predictor.ready()
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as fault:
            raise UserError(f"--output {folder}: cannot be created ({fault.strerror}); choose another") from fault
        for choice in predictor.choices:
            print(choice.line)
        try:
            with progress(len(jobs)) as advance:
                for outcome in outcomes:
                    rows.append(work.tell(outcome))
                    advance()
        finally:  # an interrupt does not lose what was found until then
            place = summary.write_summary(rows, folder)
            tidy(work.written)
    done = [row for row in rows if not row.error]
    if done:
        summary.print_table(done, len(rows))
    failed = len(rows) - len(done)
    if failed:
        raise PartlyDone(
            f"{failed} of {count_of(len(rows), 'file')} could not be predicted; the reasons are above and in {place}"
        )
    return folder


def tidy(written: Written) -> None:
    """Write the list of what was written.

    Raises:
        UserError: it cannot be written. What was predicted is there all the same.
    """
    try:
        written.tidy()
    except (OSError, UserError) as fault:
        reason = getattr(fault.__cause__ or fault, "strerror", None) or fault
        raise UserError(
            f"{written.path}: cannot be written ({reason}); the masks are complete, but a later command will "
            "not know that this program wrote them; give it another --output"
        ) from fault


@dataclass(frozen=True)
class Loaded:
    """A scan that was read, what is odd about it, and the inputs of the models."""

    scan: Scan
    warnings: list[str]
    inputs: Any


@dataclass(frozen=True)
class Work:
    """What the three stages of a prediction need, and the stages."""

    predictor: Predicts
    options: Options
    outputs: Outputs
    written: Written
    places: dict[Job, Paths]
    clashes: dict[Job, str]
    claims: Claims = field(default_factory=Claims)

    @cached_property
    def records(self) -> Records:
        """What earlier commands wrote, wherever it lies."""
        return Records(self.written)

    @cached_property
    def planned(self) -> frozenset[Path]:
        """All that this command writes."""
        return frozenset(
            path.absolute() for places in self.places.values() for paths in places.values() for path in paths
        )

    @property
    def models(self) -> str:
        """The names of all models."""
        return " + ".join(choice.name for choice in self.predictor.choices) or self.predictor.name

    def read(self, job: Job) -> Loaded:
        """Read a scan, see what is odd about it, and prepare it, so that the models need not wait for that."""
        if job in self.clashes:
            raise UserError(self.clashes[job])
        files, facts = self.options.files, self.predictor.facts
        further = further_bytes(self.outputs, self.predictor)
        weight = weigh(job, facts, files.plane, wants_bytes(facts), further, self.predictor.members)
        self.claims.take(job, weight.need)
        with self.claims.until_failure(job):
            return self._load(job, weight)

    def _load(self, job: Job, weight: Weight) -> Loaded:
        from headtohead.predicting.trust.familiarity import unfamiliar_features

        files, facts = self.options.files, self.predictor.facts
        scan = read_scan(job, facts, files.channels, files.plane, weight)
        if scan.truth is not None and truth_is_ours(job, self.records, self.planned):
            scan = replace(scan, truth=None, truth_on_grid=None)
        warnings = [scan.substitution] if scan.missing else []
        warnings += doubts_of_header(scan)
        warnings += unfamiliar_features(scan.volume, scan.spacing, facts.familiar)
        return Loaded(scan, warnings, self.predictor.prepare(scan))

    def compute(self, job: Job, loaded: Loaded) -> Any:
        """Ask the models."""
        with self.claims.until_failure(job):
            return self.predictor.ask(loaded.inputs)

    def write(self, job: Job, loaded: Loaded, answers: Any) -> Row:
        """Make mask and files."""
        try:
            return self._write(job, loaded, answers)
        finally:
            self.claims.drop(job)

    def _write(self, job: Job, loaded: Loaded, answers: Any) -> Row:
        scan, warnings = loaded.scan, loaded.warnings
        estimate = self.predictor.combine(loaded.inputs, answers)
        seen, flattered = seen_before(self.predictor.choices, job)
        found = answer(job.name, scan, estimate, self.predictor, flattered + warnings)
        files = write_results(job, scan, found, self.outputs, self.places[job], self.written.folder)
        with suppress(
            OSError, UserError
        ):  # the files are whole; the list is rewritten at the end, and a fault is told then
            self.written.add(files)
        return replace(found.row, model=self.models, seen=seen, notes=scan.notes)

    def tell(self, outcome: Outcome[Job, Row]) -> Row:
        """Print what became of a file: a line, and one for each warning; a line on stderr if it failed."""
        if outcome.result is not None:
            row = replace(outcome.result, seconds=outcome.seconds)
            print(row.line)
            for note in row.notes:
                print(f"{row.file}: note: {note}")
            for warning in row.warnings:
                print(f"{row.file}: warning: {warning}")
            return row
        assert outcome.fault is not None
        reason = explain(outcome.item, outcome.fault)
        with STDERR:
            print(f"error: {outcome.item.name}: {reason}", file=sys.stderr, flush=True)
            if self.options.machine.debug:
                print(outcome.trace, end="", file=sys.stderr, flush=True)
        return Row(file=outcome.item.name, model=self.models, seconds=outcome.seconds, error=reason)


def further_bytes(outputs: Outputs, predictor: Predicts) -> int:
    """Give the bytes for each voxel that outputs, clean-up and several models take besides the usual."""
    most = max(MASKED * bool(outputs.masked), PREVIEW * outputs.preview, CLEANED * bool(predictor.steps))
    return most + MEMBERS * (predictor.members > 1)


def explain(job: Job, fault: Exception) -> str:
    """Say in one line why a file could not be predicted, without the path if it is that of the file itself."""
    text = " ".join(str(fault).split())
    if isinstance(fault, UserError):
        return text.removeprefix(f"{printable(job.files[0])}: ")
    if isinstance(fault, OSError):
        where = f" ({fault.filename})" if fault.filename else ""
        return f"{(fault.strerror or type(fault).__name__).lower()}{where}; correct this and predict the file again"
    if isinstance(fault, MemoryError):
        return "not enough memory; predict it on a machine with more"
    return f"{type(fault).__name__}: {text}; run again with --debug"


@contextmanager
def progress(total: int) -> Iterator[Callable[[], None]]:
    """Show a bar while files are predicted, on a terminal; in a log their lines are enough.

    Yields:
        What to call after each file.
    """
    if not sys.stdout.isatty():
        yield lambda: None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeElapsedColumn, TimeRemainingColumn

    columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns, transient=True, redirect_stderr=sys.stderr.isatty()) as bar:
        task = bar.add_task("predicting", total=total)
        yield lambda: bar.advance(task)
