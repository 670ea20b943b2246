"""The smallest difference that a comparison could have seen."""

import math

import numpy as np
import pytest
from scipy import stats

from headtohead.statistics.power import smallest_detectable


@pytest.mark.parametrize("n", [5, 11, 40, 110])
def test_the_noncentral_t_distribution_gives_it_eighty_per_cent(n: int) -> None:
    shift = smallest_detectable(n, 0.13) / 0.13 * math.sqrt(n)
    critical = stats.t.ppf(0.975, n - 1)
    power = stats.nct.sf(critical, n - 1, shift) + stats.nct.cdf(-critical, n - 1, shift)
    assert power == pytest.approx(0.8, abs=1e-5)


def test_many_cases_give_the_textbook_formula() -> None:
    assert smallest_detectable(1000, 2.0) == pytest.approx((1.95996 + 0.84162) * 2.0 / math.sqrt(1000), rel=2e-3)


def test_a_true_difference_of_that_size_is_found_four_times_in_five() -> None:
    differences = np.random.default_rng(0).normal(smallest_detectable(40, 0.1), 0.1, (40, 4000))
    assert np.mean(stats.ttest_1samp(differences, 0).pvalue < 0.05) == pytest.approx(0.8, abs=0.02)
    assert np.mean(stats.wilcoxon(differences, axis=0).pvalue < 0.05) == pytest.approx(0.78, abs=0.03)


@pytest.mark.parametrize("n", [0, 1, 2])
def test_fewer_than_three_cases_detect_nothing(n: int) -> None:
    assert math.isnan(smallest_detectable(n, 0.1))
