"""Which runs may predict files that name no run, and which of them is taken.

The rule, in this order:

1. Runs whose data set holds the files (and is of the kind that `--data` says, where it is given) are taken before all
   others, made-up patients included; among them, those that have learned something (see 2) before those that have not.
2. Else a run is a candidate if it was trained on real patients, on the kind of data that `--data` says, and has learned
   something: a validation Dice of at least `LEARNED`, where it is known. `--comparison` names runs: of those that it
   names, all are candidates.
3. Validation Dice ranks runs of one data set and one split only. Of several, that of the run that ended last is taken.
4. Of equal Dice the later run is taken, then the last by name. A run without a Dice comes last.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from headtohead.errors import UserError
from headtohead.runs.finding import trained_runs, validation_dice
from headtohead.runs.folder import RunFolder
from headtohead.trained.origin import MADE_UP, is_made_up, kind_of
from headtohead.trained.source import open_source

LEARNED = 0.1
"""Validation Dice below which a run is taken only for files of its own data, or by name: it finds almost nothing."""


@dataclass(frozen=True, eq=False)
class TrainedRun:
    """A run that holds a trained model.

    Attributes:
        folder: its folder.
        record: its run.json.
    """

    folder: RunFolder
    record: dict[str, Any]

    @property
    def name(self) -> str:
        """Comparison and run."""
        return f"{self.folder.path.parent.name}/{self.folder.path.name}"

    @property
    def model(self) -> str:
        """Its architecture; empty where no file of it says so."""
        experiment = self.record.get("experiment", {})
        if stated := experiment.get("architecture") or experiment.get("model"):
            return str(stated)
        try:
            return open_source(self.folder.path).facts.model
        except UserError:
            return ""

    @property
    def dice(self) -> float:
        """Its validation Dice; -1 where it is not known."""
        return validation_dice(self.record)

    @property
    def ended(self) -> str:
        """When its training ended, in UTC; empty where it is not known."""
        return str(self.record.get("ended") or self.record.get("started") or "")

    @property
    def ranked_with(self) -> tuple[str, str]:
        """Data set and split (of a cross-validation the table of its folds): what runs that are ranked must share."""
        data, split = self.record.get("data", {}), self.record.get("split", {})
        return str(data.get("key") or data.get("root")), str(split.get("plan") or split.get("key"))

    def fault(self, kind: str) -> str:
        """Say why it is no candidate for files of no data set of ours; empty if it is one."""
        data = self.record.get("data", {})
        if is_made_up(data, self.folder.path):
            return f"trained on {MADE_UP}"
        if kind_of(data) != kind:
            return f"trained on other data (`data={kind_of(data)}`)"
        return self.unlearned

    @property
    def unlearned(self) -> str:
        """Say that its validation Dice is that of a model that marks next to nothing; empty if not, or unknown."""
        return f"with a validation Dice below {LEARNED}" if 0 <= self.dice < LEARNED else ""


@dataclass(frozen=True)
class Ranking:
    """What the trained runs come to.

    Attributes:
        best: the run to take; None where none is a candidate.
        reason: why, in a few words; without a run, why not.
    """

    best: TrainedRun | None
    reason: str


def find_runs(runs_dir: Path, comparison: str = "") -> list[TrainedRun]:
    """List the runs that hold a trained model, of all comparisons or of one."""
    return [TrainedRun(folder, record) for folder, record in trained_runs(runs_dir, comparison).items()]


def rank(
    runs: list[TrainedRun], files: Path | None, kind: str, named: bool = False, kind_given: bool = False
) -> Ranking:
    """Choose among trained runs by the rule above.

    Files are None where they are not known yet. `named` and `kind_given` say whether the user has named the runs'
    comparison, and the kind, which then holds for runs of the files' data set as well.
    """
    own = [run for run in runs if files is not None and lies_in_data(files, run.record)]
    if kind_given:
        own = [run for run in own if kind_of(run.record.get("data", {})) == kind]
    considered = own or runs
    found = {run: run.unlearned if own else run.fault(kind) for run in considered}
    faults = {} if named else {run: fault for run, fault in found.items() if fault}
    if own and len(faults) == len(own):
        faults = {}  # better than none
    candidates = [run for run in considered if run not in faults]
    if not candidates:
        return Ranking(None, _tally(faults))
    newest = max(candidates, key=lambda run: (run.ended, run.dice, run.name))
    peers = [run for run in candidates if run.ranked_with == newest.ranked_with]
    best = max(peers, key=lambda run: (run.dice, run.ended, run.name))
    return Ranking(best, _reason(best, peers, candidates, faults, bool(own)))


def lies_in_data(files: Path, record: dict[str, Any]) -> bool:
    """Say whether a file or folder lies in the data set of a run."""
    root = record.get("data", {}).get("root")
    return bool(root) and files.resolve().is_relative_to(Path(root).resolve())


def _reason(
    best: TrainedRun, peers: list[TrainedRun], candidates: list[TrainedRun], faults: dict[TrainedRun, str], own: bool
) -> str:
    splits = len({run.ranked_with for run in candidates})
    if len(peers) == 1:
        reason = "the only trained run" if splits == 1 else "the newest trained run"
    else:
        dice = f"best validation Dice {best.dice:.3f}" if best.dice >= 0 else "no validation Dice known, the newest"
        reason = f"{dice} of {len(peers)} trained runs"
    if own:
        reason += " on this data set"
    if splits > 1:
        reason += f", the newest of {splits} data sets or splits"
    return reason + (f"; passed over: {_tally(faults)}" if faults else "")


def _tally(faults: dict[TrainedRun, str]) -> str:
    """Count why runs are skipped: `8 trained on made-up patients, 1 with a validation Dice below 0.1`."""
    counts = {fault: list(faults.values()).count(fault) for fault in faults.values()}
    return ", ".join(f"{count} {fault}" for fault, count in counts.items())
