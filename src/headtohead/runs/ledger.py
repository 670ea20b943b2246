"""The ledger: what a comparison knows about its experiments. It is kept nowhere; the run folders are read each time."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headtohead.readers.tasks import task_of
from headtohead.runs.run import EXPERIMENT_COLUMNS, Run
from headtohead.task import Task

if TYPE_CHECKING:
    import pandas as pd

COUNTS = ["tp", "fp", "fn"]
SCORES = ["dice", "iou", "precision", "recall"]
NUMBERS = [*SCORES, *COUNTS]  # what every cases.csv has; surface and lesion scores come on top
FOLD_FILE = "folds.csv"  # which fold tests which case, in the comparison's folder


@dataclass(frozen=True)
class ExternalTest:
    """The test of a model on a cohort that it never saw.

    Attributes:
        of: name of the run's folder; of a bundle, of that in which its tests are.
        run: the folder of the test, and what its run.json says.
        cases: its cases.csv, as a run has it.
        people: population.csv: one row a case of both tests: cohort (`internal` or `external`), case, patient, site,
            missing, slices, lesion_voxels and, where they are known, lesion_ml and the spacing.
        bundle: whether no run of the comparison was tested, but a bundle, or weights from elsewhere.
    """

    of: str
    run: Run
    cases: "pd.DataFrame"
    people: "pd.DataFrame"
    bundle: bool = False

    @property
    def unseen_by(self) -> str:
        """By what it was checked that the patients are new to the model, in words."""
        return str(self.run.fact("external", "unseen_by") or "not known")


@dataclass(frozen=True)
class Ledger:
    """What the run folders of one comparison say.

    Attributes:
        folder: the comparison's folder.
        runs: every readable run, by folder name.
        tables: for each finished run, by its name, one row per test case: model, schedule, seed (missing for the
            baseline), fold, then the columns of its cases.csv, of which case, site and `NUMBERS` are always there.
        notes: one line for each folder that was left out, with the reason.
        externals: the tests of runs and bundles on cohorts that they never saw, which are in no table.
    """

    folder: Path
    runs: tuple[Run, ...]
    tables: "dict[str, pd.DataFrame]"
    notes: tuple[str, ...]
    externals: tuple[ExternalTest, ...] = ()

    def noting(self, notes: Iterable[str]) -> "Ledger":
        """Give a copy with further notes."""
        return replace(self, notes=(*self.notes, *notes))

    @property
    def task(self) -> Task:
        """What was segmented from what; all runs of a comparison have one data set."""
        return task_of(self.finished[0].record.get("data") or {} if self.finished else {})

    @property
    def cases(self) -> "pd.DataFrame":
        """All tables in one, in long form."""
        return _stacked(self.tables.values())

    @property
    def incomplete(self) -> dict[tuple[str, str], dict[Any, int]]:
        """Model and schedule -> seed of which some folds are not finished -> how many are."""
        have: dict[tuple[str, str], dict[Any, int]] = {}
        for run in self.finished:
            seeds = have.setdefault(run.entrant, {})
            seeds[run.experiment["seed"]] = seeds.get(run.experiment["seed"], 0) + 1
        short = {
            entrant: {seed: count for seed, count in seeds.items() if count < self.folds}
            for entrant, seeds in have.items()
        }
        return {entrant: seeds for entrant, seeds in short.items() if seeds}

    @property
    def partial(self) -> dict[tuple[str, str], str]:
        """Model and schedule of which no seed has all its folds -> how many are finished: not scored on all cases."""
        counted, partial = {run.entrant for run in self.counted}, {}
        for entrant, seeds in self.incomplete.items():
            if entrant not in counted:
                partial[entrant] = f"{sum(seeds.values())} of {len(seeds) * self.folds} folds"
        return partial

    @property
    def counted(self) -> list[Run]:
        """Finished runs whose seed has all its folds: what means, differences and pictures are made from."""
        short = self.incomplete
        return [run for run in self.finished if run.experiment["seed"] not in short.get(run.entrant, {})]

    @property
    def folds(self) -> int:
        """How many splits the cases are tested in: 1 without cross-validation."""
        return max((run.fact("split", "folds") or 1 for run in self.finished), default=1)

    @property
    def comparable(self) -> "pd.DataFrame":
        """The rows of `cases` that count: of each model and schedule, the seeds that were scored on every test case."""
        return _stacked(self.tables[run.name] for run in self.counted)

    @property
    def finished(self) -> list[Run]:
        """Runs whose test cases are scored: exactly those in `tables`."""
        return [run for run in self.runs if run.status == "finished"]

    @property
    def failed(self) -> list[Run]:
        """Runs that ended with an error."""
        return [run for run in self.runs if run.status == "failed"]

    @property
    def unfinished(self) -> list[Run]:
        """Runs that are at work at this moment, or were stopped before their test."""
        return [run for run in self.runs if run.status not in ("finished", "failed")]


def _stacked(tables: "Iterable[pd.DataFrame]") -> "pd.DataFrame":
    import pandas as pd

    found = list(tables)
    empty = pd.DataFrame(columns=[*EXPERIMENT_COLUMNS, "case", "site", *NUMBERS])
    stacked = pd.concat(found, ignore_index=True) if found else empty
    return stacked.astype({"seed": "Int64", "fold": "Int64"})  # the baseline has no seed
