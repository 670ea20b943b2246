import math

import pytest
from scipy.stats import t as student

from headtohead.statistics.seeds import (
    equivalence_p,
    pooled,
    seed_variance,
    smallest_detectable_over_seeds,
    two_level_p,
    widened,
)


def test_variance_of_the_mean_over_seeds_is_that_of_a_seed_by_their_number():
    assert seed_variance([0.7, 0.8, 0.9]) == pytest.approx(0.01 / 3)
    assert seed_variance([[0.7, 0.8], [0.5, 0.5]]) == pytest.approx([0.0025, 0.0])
    assert math.isnan(seed_variance([0.7]))


def test_freedom_is_that_of_both_where_they_vary_alike_and_of_one_where_only_that_varies():
    total, freedom = pooled([[0.02, 0.02], [0.02, 0.0], [0.0, 0.0]], [[2, 2], [2, 4], [2, 4]])
    assert total == pytest.approx([0.04, 0.02, 0.0])
    assert freedom == pytest.approx([4, 2, 2])


def test_interval_is_that_over_cases_where_seeds_agree():
    low, high = widened(0.1, 0.05, 0.2, 0.0, 2)
    assert (low, high) == pytest.approx((0.05, 0.2))


def test_interval_is_that_of_the_t_test_over_seeds_where_cases_agree():
    low, high = widened(0.1, 0.1, 0.1, 0.0004, 2)
    reach = student.ppf(0.975, 2) * 0.02
    assert (low, high) == pytest.approx((0.1 - reach, 0.1 + reach))


def test_two_parts_are_added_by_their_squares_and_skewness_stays():
    low, high = widened(0.0, -3.0, 8.0, (4 / student.ppf(0.975, 2)) ** 2, 2)
    assert (low, high) == pytest.approx((-5.0, math.sqrt(80)))


def test_p_is_that_of_the_t_test_where_only_one_part_varies():
    assert two_level_p(0.03, 0.01**2, 40, 0.0, 2) == pytest.approx(2 * student.sf(3, 39), rel=1e-6)
    assert two_level_p(-0.03, 0.0, 40, 0.01**2, 2) == pytest.approx(2 * student.sf(3, 2), rel=1e-6)
    assert two_level_p(0.0, 0.01**2, 40, 0.01**2, 2) == 1


def test_p_and_interval_agree_on_zero():
    reach = student.ppf(0.975, 39) * 0.01
    low, _ = widened(0.05, 0.05 - reach, 0.05 + reach, 0.01**2, 3)
    edge = 0.05 - low
    assert two_level_p(edge, 0.01**2, 40, 0.01**2, 3) == pytest.approx(0.05, rel=1e-6)


def test_equivalence_needs_seeds_that_agree():
    assert equivalence_p(0.001, 0.02, 0.003**2, 100, 0.0, 2) < 0.001
    assert equivalence_p(0.001, 0.02, 0.003**2, 100, 0.02**2, 2) > 0.05
    assert equivalence_p(0.05, 0.02, 0.003**2, 100, 0.0, 2) > 0.5


def test_smallest_detectable_is_that_of_the_t_test_without_luck_and_grows_with_it():
    from headtohead.statistics import power

    without = smallest_detectable_over_seeds(100, 0.1**2 / 100, [0, 0], [2, 2])
    assert without == pytest.approx(power.smallest_detectable(100, 0.1), rel=0.01)
    with_luck = smallest_detectable_over_seeds(100, 0.1**2 / 100, [0.01**2, 0.01**2], [2, 2])
    two_seeds = smallest_detectable_over_seeds(100, 0.1**2 / 100, [0.01**2, 0.01**2], [1, 1])
    assert without * 1.5 < with_luck < two_seeds
    assert smallest_detectable_over_seeds(100, 0.1**2 / 100, [0.01**2, 0.01**2], [2, 2], tests=3) > with_luck
    assert math.isnan(smallest_detectable_over_seeds(2, 0.1, [0, 0], [1, 1]))
    assert math.isnan(smallest_detectable_over_seeds(20, 0.0, [0, 0], [1, 1]))
