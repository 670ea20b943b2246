"""Standardised differences of populations, against their formulas by hand and against statsmodels."""

import math

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.weightstats import CompareMeans, DescrStatsW

from headtohead.statistics.populations import (
    population_differences,
    standardised_mean_difference,
    standardised_share_difference,
)


def people(cohort: str, **columns: object) -> pd.DataFrame:
    table = pd.DataFrame(columns)
    known = {"site": "", "missing": "", "slices": 10, "lesion_voxels": 5} | {name: table[name] for name in table}
    return pd.DataFrame(index=table.index).assign(cohort=cohort, **known)


def of(found: pd.DataFrame, name: str) -> dict[str, float]:
    [row] = found[found["property"] == name].to_dict("records")
    return row


def test_a_difference_of_means_is_that_of_its_formula() -> None:
    rng = np.random.default_rng(0)
    one, other = rng.normal(5, 2, 20), rng.normal(7, 3, 20)
    pooled = CompareMeans(DescrStatsW(one), DescrStatsW(other))
    # Of equal numbers of cases the pooled deviation is the root of the mean variance.
    by_hand = (other.mean() - one.mean()) / math.sqrt(pooled.std_meandiff_pooledvar**2 / (2 / 20))
    assert standardised_mean_difference(one, other) == pytest.approx(by_hand)
    assert standardised_mean_difference(other, one) == pytest.approx(-by_hand)
    assert standardised_mean_difference(one, one) == 0
    assert math.isnan(standardised_mean_difference(one[:1], other))
    assert math.isnan(standardised_mean_difference(np.ones(3), np.full(3, 2.0)))
    few, many = np.array([1.0, 3.0]), np.array([1.0, 2.0, 6.0])  # variances 2 and 7
    assert standardised_mean_difference(few, many) == pytest.approx(1 / math.sqrt(4.5))


def test_a_difference_of_shares_is_that_of_its_formula() -> None:
    assert standardised_share_difference(0.2, 0.5) == pytest.approx(0.3 / math.sqrt((0.16 + 0.25) / 2))
    assert standardised_share_difference(0.0, 0.0) == 0
    assert math.isnan(standardised_share_difference(0.0, 1.0))


def test_properties_stand_side_by_side() -> None:
    inner = people("internal", lesion_voxels=[0, 10, 1000, 100], site=["A", "A", "B", "B"], missing=["", "pre", "", ""])
    outer = people("external", lesion_voxels=[100, 100, 10_000], site=["B", "C", "C"])
    found = population_differences(pd.concat([inner, outer], ignore_index=True))
    assert (of(found, "cases")["internal"], of(found, "cases")["external"]) == (4, 3)
    assert (of(found, "with a lesion")["internal"], of(found, "with a lesion")["external"]) == (0.75, 1)
    size = of(found, "lesion size")
    assert (size["unit"], size["internal_n"], size["internal"], size["external"]) == ("voxels", 3, 100, 100)
    logs = np.log([10, 1000, 100]), np.log([100, 100, 10_000])
    assert size["difference"] == pytest.approx(standardised_mean_difference(*logs)) != 0
    assert of(found, "without pre")["difference"] == pytest.approx(-0.25 / math.sqrt(0.1875 / 2))
    assert [name for name in found["property"] if name.startswith("site")] == ["site A", "site B", "site C"]
    assert of(found, "site A")["external"] == 0 and of(found, "site C")["external"] == pytest.approx(2 / 3)


def test_sizes_of_other_units_are_never_compared() -> None:
    inner = people("internal", lesion_voxels=[10, 20])
    outer = people("external", lesion_voxels=[10, 20], lesion_ml=[1.0, 2.0], spacing_slices=[3.0, 5.0])
    found = population_differences(pd.concat([inner, outer], ignore_index=True))
    sizes = found[found["property"] == "lesion size"].set_index("unit")
    assert sizes.loc["ml", ["internal_n", "external_n"]].tolist() == [0, 2]
    assert sizes.loc["voxels", ["internal_n", "external_n"]].tolist() == [2, 0]
    assert sizes["difference"].isna().all()
    assert math.isnan(of(found, "slice spacing")["internal"]) and of(found, "slice spacing")["external"] == 4


def test_a_cohort_of_which_nothing_is_known() -> None:
    found = population_differences(people("external", site=["", "A"]))
    assert found["difference"].isna().all()
    assert of(found, "cases")["internal"] == 0 and of(found, "site unknown")["external"] == 0.5
