"""The ledger: what a comparison knows about its experiments. It is kept nowhere; the run folders are read each time."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headtohead.errors import UserError

if TYPE_CHECKING:
    import pandas as pd

BASELINE = "flair-threshold"  # model and folder name of the run that learns no weights
EXPERIMENT_COLUMNS = ["model", "schedule", "seed", "fold"]
COUNTS = ["tp", "fp", "fn"]
SCORES = ["dice", "iou", "precision", "recall"]
NUMBERS = [*SCORES, *COUNTS]  # what every cases.csv has; surface and lesion scores come on top
EDITED = 1e-6  # a Dice this far from what its counts give was not written by us
TEXTS = ["case", "patient", "site", "grade", "missing"]
FOLD_FILE = "folds.csv"  # which fold tests which case, in the comparison's folder
FIGURES = "figures"  # the one folder of a comparison that is not a run
# What two runs must share before their scores may stand in one table: name for people -> where run.json has it.
SHARED = {"data": ("data", "key"), "split": ("split", "key"), "protocol": ("protocol",)}
# What the runs of one entrant must share besides: they are its repeats. Entrants may differ in it; reports say so.
INPUT = ("recipe",)
# The splits of a cross-validation differ from fold to fold; what they share is the table of folds.
FOLDS = ("split", "plan")


@dataclass(frozen=True)
class Run:
    """One run folder.

    Attributes:
        folder: where it is.
        record: its run.json.
        status: running, trained, finished or failed.
    """

    folder: Path
    record: dict[str, Any]
    status: str

    @property
    def name(self) -> str:
        """The folder's name, by which a user can find the run."""
        return self.folder.name

    @property
    def experiment(self) -> dict[str, Any]:
        """Model, schedule, seed and fold."""
        return {column: self.record["experiment"].get(column) for column in EXPERIMENT_COLUMNS}

    @property
    def entrant(self) -> tuple[str, str]:
        """Model and schedule: what is compared, over all seeds and folds."""
        return str(self.experiment["model"]), str(self.experiment["schedule"])


@dataclass(frozen=True)
class Ledger:
    """What the run folders of one comparison say.

    Attributes:
        folder: the comparison's folder.
        runs: every readable run, by folder name.
        tables: for each finished run, by its name, one row per test case: model, schedule, seed (missing for the
            baseline), fold, then the columns of its cases.csv, of which case, site and `NUMBERS` are always there.
        notes: one line for each folder that was left out, with the reason.
    """

    folder: Path
    runs: tuple[Run, ...]
    tables: "dict[str, pd.DataFrame]"
    notes: tuple[str, ...]

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
        return max((_dig(run, ("split", "folds")) or 1 for run in self.finished), default=1)

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


def read_ledger(comparison_folder: Path, without: frozenset[str] | set[str] = frozenset()) -> Ledger:
    """Read all run folders of a comparison.

    Args:
        comparison_folder: `runs/<comparison>`.
        without: names of run folders to pass over.

    Returns:
        The ledger. Half-written and foreign folders are left out, each with a note.

    Raises:
        UserError: if the folder is missing, or finished runs differ in data, split or protocol.
    """
    folder = Path(comparison_folder)
    if not folder.is_dir():
        raise UserError(f"{folder}: no such comparison; run --compare first, or name another with --comparison")
    runs: list[Run] = []
    tables: dict[str, pd.DataFrame] = {}
    notes: list[str] = []
    for run_folder in sorted(path for path in folder.iterdir() if _may_be_run(path) and path.name not in without):
        try:
            run = _read_run(run_folder)
            if run.status == "finished":
                _refuse_twin(run, [other for other in runs if other.name in tables])
                tables[run.name] = _read_cases(run)
            runs.append(run)
        except _LeftOutError as reason:
            notes.append(f"{run_folder.name} left out: {reason}")
    ledger = Ledger(folder, tuple(runs), tables, tuple(notes))
    _refuse_mixture(ledger)
    _refuse_other_input(ledger)
    _refuse_other_cases(ledger)
    return ledger


class _LeftOutError(Exception):
    """Why a folder is left out, in a few words."""


def _may_be_run(path: Path) -> bool:
    return path.is_dir() and path.name != FIGURES and not path.name.startswith(".")


def _read_run(folder: Path) -> Run:
    try:
        record = json.loads((folder / "run.json").read_text(encoding="utf-8"))
        run = Run(folder, record, record["status"])
        if not isinstance(run.experiment["model"], str):
            raise TypeError
    except FileNotFoundError:
        raise _LeftOutError("it has no run.json") from None
    except (OSError, ValueError, TypeError, LookupError, AttributeError):
        raise _LeftOutError("its run.json is not that of a run") from None
    return run


def _refuse_twin(run: Run, counted: list[Run]) -> None:
    for other in counted:
        if other.experiment == run.experiment:
            raise _LeftOutError(f"it is the same experiment as {other.name}, which is counted already")


