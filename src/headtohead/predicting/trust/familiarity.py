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

MORE_SLICES, OTHER_SIZE, OTHER_SPACING = 1.25, 2.0, 1.5
"""Factors beyond the range of training that are odd: of slices, of their longer side (which is shrunk to the model's
input anyway), of their spacing or that of pixels."""

OTHER_HEAD, OTHER_CORRELATION = 0.1, 0.05
"""Differences that are odd: of the share of the image that is head, and of correlations."""

SWAPPED = 10.0
"""Gain in squared distance from which another order of the sequences is believed: odds of 150 to 1 if grey values
are spread normally. Of the LGG cases, each measured by the others, 1 of 110 is warned of and two thirds of those with
swapped channels are."""


def measure_cohort(cohort: Cohort, cases: Sequence[int] | NDArray[np.int64]) -> dict[str, Any]:
    """Measure what the training cases look like.

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
    count = "a single slice" if seen.slices == 1 else f"{seen.slices} slices"
    apart, pixel = spacing[:2] if spacing else (None, None)
    measured = (
        (seen.slices, "slices", MORE_SLICES, f"{count}; training cases had", ""),
        (seen.side, "side", OTHER_SIZE, f"a longer side of {seen.side} px; in training", " px"),
        (apart, "apart", OTHER_SPACING, f"slices {apart or 0:.3g} mm apart; in training", " mm"),
        (pixel, "pixel", OTHER_SPACING, f"pixels of {pixel or 0:.3g} mm; in training", " mm"),
    )
    lines = []
    for value, name, times, words, unit in measured:
        usual = familiar[name]
        if value is not None and usual and not usual[0] / times <= value <= usual[1] * times:
            lines.append(f"{words} {' to '.join(dict.fromkeys(f'{end:.4g}' for end in usual))}{unit}")
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
            takes = ", ".join(names)
            return [f"its channels look like {found}; the model takes {takes} (`channels` says which is which)"]
    much = profile["much"][_named(seen.missing, names)]
    unlike = "its grey values are unlike those of the training cases"
    return [f"{unlike} (distance {here:.1f}; above {much:.1f} is unusual)"] if here > much else []


def _looks(groups: list[list[Appearance]], task: Task) -> dict[str, Any]:
    """Sum up the appearances of whole cases, or of slices of each case."""
    every, names = [one for group in groups for one in group], task.sequences
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


def _named(missing: tuple[int, ...], names: Sequence[str]) -> str:
    """Name missing sequences as the case table does."""
    return " ".join(names[place] for place in missing)
