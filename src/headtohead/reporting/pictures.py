"""The pictures of a comparison: Dice of every case as bars, plates of test cases, and cases that scroll."""

from pathlib import Path

import numpy as np

from headtohead.cohort import Cohort
from headtohead.reporting.animation import write_case_gif, write_plate_gif
from headtohead.reporting.case_names import short_names
from headtohead.reporting.dice_bars import write_dice_bars
from headtohead.reporting.findings import Findings, entrant_of
from headtohead.reporting.plate import Scan, choose_cases, write_plate
from headtohead.runs.folder import RunFolder
from headtohead.runs.ledger import BASELINE, Ledger
from headtohead.scoring.prediction_files import read_mask


class Masks:
    """The predicted masks of a comparison, read case by case from its run folders."""

    def __init__(self, ledger: Ledger, cohort: Cohort) -> None:
        """Note which run predicted which case; of several seeds, the first."""
        self.table = cohort.table.set_index("case")
        self.files: dict[tuple[str, str], Path] = {}
        for run in ledger.finished:
            scored = ledger.tables[run.name]
            for case, slices in zip(scored["case"], scored.get("slices", []), strict=False):
                if slices == self.table.loc[case, "slices"]:  # under a split by slice, a case has only some
                    self.files.setdefault((entrant_of(run), case), RunFolder(run.folder).masks)

    def __call__(self, entrant: str, case: str) -> np.ndarray | None:
        """Give a prediction.

        Returns:
            bool [slices, H, W]; None where the entrant predicted only some slices of the case, or kept no masks.

        Raises:
            UserError: the file of masks is damaged.
        """
        path = self.files.get((entrant, case))
        if path is None or not path.is_file():
            return None
        return read_mask(path, case, tuple(self.table.loc[case, ["slices", "height", "width"]]))


def write_pictures(findings: Findings, folder: Path, cohort: Cohort | None, masks: Masks | None) -> None:
    """Write the figures of a comparison.

    Writes `dice.png`; and where the data is at hand, for each model and schedule `plate-<name>.png` and `.gif` of up
    to 15 cases from its worst to its best, and `case-<worst|median|best>.gif`, all entrants side by side.

    Args:
        findings: what was found.
        folder: where to.
        cohort: the data.
        masks: the predictions.
    """
    write_dice_bars(findings.cases, folder / "dice.png")
    if cohort is None or masks is None:
        return
    short = short_names(findings.matrix.index)
    entrants = [name for name in findings.matrix.columns if name != BASELINE]
    for name in entrants:
        chosen = choose_cases(findings.matrix[name])
        scans = [scan for case in chosen if (scan := _scan(cohort, masks, name, case, short[case]))]
        if scans:
            stem, title = f"plate-{name.replace(' ', '-')}", f"{findings.title}: {name}, test cases from worst to best"
            write_plate(scans, folder / f"{stem}.png", title)
            write_plate_gif(scans, folder / f"{stem}.gif", title)
    ranked = choose_cases(findings.matrix[entrants].mean(axis=1), most=3) if entrants else []
    for word, case in zip(("worst", "median", "best")[: len(ranked)], ranked, strict=True):
        scans = [scan for name in entrants if (scan := _scan(cohort, masks, name, case, name))]
        if scans:
            write_case_gif(scans, folder / f"case-{word}.gif", f"{short[case]}, the {word} case")


def _scan(cohort: Cohort, masks: Masks, entrant: str, case: str, caption: str) -> Scan | None:
    prediction = masks(entrant, case)
    if prediction is None:
        return None
    index = int(np.flatnonzero(cohort.table["case"] == case)[0])
    return Scan(caption, cohort.images(index), cohort.masks(index).astype(bool), prediction)
