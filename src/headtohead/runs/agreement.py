"""What runs must agree in before their scores may be in one table; those that do not are refused by name."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from headtohead.errors import UserError
from headtohead.options.comparison import is_baseline
from headtohead.readers.tasks import task_of
from headtohead.runs.ledger import Ledger
from headtohead.runs.run import Run

if TYPE_CHECKING:
    import pandas as pd

# What two runs must share before their scores may be in one table: name for people -> where run.json has it.
SHARED = {
    "data": ("data", "key"),
    "targets": ("data", "task", "targets"),
    "split": ("split", "key"),
    "protocol": ("protocol",),
}
# What the runs of one entrant must share besides: they are its repeats. Entrants may differ in it; reports say so.
INPUT = ("recipe",)
NET = ("net", "sha256")  # of a net of a file
# The splits of a cross-validation differ from fold to fold; what they share is the table of folds.
FOLDS = ("split", "plan")


def refuse_mixture(ledger: Ledger) -> None:
    """Finished runs may be in one table only if they share data, split and protocol.

    Raises:
        UserError: names two runs and what differs.
    """
    for run in ledger.finished[1:]:
        first = ledger.finished[0]
        differing = {name: _difference(*(_shared(one, name) for one in (first, run))) for name in SHARED}
        differing = {name: difference for name, difference in differing.items() if difference}
        if differing:
            shown = "; ".join(f"{name}: {difference}" for name, difference in differing.items())
            raise UserError(
                f"{ledger.folder}: {first.name} and {run.name} differ in {' and '.join(differing)} ({shown}); "
                "their scores cannot be in one table: move one of them away, or use another `comparison`"
            )


def refuse_other_input(ledger: Ledger) -> None:
    """Seeds and folds are repeats of one experiment: trained on other input, their mean would be of nothing."""
    first_of: dict[tuple[str, str], Run] = {}
    for run in ledger.finished:
        first = first_of.setdefault(run.entrant, run)
        if not is_baseline(run.entrant[0]) and (difference := _difference(*(one.fact(*INPUT) for one in (first, run)))):
            raise UserError(
                f"{ledger.folder}: {first.name} and {run.name} are of one entrant but differ in input ({difference}): "
                "train one of them again with `overwrite`, or use another `comparison`"
            )
        if difference := _difference(*(one.fact(*NET) for one in (first, run))):
            raise UserError(
                f"{ledger.folder}: {first.name} and {run.name} are of one entrant but of other content of its file "
                f"({difference}): train one of them again with `overwrite`, or use another `comparison`"
            )


def refuse_other_cases(ledger: Ledger) -> None:
    """One split has one set of test cases: a table that was cut short would compare unlike with unlike."""
    first_of: dict[Any, Run] = {}
    for run in ledger.finished:
        first = first_of.setdefault(run.experiment["fold"], run)
        if difference := _difference(*(one.fact(*SHARED["split"]) for one in (first, run))):
            raise UserError(
                f"{ledger.folder}: {first.name} and {run.name} are of one fold but not of one split ({difference}): "
                "train one of them again with `overwrite`, or use another `comparison`"
            )
        differing = _scored(ledger.tables[first.name]) ^ _scored(ledger.tables[run.name])
        if differing:
            raise UserError(
                f"{ledger.folder}: {first.name} and {run.name} have the same split but not the same test cases "
                f"({', '.join(sorted(differing)[:3])}): delete the folder with the wrong cases.csv and run it again"
            )


def _scored(table: "pd.DataFrame") -> set[str]:
    """Name the cases of a table and, of several, their targets."""
    if "target" not in table:
        return set(table["case"])
    return {f"{case}: {target}" for case, target in zip(table["case"], table["target"], strict=True)}


def refuse_unlike(
    ledger: Ledger, facts: dict[str, Any], repeats: Mapping[tuple[str, str], dict[str, Any]] | None = None
) -> None:
    """Refuse new runs that could not share a table with the finished runs of a ledger, which stay.

    Facts are what run.json of all new runs will say; repeats, of each entrant, model and schedule, that will have new
    runs, what it will say of their recipe and net.

    Raises:
        UserError: names a run and what differs.
    """
    planned = Run(ledger.folder, facts, "planned")
    for run in ledger.finished:
        differing = {name: _difference(_shared(run, name), _shared(planned, name)) for name in SHARED}
        if repeats and run.entrant in repeats:
            wanted = Run(ledger.folder, repeats[run.entrant], "planned")
            differing["input"] = _difference(run.fact(*INPUT), wanted.fact(*INPUT))
            differing["the content of its file"] = _difference(run.fact(*NET), wanted.fact(*NET))
        for name, difference in differing.items():
            if difference:
                raise UserError(
                    f"{run.folder}: differs in {name} from what is asked for ({difference}); "
                    "choose another `comparison`, or move that run away"
                )


def may_stand_together(one: Run, other: Run) -> bool:
    """Say whether two runs may be in one table: equal in what all share, and not two tries of one experiment."""
    if one.experiment == other.experiment:
        return False
    places = (INPUT, NET) if one.entrant == other.entrant else ()
    alike = all(one.fact(*place) == other.fact(*place) for place in places)
    return alike and all(_shared(one, name) == _shared(other, name) for name in SHARED)


def _difference(one: Any, other: Any) -> str:
    """Say how two values of run.json differ; of two tables, only the entries that do. Empty if they are equal."""
    if isinstance(one, dict) and isinstance(other, dict):
        keys = [key for key in one | other if one.get(key) != other.get(key)]
        return ", ".join(f"{key} {one.get(key)} against {other.get(key)}" for key in keys)
    return "" if one == other else f"{one} against {other}"


def _shared(run: Run, name: str) -> Any:
    """What must be equal between runs; the table of folds stands for the split where there is one."""
    if name == "targets":  # older runs do not name them
        return task_of(run.fact("data") or {}).targets.labelling
    return (run.fact(*FOLDS) if name == "split" else None) or run.fact(*SHARED[name])
