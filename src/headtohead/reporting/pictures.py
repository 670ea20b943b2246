"""The pictures of a comparison: Dice of every case as bars, plates of test cases, and cases that scroll."""

from pathlib import Path

from headtohead.cohort import Cohort
from headtohead.drawing.animation import write_case_gif, write_plate_gif
from headtohead.drawing.outlines import hexadecimal
from headtohead.drawing.plate import cases_to_draw, write_plate
from headtohead.models.forms import folder_part
from headtohead.options.comparison import is_baseline
from headtohead.reporting.case_gifs import write_all_case_gifs
from headtohead.reporting.case_names import short_names
from headtohead.reporting.dice_bars import write_dice_bars
from headtohead.reporting.entrant_names import in_words
from headtohead.reporting.failures import write_failures
from headtohead.reporting.findings import Findings, shown_seed
from headtohead.reporting.masks import Masks, name_with_seed, segmented_case

CASES = "cases"  # below figures


def write_pictures(
    findings: Findings,
    folder: Path,
    cohort: Cohort | None,
    masks: Masks | None,
    case_gifs: str = "few",
    mark: str = "",
) -> None:
    """Write the figures of a comparison.

    Writes `dice.png`; and where the data is at hand, for each model and schedule `plate-<name>.png` and `.gif` of up
    to 15 cases from its worst to its best, `failures.png` of the cases that no model segmented well, and
    `case-<worst|median|best>.gif`, all entrants side by side.

    Args:
        findings: what was found.
        folder: where to.
        cohort: the data.
        masks: the predictions.
        case_gifs: `few`; `all` for `cases/<case>.gif` of every case as well; `none` for no case that scrolls.
        mark: what the files of every case carry, from `case_gifs.mark_of`.
    """
    colours = {one.name: hexadecimal(one.colour) for one in findings.targets.all}
    dots = {name: (found.matrix, colours[name]) for name, found in findings.by_target.items()}
    write_dice_bars(findings.matrix, folder / "dice.png", dots)
    if cohort is None or masks is None:
        return
    short = short_names(findings.matrix.index)
    entrants = [name for name in findings.matrix.columns if not is_baseline(name)]
    for name in entrants:
        chosen = cases_to_draw(findings.matrix[name])
        scans = [scan for case in chosen if (scan := segmented_case(cohort, masks, name, case, short[case]))]
        if scans:
            stem = f"plate-{folder_part(name)}"
            title = f"{findings.title}: {in_words(name)}, test cases from worst to best"
            if shown := shown_seed(findings.cases, name, chosen[0]):  # where the order is that of the mean over seeds
                title += f" by mean over seeds; outlines and Dice of seed {shown[0]}"
            write_plate(scans, folder / f"{stem}.png", title)
            write_plate_gif(scans, folder / f"{stem}.gif", title)
    write_failures(findings, folder, cohort, masks)
    if case_gifs == "none":
        return
    ranked = cases_to_draw(findings.matrix[entrants].mean(axis=1), most=3) if entrants else []
    for word, case in zip(("worst", "median", "best")[: len(ranked)], ranked, strict=True):
        captions = {name: name_with_seed(findings, name, case) for name in entrants}
        scans = [scan for name in entrants if (scan := segmented_case(cohort, masks, name, case, captions[name]))]
        if scans:
            write_case_gif(scans, folder / f"case-{word}.gif", f"{short[case]}, the {word} case")
    if case_gifs == "all":
        write_all_case_gifs(findings, folder / CASES, cohort, masks, mark)
