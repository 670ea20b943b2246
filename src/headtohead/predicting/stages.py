"""The stages of a prediction: a file is read, the models are asked, its results are written."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from headtohead.errors import UserError
from headtohead.memory import Claims
from headtohead.options.files import FileOptions
from headtohead.predicting.files.finding import Job
from headtohead.predicting.files.scans import read_scan
from headtohead.predicting.files.weighing import weigh
from headtohead.predicting.predict import conclude
from headtohead.predicting.predictor import Predictor
from headtohead.predicting.results.finishing import write_results
from headtohead.predicting.results.journal import Journal, sources_of
from headtohead.predicting.results.outputs import Outputs, every, name_all
from headtohead.predicting.results.summary import Row, Rows, rows_of
from headtohead.predicting.results.written import Records, Written, checksum, name_below, truth_is_ours
from headtohead.predicting.scan import Scan
from headtohead.predicting.seen import seen_before
from headtohead.predicting.trust.geometry import doubts_of_scan
from headtohead.saving import all_or_none

MASKED, PREVIEW, CLEANED, MEMBERS, TARGET = 12, 6, 8, 8, 11
"""Bytes for each voxel that images times masks, previews and a clean-up take more than what `files.weighing` counts
anyway, each at a time of its own; and several models, or each further target, all the time."""


@dataclass(frozen=True)
class Loaded:
    """A scan that was read, its files as they were then, what is odd about it, and the inputs of the models."""

    scan: Scan
    files: dict[str, Any]
    warnings: list[str]
    inputs: Any


class Work:
    """The jobs of a command, and the three stages of each.

    Attributes:
        model: the names of all models.
        places: the results of each job.
        clashes: why a job cannot have results of its own.
        planned: absolute paths of all results.
        written: the list of what was written into the folder.
        records: what earlier commands wrote, wherever it lies.
        journal: what is known of this command when it is interrupted.
        done: the rows of the jobs whose results are there, some from before the same command was interrupted.
        claims: the memory that jobs take.
    """

    def __init__(
        self, jobs: Sequence[Job], predictor: Predictor, outputs: Outputs, files: FileOptions, journal: Journal
    ) -> None:
        self.jobs, self.predictor, self.outputs, self.files, self.journal = jobs, predictor, outputs, files, journal
        self.model = journal.settings["model"]
        self.places, self.clashes = name_all(jobs, outputs, journal.folder)
        self.planned = frozenset(path.absolute() for paths in self.places.values() for path in every(paths))
        self.written = Written(journal.folder)
        self.records = Records(self.written)
        self.claims = Claims()
        self.done: dict[Job, Rows] = {}
        for job, paths in self.places.items():
            if entry := journal.finished(job, paths, self.planned):
                self.done[job] = tuple(Row(**row) for row in entry["rows"])
                self.written.settle(entry["outputs"])

    def read(self, job: Job) -> Loaded:
        """Read a scan, see what is odd about it, and prepare it, so that the models need not wait for that."""
        from headtohead.predicting.trust.familiarity import unfamiliar_features

        if job in self.clashes:
            raise UserError(self.clashes[job])
        plane, facts = self.files.plane, self.predictor.facts
        further = further_bytes(self.outputs, self.predictor)
        weight = weigh(job, facts, plane, further, self.predictor.members)
        self.claims.take(job, weight.need)
        with self.claims.until_failure(job):
            before = sources_of(job, self.planned)
            scan = read_scan(job, facts, self.files.channels, plane, weight)
            if scan.truth is not None and truth_is_ours(job, self.records, self.planned):
                scan = replace(scan, truth=None)
            warnings = doubts_of_scan(scan, facts.task, self.predictor.idle)
            warnings += unfamiliar_features(scan.volume, facts.familiar, scan.primary)
            return Loaded(scan, before, warnings, self.predictor.prepare(scan))

    def compute(self, job: Job, loaded: Loaded) -> Any:
        """Ask the models."""
        with self.claims.until_failure(job):
            return self.predictor.ask(loaded.inputs)

    def write(self, job: Job, loaded: Loaded, answers: Any, seconds: float) -> Rows:
        """Make mask and files. `seconds` went into the file before."""
        begin = time.perf_counter() - seconds
        try:
            return self._write(job, loaded, answers, begin)
        finally:
            self.claims.drop(job)

    def _write(self, job: Job, loaded: Loaded, answers: Any, begin: float) -> Rows:
        scan, paths, folder = loaded.scan, self.places[job], self.written.folder
        estimate = self.predictor.combine(loaded.inputs, answers)
        seen, flattered = seen_before(self.predictor.choices, job)
        found = conclude(scan, estimate, self.predictor)
        rows = rows_of(job.name, found, self.model, flattered + loaded.warnings, seen=seen, notes=scan.notes)
        with all_or_none(every(paths), folder) as staged:
            places = {kind: tuple(staged[path] for path in files) for kind, files in paths.items()}
            write_results(job, scan, found, rows, self.outputs, places)
            sums = {name_below(path, folder): checksum(file) for path, file in staged.items()}
            rows = (replace(rows[0], seconds=time.perf_counter() - begin), *rows[1:])
            self.written.expect(sums)  # a fault of a list is one of this file: what is not listed gets no name
            self.journal.add(rows, loaded.files, sums)
        self.written.settle(sums)
        self.done[job] = rows
        return rows


def further_bytes(outputs: Outputs, predictor: Predictor) -> int:
    """Give the bytes for each voxel that outputs, clean-up and several models take besides the usual."""
    most = max(MASKED * bool(outputs.masked), PREVIEW * outputs.preview, CLEANED * bool(predictor.clean_up))
    targets = len(predictor.facts.task.targets)
    return most + MEMBERS * targets * (predictor.members > 1) + TARGET * (targets - 1)
