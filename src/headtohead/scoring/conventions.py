"""The same predictions scored in seven ways, each of which somebody publishes under the name of Dice.

Dice of several parts taken together is the mean of their Dices, each weighted by its predicted plus its true voxels.
So the ways differ only in what is taken together, in what then gets an equal vote, and in what an empty part counts.
docs/explanation/why-this-number-differs.md works through an example.
"""

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from headtohead.scoring.components import largest_component
from headtohead.scoring.counts import Scores, count, dice, mean_dice

if TYPE_CHECKING:
    import pandas as pd

COUNTS = ["tp", "fp", "fn"]
PER_CASE = "per case, 3-D"
PER_SLICE = "mean over slices"
TUMOUR_SLICES = "tumour slices only"
POOLED = "pooled voxels"
PER_BATCH = "mean over batches"
ONE_TOO_FEW = "batches, divided by N - 1"
LARGEST = "per case, largest component"
MEANINGS = {
    PER_CASE: "Dice of each case's whole volume, mean over cases with a lesion: the score of our tables",
    PER_SLICE: "Dice of each slice, mean over all; a slice without lesion and without prediction counts 1",
    TUMOUR_SLICES: "Dice of each slice with lesion, mean over these; false alarms on the others do not count",
    POOLED: "one Dice of the voxels of all cases together",
    PER_BATCH: "Dice of each batch's voxels together, mean over batches; one without lesion and prediction counts 1",
    ONE_TOO_FEW: "the same sum over N batches, divided by N - 1: a fault, kept to explain numbers made with it",
    LARGEST: "as per case, after all but the largest connected component of each prediction was deleted",
}
"""What each convention does, by its name."""


def slice_counts(
    prediction: NDArray[np.bool_], truth: NDArray[np.bool_], case: str, *, whole: bool = True
) -> "pd.DataFrame":
    """Count each slice of one case, for `conventions`.

    Args:
        prediction: bool [slices, H, W].
        truth: bool, the same shape.
        case: its name.
        whole: False where only some slices of the case were scored; then its components are unknown.

    Returns:
        One row a slice: case, slice (from 0), tp, fp, fn, predicted, truth (voxels), largest_tp and largest_fp: the
        counts after all but the largest component of the case's prediction is deleted; NaN without the whole case.

    Raises:
        ValueError: if the shapes differ or a mask is not bool.
    """
    import pandas as pd

    if prediction.shape != truth.shape:
        raise ValueError(f"prediction {prediction.shape} and truth {truth.shape} differ in shape")
    counted = np.array([count(*pair) for pair in zip(prediction, truth, strict=True)], np.int64).reshape(-1, 3)
    tp, fp, fn = counted.T
    kept = largest_component(prediction)
    return pd.DataFrame(
        {
            "case": case,
            "slice": np.arange(len(truth)),
            "tp": tp,
            "fp": fp,
            "fn": fn,
            "predicted": tp + fp,
            "truth": tp + fn,
            "largest_tp": (kept & truth).sum(axis=(1, 2)) if whole else math.nan,
            "largest_fp": (kept & ~truth).sum(axis=(1, 2)) if whole else math.nan,
        }
    )


def conventions(slices: "pd.DataFrame", batch_size: int) -> "pd.DataFrame":
    """Score the same predictions in seven ways.

    Args:
        slices: the rows of `slice_counts` of every test case, one below the other. Their order is the order in which
            batches are filled; the conventions without batches do not depend on it.
        batch_size: slices in a batch; the last batch may be smaller.

    Returns:
        One row for each of `MEANINGS`: convention, score, n (how many cases, slices or batches have a vote) and
        meaning. NaN, with n 0, where nothing has a vote; the mean divided by N - 1 also for one batch.

    Raises:
        ValueError: if the batch size is below 1.
    """
    import pandas as pd

    if batch_size < 1:
        raise ValueError(f"batch_size must be at least 1, not {batch_size}")
    per_slice = dice(*slices[COUNTS].to_numpy().T)
    per_batch = _empty_as_one(_grouped(slices, np.arange(len(slices)) // batch_size))
    with_lesion = slices[slices.groupby("case")["truth"].transform("sum") > 0]
    votes = {
        PER_CASE: _grouped(with_lesion, with_lesion["case"]),
        PER_SLICE: _empty_as_one(per_slice),
        TUMOUR_SLICES: per_slice[slices["truth"].to_numpy() > 0],
        POOLED: np.atleast_1d(dice(*slices[COUNTS].sum())),
        PER_BATCH: per_batch,
        ONE_TOO_FEW: per_batch,
        LARGEST: _grouped(_largest_only(with_lesion), with_lesion["case"]),
    }
    scores = {name: mean_dice(vote) for name, vote in votes.items()}
    scores[ONE_TOO_FEW] = per_batch.sum() / (len(per_batch) - 1) if len(per_batch) > 1 else math.nan
    return pd.DataFrame(
        [(name, scores[name], np.count_nonzero(~np.isnan(votes[name])), meaning) for name, meaning in MEANINGS.items()],
        columns=["convention", "score", "n", "meaning"],
    )


def _grouped(slices: "pd.DataFrame", by: "NDArray[np.int64] | pd.Series[str]") -> Scores:
    """Dice of the pooled voxels of each group of slices; NaN where it is empty or has a slice of unknown counts."""
    tp, fp, fn = slices.groupby(by, sort=False)[COUNTS].agg(lambda column: column.sum(skipna=False)).to_numpy().T
    return dice(tp, fp, fn)


def _largest_only(slices: "pd.DataFrame") -> "pd.DataFrame":
    tp, fp = slices["largest_tp"], slices["largest_fp"]
    return slices.assign(tp=tp, fp=fp, fn=slices["truth"] - tp)


def _empty_as_one(scores: Scores) -> Scores:
    return np.where(np.isnan(scores), 1.0, scores)
