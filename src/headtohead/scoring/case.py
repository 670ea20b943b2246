"""Every score of one case, from its two masks. Cases are scored one at a time, so memory does not grow with them."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from headtohead.scoring.counts import count, dice, iou, precision, recall
from headtohead.scoring.lesions import count_lesions, smallest_lesion
from headtohead.scoring.surfaces import surface_scores, unit_of

Value = int | float

NO_LESION = "the truth holds no lesion; what was predicted there is in fp"
PARTLY_SCORED = "only some slices of the case were scored"
UNDEFINED = {
    **dict.fromkeys(("dice", "iou", "precision", "recall", "relative_volume_error"), NO_LESION),
    **dict.fromkeys(("hd95", "surface_dice"), f"{NO_LESION}; or {PARTLY_SCORED}"),
    **dict.fromkeys(("lesions", "lesions_found", "lesions_missed", "lesions_false"), PARTLY_SCORED),
}
"""When a score is NaN, for a footnote: by column, the two that have a unit without it. Others are always defined.

None of the reasons is the prediction: of a lesion, an empty prediction has the worst scores there are.
"""


def score_columns(unit: str) -> list[str]:
    """Name the columns of `score_case`, in their order.

    Args:
        unit: `px` or `mm`, as `surfaces.unit_of` gives it.
    """
    in_ml = ("lesion_ml", "volume_error_ml") if unit == "mm" else ()
    return [
        *("slices", "lesion_voxels", "tp", "fp", "fn", "dice", "iou", "precision", "recall"),
        *(f"hd95_{unit}", f"surface_dice_{unit}", "volume_error", "relative_volume_error"),
        *("lesions", "lesions_found", "lesions_missed", "lesions_false"),
        *("empty_slices", "false_voxels_on_empty_slices"),
        *in_ml,
    ]


def score_case(
    prediction: NDArray[np.bool_],
    truth: NDArray[np.bool_],
    spacing: Sequence[float] | None = None,
    *,
    whole: bool = True,
) -> dict[str, Value]:
    """Score one case in every way that cases.csv holds.

    Args:
        prediction: bool [slices, H, W], on the source grid.
        truth: bool, the same shape.
        spacing: mm between voxels along (slices, H, W), or None where it is unknown. It decides the unit of the
            surface scores and so the names of their columns: `hd95_mm` or `hd95_px`.
        whole: False where only some slices of the case were scored (a split by slice). Then neighbours in the masks
            are none in the patient, so what needs the volume, surfaces and lesions, is NaN.

    Returns:
        By column of `score_columns`: counts as int, scores as float.

        - slices, lesion_voxels: what was scored.
        - tp, fp, fn: in voxels.
        - dice, iou, precision, recall: as in `counts` where the truth holds a lesion, precision 0 where nothing was
          predicted; NaN where it holds none.
        - hd95_*, surface_dice_*: as in `surfaces`.
        - volume_error: predicted less true volume in voxels; relative_volume_error: that by the true volume.
        - lesions, lesions_found, lesions_missed, lesions_false: as in `lesions`, from `smallest_lesion` on.
        - empty_slices: slices without lesion; false_voxels_on_empty_slices: voxels predicted on them.
        - lesion_ml, volume_error_ml: lesion_voxels and volume_error in millilitres; only where the spacing is known.

        NaN where a score is undefined; `UNDEFINED` says when.

    Raises:
        ValueError: if a mask is not bool, the shapes differ, or the spacing is not three positive numbers.
    """
    tp, fp, fn = count(prediction, truth)
    lesion = tp + fn
    healthy = ~truth.any(axis=(1, 2))
    values: list[Value] = [
        *(len(truth), lesion, tp, fp, fn),
        *(_overlaps(tp, fp, fn) if lesion else (math.nan,) * 4),
        *(_surfaces(prediction, truth, spacing) if whole else (math.nan,) * 2),
        *(fp - fn, (fp - fn) / lesion if lesion else math.nan),
        *(_lesions(prediction, truth, spacing) if whole else (math.nan,) * 4),
        *(int(np.count_nonzero(healthy)), int(np.count_nonzero(prediction[healthy]))),
        *((voxels * math.prod(spacing) / 1000 for voxels in (lesion, fp - fn)) if spacing is not None else ()),
    ]
    return dict(zip(score_columns(unit_of(spacing)), values, strict=True))


def _overlaps(tp: int, fp: int, fn: int) -> tuple[float, float, float, float]:
    """Dice, IoU, precision and recall of a lesion; where nothing was predicted, all are 0."""
    share_of_prediction = float(precision(tp, fp)) if tp + fp else 0.0
    return float(dice(tp, fp, fn)), float(iou(tp, fp, fn)), share_of_prediction, float(recall(tp, fn))


def _surfaces(
    prediction: NDArray[np.bool_], truth: NDArray[np.bool_], spacing: Sequence[float] | None
) -> tuple[float, float]:
    found = surface_scores(prediction, truth, spacing)
    return found.hd95, found.surface_dice


def _lesions(
    prediction: NDArray[np.bool_], truth: NDArray[np.bool_], spacing: Sequence[float] | None
) -> tuple[int, int, int, int]:
    found = count_lesions(prediction, truth, smallest_lesion(spacing))
    return found.lesions, found.found, found.missed, found.false
