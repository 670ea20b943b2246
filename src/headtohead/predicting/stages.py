"""The stages of a prediction: a file is read, the models are asked, its results are written."""

import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from headtohead.errors import UserError
from headtohead.memory import Claims
from headtohead.options.table import Options
from headtohead.predicting.files.finding import Job
from headtohead.predicting.files.scans import read_scan
from headtohead.predicting.files.weighing import Weight, weigh
from headtohead.predicting.predict import conclude
from headtohead.predicting.predictor import Predictor
from headtohead.predicting.results.entries import Sources, sources_of
from headtohead.predicting.results.finishing import write_results
from headtohead.predicting.results.journal import Journal
from headtohead.predicting.results.outputs import Outputs, Paths
from headtohead.predicting.results.summary import Rows, rows_of
from headtohead.predicting.results.written import Records, Written, truth_is_ours
from headtohead.predicting.scan import Scan
from headtohead.predicting.seen import seen_before
from headtohead.predicting.trust.geometry import doubts_of_scan

MASKED, PREVIEW, CLEANED, MEMBERS, TARGET = 12, 6, 8, 8, 11
"""Bytes for each voxel that images times masks, previews and a clean-up take more than what `files.weighing` counts
anyway, each at a time of its own; and several models, or each further target, all the time."""


@dataclass(frozen=True)
class Loaded:
    """A scan that was read, its files as they were then, what is odd about it, and the inputs of the models."""

    scan: Scan
    files: Sources
    warnings: list[str]
    inputs: Any


@dataclass(frozen=True)
class Work:
    """What the three stages of a prediction need, and the stages.

    Attributes:
        predictor: the models.
        options: of which `files` count.
        outputs: what is written of each file.
        written: the list of what was written into the folder.
        journal: what is known of this command when it is interrupted.
        places: the results of each job.
        clashes: why a job cannot have results of its own.
        done: the rows of the jobs whose results are there.
    """

    predictor: Predictor
    options: Options
    outputs: Outputs
    written: Written
    journal: Journal
    places: dict[Job, Paths]
    clashes: dict[Job, str]
    done: dict[Job, Rows] = field(default_factory=dict)
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

    def find_done(self) -> None:
        """Take over what the same command did before it was interrupted."""
        for job, paths in self.places.items():
            if not self.journal.knows(job):
                continue
            with suppress(OSError, UserError):  # reading it will say why
                if entry := self.journal.finished(job, paths, sources_of(job, self.planned)):
                    self.done[job] = entry.rows
                    self.written.recall(entry.outputs)

    def read(self, job: Job) -> Loaded:
        """Read a scan, see what is odd about it, and prepare it, so that the models need not wait for that."""
        if job in self.clashes:
            raise UserError(self.clashes[job])
        files, facts = self.options.files, self.predictor.facts
        further = further_bytes(self.outputs, self.predictor)
        weight = weigh(job, facts, files.plane, further, self.predictor.members)
        self.claims.take(job, weight.need)
        with self.claims.until_failure(job):
            return self._load(job, weight)

    def _load(self, job: Job, weight: Weight) -> Loaded:
        from headtohead.predicting.trust.familiarity import unfamiliar_features

        files, facts = self.options.files, self.predictor.facts
        before = sources_of(job, self.planned)
        scan = read_scan(job, facts, files.channels, files.plane, weight)
        if scan.truth is not None and truth_is_ours(job, self.records, self.planned):
            scan = replace(scan, truth=None)
        warnings = doubts_of_scan(scan, facts.task)
        warnings += unfamiliar_features(scan.volume, facts.familiar, scan.primary)
        return Loaded(scan, before, warnings, self.predictor.prepare(scan))

    def compute(self, job: Job, loaded: Loaded) -> Any:
        """Ask the models."""
        with self.claims.until_failure(job):
            return self.predictor.ask(loaded.inputs)

    def write(self, job: Job, loaded: Loaded, answers: Any, seconds: float) -> Rows:
        """Make mask and files. `seconds` went into the file before."""
        try:
            return self._write(job, loaded, answers, time.perf_counter() - seconds)
        finally:
            self.claims.drop(job)

    def _write(self, job: Job, loaded: Loaded, answers: Any, begin: float) -> Rows:
        scan, warnings = loaded.scan, loaded.warnings
        estimate = self.predictor.combine(loaded.inputs, answers)
        seen, flattered = seen_before(self.predictor.choices, job)
        found = conclude(scan, estimate, self.predictor)
        rows = rows_of(job.name, found, self.models, flattered + warnings, seen=seen, notes=scan.notes)

        def record(sums: Mapping[Path, str]) -> None:
            nonlocal rows
            rows = (replace(rows[0], seconds=time.perf_counter() - begin), *rows[1:])
            self.written.expect(sums)  # a fault of a list is one of this file: what is not listed gets no name
            self.journal.add(rows, loaded.files, sums)

        final = write_results(job, scan, found, rows, self.outputs, self.places[job], self.written.folder, record)
        self.written.settle(final)
        self.done[job] = rows
        return rows


def further_bytes(outputs: Outputs, predictor: Predictor) -> int:
    """Give the bytes for each voxel that outputs, clean-up and several models take besides the usual."""
    most = max(MASKED * bool(outputs.masked), PREVIEW * outputs.preview, CLEANED * bool(predictor.clean_up))
    targets = len(predictor.facts.task.targets)
    return most + MEMBERS * targets * (predictor.members > 1) + TARGET * (targets - 1)