def _read_cases(run: Run) -> "pd.DataFrame":
    import pandas as pd

    try:
        # Only an empty number is missing: a site may well be called NA.
        path = run.folder / "cases.csv"
        columns = pd.read_csv(path, nrows=0).columns
        texts = [column for column in columns if column in TEXTS]
        numbers = {column: float for column in columns if column not in TEXTS} | dict.fromkeys(COUNTS, int)
        missing = {column: [""] for column in numbers}
        table = pd.read_csv(path, keep_default_na=False, na_values=missing, dtype=dict.fromkeys(texts, str))
        table = table.astype(numbers)
        table[["case", "site", *NUMBERS]]  # KeyError if one is not there
        if table.empty:
            raise ValueError
        _refuse_made_up(table)
    except (OSError, ValueError, KeyError):
        raise _LeftOutError(
            "it says finished, but its cases.csv is missing or broken; delete the folder and run it again"
        ) from None
    for place, column in enumerate(EXPERIMENT_COLUMNS):
        table.insert(place, column, run.experiment[column])
    return table


def _refuse_made_up(table: "pd.DataFrame") -> None:
    """Dice follows from the counts, and a case is scored once; a table that says otherwise was edited."""
    double = 2 * table["tp"]
    follows = (double / (double + table["fp"] + table["fn"])).sub(table["dice"]).abs() < EDITED
    if not (follows | table["dice"].isna()).all() or table["case"].duplicated().any():
        raise _LeftOutError(
            "its cases.csv was edited: a case is there twice, or a Dice does not follow from its counts"
        )


def _refuse_mixture(ledger: Ledger) -> None:
    for run in ledger.finished[1:]:
        first = ledger.finished[0]
        differing = {name: _difference(*(_shared(one, name) for one in (first, run))) for name in SHARED}
        differing = {name: difference for name, difference in differing.items() if difference}
        if differing:
            shown = "; ".join(f"{name}: {difference}" for name, difference in differing.items())
            raise UserError(
                f"{ledger.folder}: {first.name} and {run.name} differ in {' and '.join(differing)} ({shown}); "
                "their scores cannot stand in one table: move one of them away, or use another --comparison"
            )


def _refuse_other_input(ledger: Ledger) -> None:
    """Seeds and folds are repeats of one experiment: trained on other input, their mean would be of nothing."""
    first_of: dict[tuple[str, str], Run] = {}
    for run in ledger.finished:
        first = first_of.setdefault(run.entrant, run)
        if run.entrant[0] != BASELINE and (difference := _difference(*(_dig(one, INPUT) for one in (first, run)))):
            raise UserError(
                f"{ledger.folder}: {first.name} and {run.name} are of one entrant but differ in input ({difference}): "
                "train one of them again with --overwrite, or use another --comparison"
            )


def _refuse_other_cases(ledger: Ledger) -> None:
    """One split has one set of test cases: a table that was cut short would compare unlike with unlike."""
    first_of: dict[Any, Run] = {}
    for run in ledger.finished:
        first = first_of.setdefault(run.experiment["fold"], run)
        if difference := _difference(*(_dig(one, SHARED["split"]) for one in (first, run))):
            raise UserError(
                f"{ledger.folder}: {first.name} and {run.name} are of one fold but not of one split ({difference}): "
                "train one of them again with --overwrite, or use another --comparison"
            )
        differing = set(ledger.tables[first.name]["case"]) ^ set(ledger.tables[run.name]["case"])
        if differing:
            raise UserError(
                f"{ledger.folder}: {first.name} and {run.name} have the same split but not the same test cases "
                f"({', '.join(sorted(differing)[:3])}): delete the folder with the wrong cases.csv and run it again"
            )


def refuse_strangers(
    comparison_folder: Path,
    facts: dict[str, Any],
    replaced: set[str],
    inputs: Mapping[tuple[str, str], Any] | None = None,
) -> None:
    """Refuse to add runs to a comparison whose finished runs they could not stand in one table with.

    Args:
        comparison_folder: `runs/<comparison>`; it need not exist.
        facts: what run.json of the new runs will say.
        replaced: names of runs that will be made anew.
        inputs: the recipe of each entrant, model and schedule, that will have new runs.

    Raises:
        UserError: names a run and what differs.
    """
    if comparison_folder.is_dir():
        refuse_unlike(read_ledger(comparison_folder, without=replaced), facts, inputs)


def refuse_unlike(ledger: Ledger, facts: dict[str, Any], inputs: Mapping[tuple[str, str], Any] | None = None) -> None:
    """Refuse where a finished run of a ledger is not made as `facts` say; see `refuse_strangers`.

    Raises:
        UserError: names a run and what differs.
    """
    planned = Run(ledger.folder, facts, "planned")
    for run in ledger.finished:
        differing = {name: _difference(_shared(run, name), _shared(planned, name)) for name in SHARED}
        if wanted := (inputs or {}).get(run.entrant):
            differing["input"] = _difference(_dig(run, INPUT), wanted)
        for name, difference in differing.items():
            if difference:
                raise UserError(
                    f"{run.folder}: differs in {name} from what is asked for ({difference}); "
                    "choose another --comparison, or move that run away"
                )


def _difference(one: Any, other: Any) -> str:
    """Say how two values of run.json differ; of two tables, only the entries that do. Empty if they are equal."""
    if isinstance(one, dict) and isinstance(other, dict):
        keys = [key for key in one | other if one.get(key) != other.get(key)]
        return ", ".join(f"{key} {one.get(key)} against {other.get(key)}" for key in keys)
    return "" if one == other else f"{one} against {other}"


def _shared(run: Run, name: str) -> Any:
    """What must be equal between runs; the table of folds stands for the split where there is one."""
    return (_dig(run, FOLDS) if name == "split" else None) or _dig(run, SHARED[name])


def _dig(run: Run, path: tuple[str, ...]) -> Any:
    value: Any = run.record
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value
