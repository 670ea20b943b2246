"""The predictions of a comparison, read case by case from its run folders, and whose they are."""

from pathlib import Path

import numpy as np

from headtohead.cohort import Cohort
from headtohead.drawing.plate import SegmentedCase
from headtohead.errors import UserError
from headtohead.options.flags import as_flags
from headtohead.reporting.entrant_names import entrant_of, in_words
from headtohead.reporting.findings import Findings, shown_seed
from headtohead.runs.folder import RunFolder
from headtohead.runs.ledger import Ledger
from headtohead.scoring.prediction_files import check_masks, read_mask


class Masks:
    """The predicted masks of a comparison, read case by case from its run folders.

    Attributes:
        files: of which file the mask of an entrant and a case is shown.
        notes: one line for each run whose masks cannot be read; its cases are not shown.
    """

    def __init__(self, ledger: Ledger, cohort: Cohort) -> None:
        """Note which run predicted which case; of several seeds, the lowest, as `findings.shown_seed` says."""
        self.table, self.targets = cohort.table.set_index("case"), cohort.task.targets
        self.files: dict[tuple[str, str], Path] = {}
        for run in sorted(ledger.counted, key=lambda run: run.experiment["seed"] or 0):
            scored = ledger.tables[run.name]
            for case, slices in zip(scored["case"], scored.get("slices", []), strict=False):
                if slices == self.table.loc[case, "slices"]:  # under a split by slice, a case has only some
                    self.files.setdefault((entrant_of(run), case), RunFolder(run.folder).masks)
        self.files = {shown: path for shown, path in self.files.items() if path.exists()}  # earlier versions kept none
        faults = {path: fault for path in dict.fromkeys(self.files.values()) if (fault := self._fault(path))}
        self.files = {shown: path for shown, path in self.files.items() if path not in faults}
        self.notes = tuple(f"{path.parent.name} is in no picture: {fault}" for path, fault in faults.items())

    def __call__(self, entrant: str, case: str) -> np.ndarray | None:
        """Give a prediction, bool [K, slices, H, W].

        It is None where the entrant predicted only some slices of the case, or kept no masks that can be read.

        Raises:
            UserError: the file of masks was damaged meanwhile.
        """
        path = self.files.get((entrant, case))
        return read_mask(path, case, self._shape(case)) if path and path.exists() else None

    def _shape(self, case: str) -> tuple[int, ...]:
        return len(self.targets), *self.table.loc[case, ["slices", "height", "width"]]

    def _fault(self, path: Path) -> str:
        """Say why the masks of a run cannot be read; empty where they can, which costs unpacking them."""
        try:
            check_masks(path, {case: self._shape(case) for (_, case), file in self.files.items() if file == path})
        except UserError as fault:
            return as_flags(fault).replace(str(path), path.name)
        return ""


def segmented_case(
    cohort: Cohort, masks: Masks, entrant: str, case: str, caption: str, notes: tuple[str, ...] = ()
) -> SegmentedCase | None:
    """Put a case together as an entrant segmented it; None where no prediction of it was kept."""
    prediction = masks(entrant, case)
    if prediction is None:
        return None
    index = int(np.flatnonzero(cohort.table["case"] == case)[0])
    truth, task = cohort.truth(index), cohort.task
    return SegmentedCase(
        caption, cohort.in_bytes(index), truth, prediction, task.targets, notes, primary=task.primary_channel
    )


def name_with_seed(findings: Findings, entrant: str, case: str) -> str:
    """Name an entrant beside its outline: `unet cosine`, and of several seeds `unet cosine, seed 0`."""
    shown = shown_seed(findings.cases, entrant, case)
    return f"{in_words(entrant)}, seed {shown[0]}" if shown else in_words(entrant)
