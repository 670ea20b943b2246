"""The numbers of `--explore`: one table of slices and one of cases."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from headtohead.cohort import Cohort
from headtohead.cohort.cohort import SPACING
from headtohead.task import Target, Task

if TYPE_CHECKING:
    import pandas as pd

UNKNOWN = "unknown"  # site
PERCENTILES = {"p10": 10, "median": 50, "p90": 90}


@dataclass(frozen=True)
class Measures:
    """What a data set holds.

    Attributes:
        slices: one row a slice: case, patient, site, slice (from 1), lesion_voxels, and the mean grey level of the
            inner head in each sequence (pre_mean, flair_mean, post_mean; NaN where the slice has no inner head).
        cases: one row a case: case, patient, site, slices, lesion_slices, lesion_voxels, voxels, missing; where the
            files say, the spacing in mm and lesion_ml; the 10th, 50th and 90th percentile of each sequence in the
            inner head (flair_p10, flair_median, flair_p90, ...); inner_share, the inner head's share of all voxels;
            lesion_flair_median; and flair_contrast, how much brighter the lesion is than the inner head outside it
            (these two of the primary sequence). Of several targets also, by name, `core_voxels`, `core_slices` and,
            where the spacing is known, `core_ml`; a lesion is then where any of them is.
        task: what is segmented from what.
    """

    slices: "pd.DataFrame"
    cases: "pd.DataFrame"
    task: Task

    @property
    def several(self) -> tuple[Target, ...]:
        """The targets; none where there is one, which is the lesion."""
        return self.task.targets.all if len(self.task.targets) > 1 else ()


def measure(cohort: Cohort) -> Measures:
    """Measure a data set, one case in memory at a time.

    Intensities are those of the inner head: air, scalp and fat would otherwise say more than the brain.
    """
    import pandas as pd

    slices: list[dict[str, Any]] = []
    cases: list[dict[str, Any]] = []
    sequences, primary = cohort.task.sequences, cohort.task.primary
    known = ["case", "patient", "site", "slices", "lesion_slices", "lesion_voxels", "missing"]
    for number, row in enumerate(cohort.table[known].to_dict("records")):
        row["site"] = row["site"] or UNKNOWN
        images, masks = np.asarray(cohort.in_bytes(number)), cohort.masks(number).astype(bool)
        inner = cohort.inner_heads(number).astype(bool)
        names = {name: row[name] for name in ("case", "patient", "site")}
        for index, (image, mask, region) in enumerate(zip(images, masks, inner, strict=True)):
            means = image[region].mean(axis=0) if region.any() else np.full(images.shape[-1], np.nan)
            slices.append(
                {**names, "slice": index + 1, "lesion_voxels": int(mask.sum())}
                | {f"{channel}_mean": round(float(mean), 2) for channel, mean in zip(sequences, means, strict=False)}
            )
        region = inner if inner.any() else np.ones_like(inner)  # as for the statistics that a model's input is made of
        levels = np.percentile(images[region], list(PERCENTILES.values()), axis=0, method="lower")
        case = {**row, "voxels": int(masks.size), "inner_share": float(inner.mean())}
        if spacing := cohort.spacing(number):
            case |= dict(zip(SPACING, spacing, strict=True))
            case["lesion_ml"] = case["lesion_voxels"] * math.prod(spacing) / 1000
        case |= _of_targets(cohort, number) if len(cohort.task.targets) > 1 else {}
        for channel, values in zip(sequences, levels.T, strict=False):  # a single sequence is in every channel
            case |= {f"{channel}_{name}": int(value) for name, value in zip(PERCENTILES, values, strict=True)}
        grey = images[..., cohort.task.primary_channel]
        case[f"lesion_{primary}_median"] = float(np.median(grey[masks])) if masks.any() else float("nan")
        cases.append(case | {f"{primary}_contrast": contrast(grey, masks, region)})
    return Measures(pd.DataFrame(slices), pd.DataFrame(cases), cohort.task)


def _of_targets(cohort: Cohort, number: int) -> dict[str, float]:
    """The size of each target in a case."""
    found: dict[str, float] = {}
    spacing = cohort.spacing(number)
    for name, mask in zip(cohort.task.targets.names, cohort.truth(number), strict=True):
        found[f"{name}_voxels"] = int(mask.sum())
        found[f"{name}_slices"] = int(mask.any(axis=(1, 2)).sum())
        if spacing:
            found[f"{name}_ml"] = round(found[f"{name}_voxels"] * math.prod(spacing) / 1000, 3)
    return found


def contrast(grey: np.ndarray, lesion: np.ndarray, region: np.ndarray) -> float:
    """How much brighter than the rest a lesion is, in the units in which the rest varies.

    Args:
        grey: uint8 [S, H, W].
        lesion: bool, the same shape.
        region: bool, where the rest is taken from: the inner head.

    Returns:
        (median of the lesion - median of the rest) / (90th - 10th percentile of the rest); NaN without a lesion,
        without a rest, or where the rest is uniform.
    """
    rest = grey[region & ~lesion]
    if not lesion.any() or not rest.size:
        return float("nan")
    low, middle, high = np.percentile(rest, (10, 50, 90))
    return float(np.median(grey[lesion]) - middle) / float(high - low) if high > low else float("nan")
