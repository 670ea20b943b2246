"""The verb `report`: everything of a comparison again, once it is found unchanged what it was made from.

That is the run folders, the data and the folds, or, of scores alone, the copy of their file.
"""

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from headtohead.batches.folds import read_folds
from headtohead.cohort import Cohort, open_cohort
from headtohead.errors import UserError
from headtohead.options.data import DEFAULT_DATA, DataOptions
from headtohead.options.flags import as_flags
from headtohead.options.group import declarations
from headtohead.options.table import Options
from headtohead.readers.reader import Reading
from headtohead.reporting.external_alone import write_external_tables
from headtohead.reporting.margin import margin_of
from headtohead.reporting.rescoring import rescore
from headtohead.reporting.rewriting import write_held
from headtohead.reporting.scores_again import rewrite_report_of_scores
from headtohead.reporting.scores_alone import SCORES_RECORD
from headtohead.runs.agreement import refuse_unlike
from headtohead.runs.finding import only_comparison
from headtohead.runs.holding import comparison_held
from headtohead.runs.ledger import FOLD_FILE, Ledger
from headtohead.runs.reading import read_ledger
from headtohead.scoring.protocol import PROTOCOL


def report(options: Options) -> Path:
    """Carry out `--report`: write everything of a comparison again from its run folders, without training.

    Returns:
        The folder of the comparison.

    Raises:
        UserError: there is no such comparison, several and none was named, or its runs were made from other data,
            folds or another protocol.
    """
    runs_dir = Path(options.comparison.runs_dir)
    folder = runs_dir / (options.comparison.comparison or only_comparison(runs_dir))
    ledger = read_ledger(folder, agreeing=False)
    if not ledger.finished:
        if (folder / SCORES_RECORD).is_file():
            _refuse_data(folder, options.given)
            rewrite_report_of_scores(folder, margin_of(options))
            return folder
        if not ledger.runs and ledger.externals:
            with comparison_held(folder):
                return write_external_tables(read_ledger(folder))
        raise UserError(f"{folder}: no experiment is finished; resume them with `compare`")
    cohort = _cohort_of(ledger, options.data, "root_dir" in options.given)
    with comparison_held(folder):
        faults = rescore(read_ledger(folder, agreeing=False), cohort)
        ledger = read_ledger(folder, without=faults.keys())
        ledger = ledger.noting(f"{name} left out: {as_flags(fault)}" for name, fault in faults.items())
        _refuse_stale(ledger, cohort)
        write_held(folder, cohort, options.comparison.case_gifs, ledger, margin_of(options))
    return folder


def _refuse_data(folder: Path, given: Collection[str]) -> None:
    """Refuse what has no effect on the report of scores alone: how data are read, and how they are drawn."""
    useless = {"case_gifs", *(one.name for one in declarations(DataOptions))}
    for name in sorted(useless & set(given)):
        raise UserError(f"`{name}`: has no effect on {folder}, which was made of scores alone; leave it out")


def _cohort_of(ledger: Ledger, data: DataOptions, given: bool) -> Cohort | None:
    """Open `--root_dir` where it is `given`, else the data the runs were made from, if it still lies there."""
    root, kind, reading = recorded_data(ledger, data)
    if data.root_dir != DataOptions().root_dir or given:
        root = Path(data.root_dir)
    elif not root.is_dir():
        print(
            f"the data set is no longer in {root}: no pictures of cases, and no check of the data; "
            "give its folder with --root_dir"
        )
        return None
    return open_cohort(root, Path(data.cache_dir), kind, reading)


def recorded_data(ledger: Ledger, data: DataOptions) -> tuple[Path, str, Reading]:
    """Say where the runs found their data, of what kind these are, and how their files are read.

    What the command says of the files goes before what the runs say.
    """
    said = ledger.finished[0].record.get("data", {})
    kind = said.get("kind", DEFAULT_DATA)  # runs from before there were others do not say
    return Path(str(said.get("root", ""))), kind, replace(Reading.recorded(said), **Reading.of(data).given())


def _refuse_stale(ledger: Ledger, cohort: Cohort | None) -> None:
    """Refuse to report old scores under a protocol, on data or with folds that are no longer theirs.

    Raises:
        UserError: names what changed, and the fix.
    """
    first = ledger.finished[0].record
    facts = {**first, "protocol": PROTOCOL} | (
        {"data": {"key": cohort.key, "task": cohort.task.to_dict()}} if cohort else {}
    )
    alone = all(run.is_given for run in ledger.finished)
    how = "score again with `score` `overwrite`" if alone else "train and test again with `compare` `overwrite`"
    again = f"{how}, or restore what the runs were made from"
    try:
        refuse_unlike(ledger, facts)
    except UserError as difference:
        raise UserError(f"`report`: {str(difference).split('; choose')[0]}; {again}") from None
    path = ledger.folder / FOLD_FILE
    if cohort is None or not path.is_file() or not first["split"].get("plan"):
        return
    try:
        folds = read_folds(path, cohort, first["split"]["seed"])
    except UserError as fault:
        raise UserError(str(fault).replace("`fold_file` ", "")) from None
    for run in ledger.finished:
        split = run.record["split"]
        if folds.key != split["plan"]:
            raise UserError(f"`report`: {path} is not the table of folds of {run.name}: a patient was moved; {again}")
        if folds.split(cohort, run.experiment["fold"]).key != split["key"]:
            raise UserError(f"`report`: {run.name} was validated on other patients than the folds give now; {again}")
