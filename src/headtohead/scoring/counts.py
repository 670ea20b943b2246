"""From voxel counts to the scores of a case. One convention, without smoothing, for every model.

A score is computed once per case, from the true positives (TP), false positives (FP) and false negatives (FN) of all
its slices together: Dice in 3-D. The batches in which the slices came and their order leave no trace.
"""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

Scores = NDArray[np.float64]
FAILED_BELOW = 0.5  # a case with a smaller Dice counts as failed in the tables


def dice(tp: ArrayLike, fp: ArrayLike, fn: ArrayLike) -> Scores:
    """Dice coefficient 2 TP / (2 TP + FP + FN), element by element.

    Source: Dice 1945, doi:10.2307/1932409; Zijdenbos et al. 1994, doi:10.1109/42.363096.

    Args:
        tp: true positives in voxels; a number or an array of any shape, as are `fp` and `fn`.
        fp: false positives.
        fn: false negatives.

    Returns:
        float64 in [0, 1]; NaN where truth and prediction are both empty (nothing was asked, so there is nothing to
        score), 0 where only one of them is.
    """
    tp, fp, fn = _as_floats(tp, fp, fn)
    return _ratio(2 * tp, 2 * tp + fp + fn)


def iou(tp: ArrayLike, fp: ArrayLike, fn: ArrayLike) -> Scores:
    """Intersection over union (Jaccard index) TP / (TP + FP + FN); NaN where both are empty. IoU = D / (2 - D)."""
    tp, fp, fn = _as_floats(tp, fp, fn)
    return _ratio(tp, tp + fp + fn)


def precision(tp: ArrayLike, fp: ArrayLike) -> Scores:
    """Share of the predicted voxels that are lesion, TP / (TP + FP); NaN where nothing was predicted."""
    tp, fp = _as_floats(tp, fp)
    return _ratio(tp, tp + fp)


def recall(tp: ArrayLike, fn: ArrayLike) -> Scores:
    """Share of the lesion voxels that were found (sensitivity), TP / (TP + FN); NaN where there is no lesion."""
    tp, fn = _as_floats(tp, fn)
    return _ratio(tp, tp + fn)


def count(prediction: NDArray[np.bool_], truth: NDArray[np.bool_]) -> tuple[int, int, int]:
    """Count the voxels of two masks, bool, of one shape: TP, FP, FN.

    Raises:
        ValueError: if the shapes differ or a mask is not bool (a mask of 0 and 255 would count 255 times).
    """
    if prediction.shape != truth.shape:
        raise ValueError(f"prediction {prediction.shape} and truth {truth.shape} differ in shape")
    if prediction.dtype != np.bool_ or truth.dtype != np.bool_:
        raise ValueError(f"masks must be bool, not {prediction.dtype} and {truth.dtype}")
    tp = int(np.count_nonzero(prediction & truth))
    return tp, int(np.count_nonzero(prediction)) - tp, int(np.count_nonzero(truth)) - tp


def mean_dice(scores: ArrayLike) -> float:
    """Mean over the cases whose Dice is defined: their sum divided by their number N; NaN if there is none."""
    scores = np.asarray(scores, dtype=np.float64)
    defined = scores[~np.isnan(scores)]
    return float(defined.mean()) if defined.size else math.nan


def target_dice(counts: NDArray[np.int64]) -> Scores:
    """Dice of each case and target whose truth holds it.

    A false alarm on a case without the target would be a Dice of 0 and silence no Dice at all, so that the number of
    votes would depend on the prediction.

    Args:
        counts: int64 [cases, K, 3 or more], or without either axis: TP, FP, FN in voxels, of all slices of a case
            together.

    Returns:
        float64 [cases, K]; NaN where the truth does not hold the target.
    """
    tp, fp, fn = counts[..., 0], counts[..., 1], counts[..., 2]
    return np.where(tp + fn > 0, dice(tp, fp, fn), np.nan)


def mean_over_targets(scores: Scores) -> Scores:
    """The primary score of each case, [cases]: the mean over the targets that its truth holds, NaN where it holds none.

    Args:
        scores: float64 [cases, K], as `target_dice` gives them.
    """
    held = ~np.isnan(scores)
    return _ratio(np.where(held, scores, 0).sum(axis=1), held.sum(axis=1))


def _as_floats(*counts: ArrayLike) -> tuple[Scores, ...]:
    return tuple(np.asarray(column, dtype=np.float64) for column in counts)


def _ratio(above: Scores, below: Scores) -> Scores:
    """Divide; NaN, without a warning, where nothing stands below the line."""
    return np.where(below > 0, above / np.where(below > 0, below, 1.0), np.nan)
