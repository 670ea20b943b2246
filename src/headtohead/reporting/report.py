"""Everything a comparison leaves besides its run folders: tables, statistics, figures and the page, written anew."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from headtohead.batches.folds import read_folds
from headtohead.cohort import Cohort, open_cohort
from headtohead.errors import UserError
from headtohead.options import GRID, Options
from headtohead.reporting.curves import write_curves
from headtohead.reporting.findings import findings_of
from headtohead.reporting.page.report import write_report
from headtohead.reporting.pictures import Masks, write_pictures
from headtohead.reporting.table import print_table, render_latex, render_markdown
from headtohead.runs.ledger import FOLD_FILE, Ledger, read_ledger, refuse_strangers
from headtohead.saving import atomic_path, write_text
from headtohead.scoring.protocol import PROTOCOL

if TYPE_CHECKING:
    import pandas as pd

TABLES = {"results": "scores"} | {name: name for name in ("pairs", "ranks", "subgroups", "conventions")}
AGAIN = "train and test again with --compare --overwrite, or bring back what the runs were made from"


def report(options: Options) -> Path:
    """Carry out `--report`: write everything of a comparison again from its run folders, without training.

    Returns:
        The folder of the comparison.

    Raises:
        UserError: there is no such comparison, or its runs were made from other data, folds or another protocol.
    """
    folder = Path(options.comparison.runs_dir) / (options.comparison.comparison or GRID)
    ledger = read_ledger(folder)
    if not ledger.finished:
        raise UserError(f"{folder}: no experiment is finished; --compare goes on with them")
    cohort = _cohort_of(ledger, Path(options.data.cache_dir))
    _refuse_stale(ledger, cohort)
    write_reports(folder, cohort)
    return folder


def write_reports(folder: Path, cohort: Cohort | None) -> None:
    """Write and print the tables of a comparison, and, where an experiment is finished, all the rest.

    Args:
        folder: `runs/<comparison>`.
        cohort: its data; without it there are no pictures of cases.

    Raises:
        UserError: the folder is missing, or its runs may not stand in one table.
    """
    ledger = read_ledger(folder)
    write_text(folder / "results.md", render_markdown(ledger))
    write_text(folder / "results.tex", render_latex(ledger))
    _write_csv(ledger.cases, folder / "cases.csv")
    print_table(ledger)
    findings = findings_of(ledger)
    if findings is None:
        return
    for name, attribute in TABLES.items():
        _write_csv(getattr(findings, attribute), folder / f"{name}.csv", index=name == "ranks")
    masks = Masks(ledger, cohort) if cohort else None
    if not findings.curves.empty:  # the baseline has none
        write_curves(ledger)
    write_pictures(findings, folder / "figures", cohort, masks)
    page = write_report(findings, folder / "report.html", cohort, masks)
    print(f"{findings.verdict}\nreport: {page}")


def _write_csv(table: "pd.DataFrame", path: Path, index: bool = False) -> None:
    with atomic_path(path) as temporary:
        table.to_csv(temporary, index=index)


def _cohort_of(ledger: Ledger, cache: Path) -> Cohort | None:
    """Open the data the runs were made from, where it still lies; without it, the page has no pictures of cases."""
    root = Path(str(ledger.finished[0].record.get("data", {}).get("root", "")))
    if not root.is_dir():
        print(f"the data set is no longer in {root}: the report has no pictures of cases")
        return None
    return open_cohort(root, cache)


def _refuse_stale(ledger: Ledger, cohort: Cohort | None) -> None:
    """Refuse to report old scores under a protocol, on data or with folds that are no longer theirs.

    Raises:
        UserError: names what changed.
    """
    first = ledger.finished[0].record
    facts: dict[str, Any] = {**first, "protocol": PROTOCOL}
    if cohort:
        facts["data"] = {"key": cohort.key}
    path = ledger.folder / FOLD_FILE
    if cohort and path.is_file() and first["split"].get("plan"):
        plan = read_folds(path, cohort, first["split"]["seed"]).key
        facts["split"] = {**first["split"], "plan": plan}
    try:
        refuse_strangers(ledger.folder, facts, set())
    except UserError as difference:
        raise UserError(f"--report: {str(difference).split('; choose')[0]}; {AGAIN}") from None
