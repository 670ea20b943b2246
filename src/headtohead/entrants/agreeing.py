"""Masks over images without a truth, paired and read: who has a mask of what, and how alike the masks of a case are.

Here nobody is right, so there is nothing to score: Dice between two entrants is all that is measured.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from headtohead.entrants.given import Given
from headtohead.entrants.pairing import find_masks, print_unread
from headtohead.entrants.reading import mask_in_slices
from headtohead.errors import UserError
from headtohead.plurals import count_of
from headtohead.readers.file_names import is_volume
from headtohead.readers.labels import Marks
from headtohead.readers.reader import CaseFiles
from headtohead.reporting.agreement_of_entrants import case_agreement
from headtohead.statistics.intervals import mean_interval, median_interval
from headtohead.statistics.targets import MEAN, TARGET
from headtohead.task import Task

CASE_COLUMNS = ["case", TARGET, "a", "b", "dice", "voxels_a", "voxels_b", "ml_a", "ml_b"]
PAIR_COLUMNS = [TARGET, "a", "b", "cases", "n", "mean", "low", "high", "median", "one_empty", "both_empty"]

MasksOfCase = dict[str, NDArray[np.bool_]]
"""Entrant -> its masks of one case, bool [K, slices, H, W]."""


@dataclass(frozen=True)
class OverImages:
    """Masks of several entrants over the same images.

    Attributes:
        cases: the images that are outlined, each standing for its mask.
        files: entrant -> case -> its masks, in the order of the slices.
        task: whose targets the masks hold.
        marks: entrant -> what marks a single target in its masks.
    """

    cases: list[CaseFiles]
    files: dict[str, dict[str, tuple[Any, ...]]]
    task: Task
    marks: dict[str, Marks]

    def masks(self, case: CaseFiles) -> tuple[MasksOfCase, float]:
        """Read the masks of a case, cut into slices, and the millilitres of a voxel, NaN where nobody knows.

        Raises:
            UserError: one is damaged, on another grid than the image, or no mask of these targets.
        """
        found: MasksOfCase = {}
        millilitres = math.nan
        for name, files in self.files.items():
            try:
                cut = mask_in_slices(case, files[case.name], self.task, self.marks[name], square=False)
            except UserError as fault:
                raise UserError(f"`masks` {name}: {fault}".replace("no label of the truth", "no label here")) from fault
            assert cut.labels is not None
            found[name] = self.task.targets.encode(cut.labels)
            if cut.grid.spacing:
                millilitres = math.prod(cut.grid.spacing) / 1000
        return found, millilitres


def pair_over_images(masks: Sequence[Given], images: Sequence[CaseFiles], task: Task, named: bool) -> OverImages:
    """Find the masks of every image that any entrant has outlined; what has no image is named and not read.

    Args:
        masks: two or more entrants.
        images: each standing for its mask.
        task: whose targets the masks hold.
        named: whether somebody said which values of a mask are which target.

    Raises:
        UserError: an entrant has no mask of an image that another has outlined, or no image is outlined.
    """
    found = {one.name: find_masks(one, images) for one in masks}
    slots = {case.name: len(case.masks) for case in images}
    outlined: dict[str, str] = {}  # case -> an entrant that has a mask of it
    for name, paired in found.items():
        lacking = [slot.case for slot in paired.missing]
        outlined |= {case: name for case, count in slots.items() if lacking.count(case) < count}
    for one in masks:
        for slot in found[one.name].missing:
            if slot.case in outlined:
                raise UserError(
                    f"`masks` {one.name}: no mask of {slot.label} in {one.folder}, but {outlined[slot.case]} has one; "
                    "entrants are compared on the same cases: add the mask, an empty one where nothing was found, or "
                    "take the case out of the other folder"
                )
        print_unread(one, found[one.name].further, "named after no image")
    if not outlined:
        first = found[masks[0].name].further
        there = f", such as {first[0].name}" if first else ""
        raise UserError(f"`masks` {masks[0].name}: no file in {masks[0].folder} is named after an image{there}")
    if without := [name for name in slots if name not in outlined]:
        print(f"not compared: {count_of(len(without), 'image')} that nobody outlined, such as {without[0]}")
    files = {name: {case: paired.files[case] for case in outlined} for name, paired in found.items()}
    marks = {name: Marks(named, not is_volume(images[0].masks[0])) for name in found}
    return OverImages([case for case in images if case.name in outlined], files, task, marks)


def compare_cases(over: OverImages) -> pd.DataFrame:
    """Compare every two entrants on every case, one case in memory at a time.

    Returns:
        One row a case, target and pair: `CASE_COLUMNS`. Dice is NaN where neither marks anything; millilitres are NaN
        where the files give no spacing.
    """
    rows: list[tuple[object, ...]] = []
    for case in over.cases:
        masks, millilitres = over.masks(case)
        rows += _rows_of(case.name, masks, over.task.targets.names, millilitres)
    return pd.DataFrame(rows, columns=CASE_COLUMNS)


def _rows_of(
    case: str, masks: Mapping[str, NDArray[np.bool_]], targets: Sequence[str], millilitres: float
) -> Iterator[tuple[object, ...]]:
    for place, target in enumerate(targets):
        one = {name: mask[place : place + 1] for name, mask in masks.items()}
        sizes = {name: int(mask.sum()) for name, mask in one.items()}
        for a, b in combinations(masks, 2):
            volumes = (round(sizes[name] * millilitres, 6) for name in (a, b))
            yield case, target, a, b, case_agreement(one[a], one[b]), sizes[a], sizes[b], *volumes


def compare_pairs_of_masks(cases: pd.DataFrame) -> pd.DataFrame:
    """Sum the agreement of each pair up over the cases, for each target and, of several, for their mean.

    Args:
        cases: as `compare_cases` gives them.

    Returns:
        `PAIR_COLUMNS`: of `cases` the number, the `n` of them that either marks, the mean Dice over these with its 95 %
        interval, their median; cases that one of the two leaves empty, and that both do. The mean over targets is of
        each case the mean over those that either marks.
    """
    whole = cases.groupby(["case", "a", "b"], sort=False, as_index=False)
    united = whole[["dice", "voxels_a", "voxels_b"]].agg({"dice": "mean", "voxels_a": "sum", "voxels_b": "sum"})
    parts = [united.assign(**{TARGET: MEAN}), cases] if len(set(cases[TARGET])) > 1 else [cases]
    rows = []
    for part in parts:
        for (target, a, b), own in part.groupby([TARGET, "a", "b"], sort=False):
            empty = (own[["voxels_a", "voxels_b"]] == 0).sum(axis=1)
            mean, median = mean_interval(own["dice"]), median_interval(own["dice"].dropna())
            measures = (len(own), mean.n, mean.mean, mean.low, mean.high, median.median)
            rows.append((target, a, b, *measures, int((empty == 1).sum()), int((empty == 2).sum())))
    return pd.DataFrame(rows, columns=PAIR_COLUMNS)
