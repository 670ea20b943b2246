"""Does an input look like the cases a model was trained on? Measured in training, asked before every prediction.

A warning is a hint to a reader, never a refusal: few usual cases get one, and an input without one may still be odd.
"""

from collections.abc import Sequence
from itertools import combinations, permutations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headtohead.cohort import Cohort
from headtohead.predicting.trust.appearance import HEADLESS, Appearance, look_at, reordered, without
from headtohead.predicting.trust.profile import distance_from, profile_of
from headtohead.task import Task

VERSION = 1
"""Raised whenever what is measured changes; older measurements are then ignored."""

LONE = (0.3, 0.5, 0.7)
"""Where along a training case slices are taken to be measured alone, as an input of one slice will be."""

MORE_SLICES = 1.25
"""Factor by which more or fewer slices than in any training case are odd."""

OTHER_SIZE = 2.0
"""The same for the longer side of a slice; both are shrunk to the size of the model's input."""

OTHER_SPACING = 1.5
"""The same for the spacing of slices, or of pixels."""

OTHER_HEAD = 0.1
"""Difference in the share of the image from that in training that is odd."""

OTHER_CORRELATION = 0.05
"""Distance above or below the correlations of training that is odd."""

SWAPPED = 10.0
"""Gain in squared distance from which another order of the sequences is believed: odds of 150 to 1 if grey values
are spread normally. Of the LGG cases, each measured by the others, 1 of 110 is warned of and two thirds of those with
swapped channels are."""


def measure_cohort(cohort: Cohort, cases: Sequence[int] | NDArray[np.int64]) -> dict[str, Any]:
    """Measure what the training cases look like.

    Args:
        cohort: the data set.
        cases: indices of the training cases.

    Returns:
        Plain data for model.json: ranges over the cases, the sequences that some lack, and how the grey values of whole
        cases and of lone slices are spread. Empty where there are no cases.
    """
    volumes = [cohort.in_bytes(int(case))[..., : len(cohort.task.sequences)] for case in cases]
    if not volumes:
        return {}
    task = cohort.task
    whole = [look_at(volume, task.primary_channel) for volume in volumes]
    lone = [[look_at(volume[[int(share * len(volume))]], task.primary_channel) for share in LONE] for volume in volumes]
    spacings = [step for case in cases if (step := cohort.spacing(int(case))) is not None]
    return {
        "version": VERSION,
        "cases": len(volumes),
        "sequences": list(task.sequences),
        "slices": _range([one.slices for one in whole]),
        "side": _range([one.side for one in whole]),
        "apart": _range([step[0] for step in spacings]),
        "pixel": _range([step[1] for step in spacings]),
        "missing": sorted({_named(one.missing, task.sequences) for one in whole}),
        "volume": _looks([[one] for one in whole], task),
        "slice": _looks(lone, task),
    }


def unfamiliar_features(
    volume: np.ndarray, spacing: tuple[float, float, float] | None, familiar: dict[str, Any], primary: int
) -> list[str]:
    """Say what is odd about an input, compared with the cases a model was trained on.

    Args:
        volume: uint8 or float32 [slices, H, W, C], finite, its channels as the model's sequences.
        spacing: millimetres between slices, rows and columns; None where it is unknown.
        familiar: as `measure_cohort` gave it; empty where nothing is known.
        primary: channel of the primary sequence among those of the model.

    Returns:
        One plain line for each finding; none for a usual input.
    """
    if familiar.get("version") != VERSION:
        return []
    names = tuple(familiar["sequences"])
    volume = np.repeat(volume, len(names), axis=-1) if volume.shape[-1] == 1 else volume[..., : len(names)]
    seen = look_at(volume, primary)
    lines = _size_lines(seen, spacing, familiar)
    missing = _named(seen.missing, names)
    if missing not in familiar["missing"]:
        lines.append(f"without {missing.replace(' ', ' and ')}; no training case lacked exactly these")
    lone = seen.slices * 2 < familiar["slices"][0]
    return lines + _look_lines(seen, familiar["slice" if lone else "volume"], names)


