"""Which cases are tested where there are runs: those that these were tested on."""

import numpy as np

from headtohead.batches.splits import PARTS, Split
from headtohead.cohort import Cohort
from headtohead.errors import UserError
from headtohead.records.regular import UnreadableError
from headtohead.records.table_reader import read_table
from headtohead.runs.folder import RunFolder
from headtohead.runs.ledger import Ledger
from headtohead.runs.run import Run


def splits_of_runs(ledger: Ledger, cohort: Cohort) -> list[Split]:
    """Read the splits that the finished runs of a comparison were tested on, fold by fold.

    Raises:
        UserError: of a fold no run keeps its split, or the cohort is other data than theirs.
    """
    found: dict[int, Split] = {}
    faults: dict[int, str] = {}
    for run in ledger.finished:
        fold = int(run.experiment["fold"] or 0)
        if fold not in found:
            try:
                found[fold] = _split_of(run, cohort, fold)
            except UserError as fault:
                faults[fold] = str(fault)
    if lacking := [fault for fold, fault in faults.items() if fold not in found]:
        raise UserError(lacking[0])
    return [found[fold] for fold in sorted(found)]


def _split_of(run: Run, cohort: Cohort, fold: int) -> Split:
    path, said = RunFolder(run.folder).split, run.record.get("split") or {}
    if run.fact("data", "key") != cohort.key:
        raise UserError(
            f"{run.folder}: was tested on another truth (data {str(run.fact('data', 'key'))[:8]}, now "
            f"{cohort.key[:8]}); give the truth of its comparison, or choose another `comparison`"
        )
    try:
        table = read_table(path, dtype={"case": str, "part": str}, keep_default_na=False)
        numbers = table["case"].map(dict(zip(cohort.table["case"], cohort.table["first"], strict=True)))
        places = (numbers + table["slice"].astype(int) - 1).astype(np.int64)
        parts = {part: np.sort(places[table["part"] == part].to_numpy(np.int64)) for part in PARTS}
    except FileNotFoundError:
        raise UserError(f"{run.folder}: keeps no {path.name}; delete it and make the run again") from None
    except (OSError, UnreadableError, LookupError, ValueError, TypeError) as fault:
        raise UserError(f"{path}: damaged ({fault}); delete the folder and make the run again") from fault
    split = Split(
        str(said.get("kind")),
        int(said.get("seed") or 0),
        **parts,
        fold=fold,
        folds=int(said.get("folds") or 1),
        plan=str(said.get("plan") or ""),
        source=str(said.get("source") or ""),
        site=str(said.get("site") or ""),
    )
    if split.key != said.get("key"):
        raise UserError(f"{path}: is not the split that the run was made with; restore it, or make the run again")
    return split
