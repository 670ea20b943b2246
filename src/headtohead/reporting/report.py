"""Everything a comparison leaves besides its run folders: tables, statistics, figures and the page, rewritten."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from headtohead.batches.folds import read_folds
from headtohead.cohort import Cohort, open_cohort
from headtohead.disk_faults import told
from headtohead.errors import UserError, printable
from headtohead.options.comparison import MARGIN, is_baseline
from headtohead.options.data import DEFAULT_DATA, DataOptions
from headtohead.options.flags import as_flags
from headtohead.options.settling import settle
from headtohead.options.table import OPTIONS, ChoiceOptions, Options
from headtohead.plurals import count_of
from headtohead.readers.reader import Reading
from headtohead.records.json_reader import read_json
from headtohead.records.regular import UnreadableError
from headtohead.reporting.agreement_of_entrants import agreement_of
from headtohead.reporting.case_gifs import mark_of, remove_earlier_case_gifs
from headtohead.reporting.curves import write_curves
from headtohead.reporting.external import external_of, outdated, with_external
from headtohead.reporting.external_alone import write_external_tables
from headtohead.reporting.failures import STEM
from headtohead.reporting.findings import Findings, findings_of
from headtohead.reporting.masks import Masks
from headtohead.reporting.page.writing import write_report
from headtohead.reporting.pictures import CASES, write_pictures
from headtohead.reporting.rescoring import rescore
from headtohead.reporting.summary import Summary, summarise
from headtohead.reporting.table import print_results, render_latex, render_markdown
from headtohead.runs.agreement import refuse_unlike
from headtohead.runs.finding import only_comparison
from headtohead.runs.folder import RunFolder
from headtohead.runs.holding import comparison_held
from headtohead.runs.ledger import FIGURES, FOLD_FILE, Ledger
from headtohead.runs.reading import read_ledger, read_ledger_around
from headtohead.saving import sync, temporary_folder, write_table, write_text
from headtohead.scoring.protocol import PROTOCOL

WITHOUT_LESION, AGREEMENT = "without_lesion", "agreement"
TABLES = {"cases": "tested_cases", "results": "scores", "subgroup_pairs": "subgroup_pairs"}
TABLES |= {name: name for name in ("ranks", "subgroups", "conventions", "slices", "parts", WITHOUT_LESION, AGREEMENT)}
TABLES |= {"pairs": "tested", "costs": "costs", "external": "external_scores", "populations": "populations"}
SOMETIMES = (WITHOUT_LESION, AGREEMENT, "costs", "external", "populations")
"""The tables that are not written where they would be empty."""
PAGE, VERDICT = "report.html", "verdict.txt"
SCORES_RECORD = "scores.json"
UNCHECKED = "The data set was not available, so it was not checked whether data or folds have changed since the runs."


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
            of = f"made of scores alone ({_scores_file(folder)})"
            raise UserError(f"{folder}: {of}; run `score` with `scores` and that file again")
        if not ledger.runs and ledger.externals:
            with comparison_held(folder):
                return write_external_tables(read_ledger(folder))
        raise UserError(f"{folder}: no experiment is finished; resume them with `compare`")
    cohort = _cohort_of(ledger, options.data, "root_dir" in options.given)
    with comparison_held(folder):
        faults = rescore(read_ledger(folder, agreeing=False), cohort)
        ledger = read_ledger(folder, without=faults.keys())
        ledger = _noting(ledger, [f"{name} left out: {as_flags(fault)}" for name, fault in faults.items()])
        _refuse_stale(ledger, cohort)
        write_held(folder, cohort, options.comparison.case_gifs, ledger, margin_of(options))
    return folder


def _scores_file(folder: Path) -> str:
    """Name the file that the scores are from, as far as the record says it."""
    try:
        return printable(str(read_json(folder / SCORES_RECORD)["file"]))
    except (OSError, UnreadableError, LookupError, TypeError):
        return f"{SCORES_RECORD} is damaged"


def margin_of(options: ChoiceOptions) -> float | None:
    """Give the margin of the command; None where it is left at its default."""
    margin = options.comparison.margin
    return None if margin == MARGIN and "margin" not in options.given else margin


def declared_margin(margin: float | None, ledger: Ledger) -> tuple[float, list[str]]:
    """Find the margin of equivalence: that of the command, as `margin_of` gives it, else that of the runs.

    Returns:
        The margin, and a warning where the models were trained under another one.
    """
    found, unread = set(), []
    for run in ledger.finished:
        folder = RunFolder(run.folder)
        if isinstance(said := run.record.get("margin"), float):  # of masks as given, which have no config.yaml
            found.add(said)
        try:
            if config := folder.read_config():
                found.add(settle(OPTIONS["margin"], config.get("margin", MARGIN), f"{folder.config}: margin"))
        except UserError:
            unread.append(
                f"{folder.config.name} of {run.name} is damaged: the margin it was trained under is not known."
            )
    declared = sorted(found)
    if margin is None and len(declared) == 1:
        return declared[0], unread
    margin = MARGIN if margin is None else margin
    others = ", ".join(f"{one:g}" for one in declared if one != margin)
    if not others:
        return margin, unread
    return margin, [
        *unread,
        f"The margin of equivalence is {margin:g} here, but --margin {others} was declared when the models were "
        "trained: a margin chosen after the results are seen proves nothing.",
    ]


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
    ledger = _noting(ledger, masks.notes if masks else ())
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


def _noting(ledger: Ledger, notes: Sequence[str]) -> Ledger:
    return replace(ledger, notes=(*ledger.notes, *notes))


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
