"""Where two populations differ: the properties of their cases side by side, each with its standardised difference."""

import math
from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

INTERNAL, EXTERNAL = "internal", "external"
COLUMNS = ["property", "unit", "internal_n", INTERNAL, "internal_low", "internal_high"]
COLUMNS += ["external_n", EXTERNAL, "external_low", "external_high", "difference"]
SHARE, COUNT = "share", "count"
"""Units of what is no measurement."""

UNKNOWN_SITE = "unknown"
MEASURED = {"slices": ("slices", ""), "spacing_slices": ("slice spacing", "mm"), "spacing_pixels": ("pixel side", "mm")}
"""Column -> what it is called, and its unit."""

QUARTILES = (0.5, 0.25, 0.75)
NOWHERE = (math.nan,) * len(QUARTILES)
NONE = np.empty(0)


def population_differences(cases: pd.DataFrame, lesion: str = "lesion") -> pd.DataFrame:
    """Compare the cases of an external test with those of the internal one.

    The difference is external minus internal, by the root of the mean of both variances; about .1 is commonly called
    negligible. Of a lesion's size it is of the logarithm, since sizes are skewed. It has no p value on purpose: it says
    how far the populations are apart, not whether chance could do it. It is never made into one number with a score.

    Source: Austin 2009, doi:10.1002/sim.3697.

    Args:
        cases: one row a case: cohort (`internal` or `external`), site, missing (sequences, with spaces between them),
            lesion_voxels, slices and, where they are known, lesion_ml, spacing_slices and spacing_pixels in mm.
        lesion: what the lesion is called.

    Returns:
        `COLUMNS`, one row a property: of a measurement the median of each cohort with its quartiles, of a `share` the
        share; how many cases of each the property is known of; NaN where of none, and a difference of NaN where a
        cohort has none or one, or where neither varies.
    """
    inner, outer = (cases[cases["cohort"] == side] for side in (INTERNAL, EXTERNAL))
    rows: list[tuple[object, ...]] = [
        ("cases", COUNT, len(inner), len(inner), *NOWHERE[1:], len(outer), len(outer), *NOWHERE[1:], math.nan),
        _share(f"with a {lesion}", inner["lesion_voxels"] > 0, outer["lesion_voxels"] > 0),
    ]
    rows += [_measured(f"{lesion} size", unit, one, other, log=True) for unit, one, other in _sizes(inner, outer)]
    for column, (name, unit) in MEASURED.items():
        if column in cases and cases[column].notna().any():
            rows.append(_measured(name, unit, inner[column].to_numpy(float), outer[column].to_numpy(float)))
    # None is in a cohort of which nothing is known; then nothing is lacking.
    lacking = [own["missing"].fillna("").str.split().map(frozenset) for own in (inner, outer)]
    for sequence in sorted(frozenset().union(*lacking[0], *lacking[1])):
        one, other = (own.map(lambda has, it=sequence: it in has) for own in lacking)
        rows.append(_share(f"without {sequence}", one, other))
    sites = [own["site"].fillna("").replace("", UNKNOWN_SITE) for own in (inner, outer)]
    for site in sorted({*sites[0], *sites[1]}, key=lambda name: (name == UNKNOWN_SITE, name)):
        rows.append(_share(f"site {site}", sites[0] == site, sites[1] == site))
    return pd.DataFrame(rows, columns=COLUMNS)


def standardised_mean_difference(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Difference of means, `other` minus `one`, by the root of the mean of both variances (n - 1).

    NaN where either has fewer than two values, or where the values do not vary and the means differ.
    """
    if min(len(one), len(other)) < 2:
        return math.nan
    return _standardised(other.mean() - one.mean(), (one.var(ddof=1) + other.var(ddof=1)) / 2)


def standardised_share_difference(one: float, other: float) -> float:
    """Difference of two shares, `other` minus `one`, by the root of the mean of their variances p (1 - p).

    NaN where the shares are 0 and 1.
    """
    return _standardised(other - one, (one * (1 - one) + other * (1 - other)) / 2)


def _standardised(difference: float, variance: float) -> float:
    if difference == 0:
        return 0.0
    return float(difference / math.sqrt(variance)) if variance > 0 else math.nan


def _sizes(inner: pd.DataFrame, outer: pd.DataFrame) -> Iterator[tuple[str, NDArray[np.float64], NDArray[np.float64]]]:
    """Give the sizes of the lesions of both cohorts by unit: millilitres where the spacing is known, else voxels."""
    for unit, column in (("ml", "lesion_ml"), ("voxels", "lesion_voxels")):
        one, other = (own[column].to_numpy(float) if _in_ml(own) == (unit == "ml") else NONE for own in (inner, outer))
        if len(one) or len(other):
            yield unit, one[one > 0], other[other > 0]


def _in_ml(cases: pd.DataFrame) -> bool:
    return "lesion_ml" in cases and bool(cases["lesion_ml"].notna().all())


def _measured(
    name: str, unit: str, one: NDArray[np.float64], other: NDArray[np.float64], log: bool = False
) -> tuple[object, ...]:
    one, other = one[~np.isnan(one)], other[~np.isnan(other)]
    shown = [(len(values), *(np.quantile(values, QUARTILES) if len(values) else NOWHERE)) for values in (one, other)]
    scale = (np.log(one), np.log(other)) if log else (one, other)
    return (name, unit, *shown[0], *shown[1], standardised_mean_difference(*scale))


def _share(name: str, one: "pd.Series[bool]", other: "pd.Series[bool]") -> tuple[object, ...]:
    first, second = (float(values.mean()) if len(values) else math.nan for values in (one, other))
    known = len(one) > 0 and len(other) > 0
    difference = standardised_share_difference(first, second) if known else math.nan
    return (name, SHARE, len(one), first, *NOWHERE[1:], len(other), second, *NOWHERE[1:], difference)
