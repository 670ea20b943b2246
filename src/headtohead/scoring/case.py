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
        By column, in this order: counts as int, scores as float.

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
    lesion, unit = tp + fn, unit_of(spacing)
    overlaps: tuple[float, ...] = (math.nan,) * 4
    if lesion:
        right = precision(tp, fp) if tp + fp else 0
        overlaps = tuple(float(one) for one in (dice(tp, fp, fn), iou(tp, fp, fn), right, recall(tp, fn)))
    surfaces = surface_scores(prediction, truth, spacing) if whole else (math.nan,) * 2
    lesions = count_lesions(prediction, truth, smallest_lesion(spacing)) if whole else (math.nan,) * 4
    healthy = ~truth.any(axis=(1, 2))
    scores: dict[str, Value] = {"slices": len(truth), "lesion_voxels": lesion, "tp": tp, "fp": fp, "fn": fn}
    scores |= dict(zip(("dice", "iou", "precision", "recall"), overlaps, strict=True))
    scores |= dict(zip((f"hd95_{unit}", f"surface_dice_{unit}"), surfaces, strict=True))
    scores |= {"volume_error": fp - fn, "relative_volume_error": (fp - fn) / lesion if lesion else math.nan}
    scores |= dict(zip(("lesions", "lesions_found", "lesions_missed", "lesions_false"), lesions, strict=True))
    scores |= {"empty_slices": int(np.count_nonzero(healthy))}
    scores |= {"false_voxels_on_empty_slices": int(np.count_nonzero(prediction[healthy]))}
    if spacing is not None:
        in_ml = math.prod(spacing)
        scores |= {"lesion_ml": lesion * in_ml / 1000, "volume_error_ml": (fp - fn) * in_ml / 1000}
    return scores
