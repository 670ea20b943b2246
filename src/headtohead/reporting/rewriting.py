"""Everything a comparison leaves besides its run folders: tables, statistics, figures and the page, rewritten."""

from dataclasses import replace
from pathlib import Path

from headtohead.cohort import Cohort
from headtohead.disk_faults import told
from headtohead.options.checks import FIGURES
from headtohead.options.comparison import is_baseline
from headtohead.plurals import count_of
from headtohead.reporting.agreement_of_entrants import agreement_of
from headtohead.reporting.case_gifs import mark_of, remove_earlier_case_gifs
from headtohead.reporting.curves import write_curves
from headtohead.reporting.external import external_of, outdated, with_external
from headtohead.reporting.failures import STEM
from headtohead.reporting.findings import Findings, findings_of
from headtohead.reporting.margin import declared_margin
from headtohead.reporting.masks import Masks
from headtohead.reporting.page.writing import write_report
from headtohead.reporting.pictures import CASES, write_pictures
from headtohead.reporting.summary import Summary, summarise
from headtohead.reporting.table import print_results, render_latex, render_markdown
from headtohead.runs.holding import comparison_held
from headtohead.runs.ledger import Ledger
from headtohead.runs.reading import read_ledger, read_ledger_around
from headtohead.saving import sync, temporary_folder, write_table, write_text

ALWAYS = ("ranks", "subgroups", "subgroup_pairs", "conventions", "slices", "parts")
SOMETIMES = ("without_lesion", "agreement", "costs", "external", "populations")
"""The tables that are not written where they would be empty."""
TABLES = {name: name for name in (*ALWAYS, *SOMETIMES)}
TABLES |= {"cases": "tested_cases", "results": "scores", "pairs": "tested", "external": "external_scores"}
"""Name of the file -> of the findings' table."""
PAGE, VERDICT = "report.html", "verdict.txt"
UNCHECKED = "The data set was not available, so it was not checked whether data or folds have changed since the runs."


def write_reports(folder: Path, cohort: Cohort | None, case_gifs: str = "few", margin: float | None = None) -> None:
    """Write what `write_held` does, once no other command is writing it: its runs are read after the wait."""
    read_ledger(folder)  # refuses a folder that is missing, before a lock is made beside it
    with comparison_held(folder):
        write_held(folder, cohort, case_gifs, read_ledger(folder), margin)


def write_held(folder: Path, cohort: Cohort | None, case_gifs: str, ledger: Ledger, margin: float | None) -> None:
    """Write and print the tables of a comparison, and, where an entrant was scored on every case, all the rest.

    All is written aside and moved into place at the end, and what an earlier report left and this one does not write
    is removed then: no file stands beside another that says something else, and a report that fails changes nothing.
    Only the GIFs of every case stay, where they show what they would show now. The caller holds the comparison.

    Args:
        folder: `runs/<comparison>`.
        cohort: its data; without it there are no pictures of cases.
        case_gifs: which cases scroll, as `pictures.write_pictures` takes it.
        ledger: of the folder.
        margin: the difference in mean Dice that is too small to matter, as `margin_of` gives it.

    Raises:
        UserError: its runs may not be in one table, or a file of a run is broken.
    """
    unchecked = [] if cohort else [UNCHECKED]
    masks = Masks(ledger, cohort) if cohort else None
    ledger = ledger.noting(masks.notes if masks else ())
    margin, changed = declared_margin(margin, ledger)
    findings = findings_of(ledger, changed + unchecked, margin)
    if findings and findings.given and masks:
        names = [name for name in findings.matrix if not is_baseline(name)]
        cases = list(dict.fromkeys(map(str, findings.cases["case"])))
        findings = replace(findings, agreement=agreement_of(names, cases, masks))
    mark = mark_of(findings, ledger) if findings else ""
    summary = _summary(ledger)
    print_results(summary)
    with temporary_folder(folder) as new:
        write_tables(new, summary, findings)
        if findings:
            if len(findings.curves):
                write_curves(ledger, new / FIGURES)
            write_pictures(findings, new / FIGURES, cohort, masks, case_gifs, mark)
            write_report(findings, new / PAGE, cohort, masks)
        remove_earlier(folder)
        cases = [str(case) for case in findings.matrix.index] if findings else []
        gone = remove_earlier_case_gifs(folder / FIGURES / CASES, cases, "" if case_gifs == "none" else mark)
        move_into(new, folder)
    if gone and case_gifs == "few":
        print(
            f"{folder / FIGURES / CASES}: removed {count_of(gone, 'GIF')} of earlier masks; --case_gifs all draws "
            "them again"
        )
    if findings:
        print(f"{findings.verdict}\nreport: {folder / PAGE}")


def write_row(run_folder: Path) -> None:
    """Print the table of a run that has just been tested, beside the runs of its comparison that it compares with.

    It is written as results.md, unless the comparison has a report: its other files would say something else.
    """
    folder = run_folder.parent
    with comparison_held(folder):
        summary = _summary(read_ledger_around(run_folder))
        print_results(summary)
        if (folder / PAGE).is_file():
            print(f"{folder / PAGE} does not have this test yet: --report --comparison {folder.name} rewrites it")
            return
        write_text(folder / "results.md", render_markdown(summary), lasting=True)
    print(f"table: {folder / 'results.md'}")


def _summary(ledger: Ledger) -> Summary:
    return with_external(summarise(ledger), external_of(ledger), outdated(ledger))


def remove_earlier(folder: Path) -> None:
    """Remove what an earlier report wrote, but for the GIFs of every case: these names and no others."""
    names = [f"{name}.csv" for name in TABLES] + [PAGE, VERDICT, f"{FIGURES}/curves.png", f"{FIGURES}/dice.png"]
    patterns = [f"plate-*.{kind}" for kind in ("png", "gif")] + ["case-*.gif", f"{STEM}*.png"]
    figures = [path for one in patterns for path in (folder / FIGURES).glob(one)]
    for path in [*(folder / name for name in names), *figures]:
        path.unlink(missing_ok=True)


def move_into(new: Path, folder: Path) -> None:
    """Bring the files below `new` to the same places below `folder`."""
    for path in sorted(path for path in new.rglob("*") if path.is_file()):
        target = folder / path.relative_to(new)
        with told(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            if target.parent == folder:  # tables and page last; figures can be drawn again
                sync(path)
            path.replace(target)
    sync(folder)


def write_tables(folder: Path, summary: Summary, findings: Findings | None) -> None:
    """Write the summary as results.md and results.tex; of findings, if there are any, tables as CSV and the verdict."""
    write_text(folder / "results.md", render_markdown(summary))
    write_text(folder / "results.tex", render_latex(summary))
    tables = {name: getattr(findings, attribute) for name, attribute in TABLES.items()} if findings else {}
    for name, table in tables.items():
        if name in SOMETIMES and table.empty:
            continue
        write_table(folder / f"{name}.csv", table, index=name == "ranks")
    if findings:
        write_text(folder / VERDICT, f"{findings.verdict}\n")