def _size_lines(seen: Appearance, spacing: tuple[float, float, float] | None, familiar: dict[str, Any]) -> list[str]:
    lines = []
    if _far(seen.slices, familiar["slices"], MORE_SLICES):
        count = "a single slice" if seen.slices == 1 else f"{seen.slices} slices"
        lines.append(f"{count}; training cases had {_between(familiar['slices'])}")
    if _far(seen.side, familiar["side"], OTHER_SIZE):
        lines.append(f"a longer side of {seen.side} px; in training {_between(familiar['side'])} px")
    if spacing and _far(spacing[0], familiar["apart"], OTHER_SPACING):
        lines.append(f"slices {spacing[0]:.3g} mm apart; in training {_between(familiar['apart'])} mm")
    if spacing and _far(spacing[1], familiar["pixel"], OTHER_SPACING):
        lines.append(f"pixels of {spacing[1]:.3g} mm; in training {_between(familiar['pixel'])} mm")
    return lines


def _look_lines(seen: Appearance, usual: dict[str, Any], names: tuple[str, ...]) -> list[str]:
    if seen.head < HEADLESS < usual["head"][0]:
        return ["no head was found in it; is it an MRI with a dark background?"]
    lines = []
    low, high = usual["head"]
    if not low - OTHER_HEAD <= seen.head <= high + OTHER_HEAD:
        lines.append(f"the head fills {seen.head:.0%} of it; in training {low:.0%} to {high:.0%}")
    for value, (low, high), less, more in (
        (seen.texture, usual["texture"], "noisier", "smoother"),
        (seen.symmetry, usual["symmetry"], "left and right are less alike", "left and right are more alike"),
    ):
        if not low - OTHER_CORRELATION <= value <= high + OTHER_CORRELATION:
            how = less if value < low else more
            lines.append(f"{how} than in training (correlation {value:.2f}; in training {low:.2f} to {high:.2f})")
    # What looks like no head of training has no channels that could stand in a wrong order.
    return lines or _grey_lines(seen, usual["grey"], names)


def _grey_lines(seen: Appearance, profile: dict[str, Any] | None, names: tuple[str, ...]) -> list[str]:
    if profile is None:
        return []
    there = without(len(names), seen.missing)
    here = distance_from(profile, seen.grey, there)
    if not seen.missing:
        orders = list(permutations(range(len(names))))
        distances = [distance_from(profile, reordered(seen.grey, order), there) for order in orders]
        best = int(np.argmin(distances))
        if (here**2 - distances[best] ** 2) * len(there) > SWAPPED:
            found = ", ".join(names[orders[best].index(place)] for place in range(len(names)))
            return [
                f"its channels look like {found}; the model takes {', '.join(names)} (--channels says which is which)"
            ]
    much = profile["much"][_named(seen.missing, names)]
    if here > much:
        return [
            f"its grey values are unlike those of the training cases (distance {here:.1f}; above {much:.1f} is unusual)"
        ]
    return []


def _looks(groups: list[list[Appearance]], task: Task) -> dict[str, Any]:
    """Sum up the appearances of whole cases, or of slices of each case."""
    every = [one for group in groups for one in group]
    names = task.sequences
    # Copies of the primary one would pass for grey values of the other sequences.
    complete = [[one.grey for one in group if not one.missing] for group in groups]
    optional = [place for place in range(len(names)) if place != task.primary_channel]
    lacking = [chosen for count in range(len(optional) + 1) for chosen in combinations(optional, count)]
    parts = {_named(missing, names): without(len(names), missing) for missing in lacking}
    return {
        "head": _usual([one.head for one in every]),
        "texture": _usual([one.texture for one in every]),
        "symmetry": _usual([one.symmetry for one in every]),
        "grey": profile_of([np.stack(group) for group in complete if group], parts),
    }


def _range(values: Sequence[float]) -> list[float]:
    return [round(float(end), 4) for end in (min(values), max(values))] if values else []


def _usual(values: Sequence[float]) -> list[float]:
    """Give the range without the few that failed: a slice at the top of a head may hold none."""
    return [round(float(end), 4) for end in np.percentile(values, (1, 99))]


def _far(value: float, usual: list[float], times: float) -> bool:
    return bool(usual) and not usual[0] / times <= value <= usual[1] * times


def _between(usual: list[float]) -> str:
    low, high = (f"{end:.4g}" for end in usual)
    return low if low == high else f"{low} to {high}"


def _named(missing: tuple[int, ...], names: Sequence[str]) -> str:
    """Name missing sequences as the case table does."""
    return " ".join(names[place] for place in missing)
