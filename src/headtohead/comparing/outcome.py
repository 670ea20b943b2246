"""What the test of one experiment leaves: prediction and scores of each test case, written case by case."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pandas as pd

from headtohead.batches.splits import Split
from headtohead.cohort import Cohort
from headtohead.plurals import count_of
from headtohead.predicting.cleaning.postprocessing import NO_CLEAN_UP, CleanUp, clean_labels
from headtohead.runs.folder import RunFolder
from headtohead.saving import atomic_path
from headtohead.scoring.counts import mean_dice
from headtohead.scoring.prediction_files import CaseWriter, writing
from headtohead.scoring.probabilities import BINS, probability_histogram
from headtohead.scoring.tested import score_tested, truth_of
from headtohead.statistics.matrix import holds_lesion
from headtohead.statistics.targets import over_targets, recorded_scores


class Outcome:
    """Takes the predictions of the test cases one after the other; never holds more than one of them.

    Attributes:
        cases: the rows of cases.csv so far.
        slices: the tables of slices.csv so far, one a case.
        histograms: of all probabilities so far, int64 [K, 2, 256].
    """

    def __init__(
        self, cohort: Cohort, split: Split, masks: CaseWriter, probabilities: CaseWriter, clean_up: CleanUp
    ) -> None:
        """Score the test slices of a split after a declared clean-up; predictions go to the two writers."""
        self.cohort, self.split, self.clean_up = cohort, split, clean_up
        self.masks, self.probabilities = masks, probabilities
        self.histograms = np.zeros((len(cohort.task.targets), 2, BINS), np.int64)
        self.cases: list[dict[str, Any]] = []
        self.slices: list[pd.DataFrame] = []

    def tested(self, case: int) -> np.ndarray:
        """Places of a case's test slices within the case, ascending; under a split by patient, all of them."""
        return np.flatnonzero(np.isin(self.cohort.slices_of(case), self.split.test))

    def add(self, case: int, prediction: np.ndarray, probability: np.ndarray | None = None) -> None:
        """Score one case by its index and keep its prediction, bool [K, test slices, H, W].

        The probability has the same shape; None where a prediction has none.
        """
        places = self.tested(case)
        if self.clean_up:
            targets = self.cohort.task.targets
            labels = clean_labels(targets.decode(prediction), targets, self.clean_up, self.cohort.spacing(case))
            prediction = targets.encode(labels)
        truth = truth_of(self.cohort, case, places)
        rows, slices = score_tested(self.cohort, case, places, prediction, truth)
        name = rows[0]["case"]
        self.cases += rows
        self.slices.append(slices)
        self.masks.add_mask(name, prediction)
        if probability is not None:
            pairs = zip(probability, truth, strict=True)
            histograms = np.stack([probability_histogram(*pair) for pair in pairs])
            self.histograms += histograms
            self.probabilities.add_histogram(name, histograms)

    def facts(self) -> dict[str, Any]:
        """What run.json says of the scores: the mean primary score, None where no case has one, and of each target."""
        return recorded_scores(pd.DataFrame(self.cases))


@contextmanager
def outcome(folder: RunFolder, cohort: Cohort, split: Split, clean_up: CleanUp = NO_CLEAN_UP) -> Iterator[Outcome]:
    """Collect the outcome of a test. Its files appear when every case is in them; cases.csv comes last."""
    with atomic_path(folder.cases, lasting=True) as cases, atomic_path(folder.slices, lasting=True) as slices:
        with writing(folder.masks) as masks, writing(folder.probabilities) as probabilities:
            found = Outcome(cohort, split, masks, probabilities, clean_up)
            yield found
        pd.concat(found.slices).to_csv(slices, index=False)
        pd.DataFrame(found.cases).to_csv(cases, index=False)


def scores_in_words(cases: pd.DataFrame) -> str:
    """Say how the test cases were scored: mean Dice of those with a lesion; the others are left alone or not.

    Of several targets: the mean of the primary score, then that of each target.
    """
    if "target" in cases:
        primary = over_targets(cases)["dice"].dropna()
        if primary.empty:
            return f"no target in {count_of(cases['case'].nunique(), 'test case')}, so no Dice"
        means = recorded_scores(cases)["test_dice_of_targets"]
        each = (f"{name} {mean:.3f}" for name, mean in means.items() if mean is not None)
        return f"mean Dice per case {primary.mean():.3f} on {count_of(len(primary), 'test case')} ({', '.join(each)})"
    lesion = holds_lesion(cases)
    parts = []
    if lesion.any():
        score = mean_dice(cases.loc[lesion, "dice"])
        lesions = " with a lesion" if not lesion.all() else ""
        parts.append(f"mean Dice per case {score:.3f} on {count_of(int(lesion.sum()), 'test case')}{lesions}")
    if not lesion.all():
        alone = int((cases.loc[~lesion, "fp"] == 0).sum())
        parts.append(f"{alone} of {count_of(int((~lesion).sum()), 'test case')} without a lesion left alone")
    return "; ".join(parts)
