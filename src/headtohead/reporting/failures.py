"""The cases that no model segmented well: each with the outline of its best model, worst first."""

from pathlib import Path

from headtohead.cohort import Cohort
from headtohead.drawing.plate import COLUMNS, ROWS, write_plate
from headtohead.options.comparison import baselines
from headtohead.plurals import count_of
from headtohead.reporting.case_names import short_names
from headtohead.reporting.entrant_names import in_words
from headtohead.reporting.findings import Findings
from headtohead.reporting.masks import Masks, name_with_seed, segmented_case
from headtohead.reporting.page.wording import score
from headtohead.scoring.counts import FAILED_BELOW

PAGES = 4
STEM = "failures"


def failures(findings: Findings) -> list[tuple[str, str]]:
    """List the cases whose best model stays below `FAILED_BELOW`, the worst first, each with that model.

    Returns:
        (case, entrant) pairs. The baseline does not count, nor does a case without a Dice.
    """
    models = findings.matrix.drop(columns=baselines(findings.matrix))
    if models.empty:
        return []
    best = models.max(axis=1).dropna().sort_values(kind="stable")
    return [(str(case), str(models.loc[case].idxmax())) for case in best.index[best < FAILED_BELOW]]


def write_failures(findings: Findings, folder: Path, cohort: Cohort, masks: Masks) -> None:
    """Write `failures.png`, and `failures-2.png` and so on where one page does not hold all; of more, the worst.

    Below each case stand the Dice of all models, so that one sees whether they fail together. There is no file where no
    case failed, or no prediction of one was kept.
    """
    found = failures(findings)
    names = short_names(findings.matrix.index)
    scans = []
    for case, best in found:
        row = findings.matrix.loc[case].drop(baselines(findings.matrix))
        notes = tuple(f"{in_words(entrant)} {score(value)}" for entrant, value in row.items())
        caption = f"{names[case]} ({name_with_seed(findings, best, case)})"
        if scan := segmented_case(cohort, masks, best, case, caption, notes):
            scans.append(scan)
    room = COLUMNS * ROWS
    pages = [scans[start : start + room] for start in range(0, len(scans), room)]
    for number, page in enumerate(pages[:PAGES], start=1):
        cases = count_of(len(found), "case")
        title = f"{findings.title}: {cases} below {FAILED_BELOW:g} in every model, with the best outline"
        if len(pages) > 1:
            title += f"; {number} of {len(pages)}" + (f", {PAGES} drawn" if len(pages) > PAGES else "")
        write_plate(page, folder / (f"{STEM}.png" if number == 1 else f"{STEM}-{number}.png"), title)
