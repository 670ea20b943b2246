"""Distances from a cloud of cases: against the plain formula, and where numbers are missing or cases few."""

import json

import numpy as np
import pytest

from headtohead.predicting.trust.profile import FEWEST, distance_from, profile_of

ALL, FIRST = np.ones(3, bool), np.array([True, False, False])
PARTS = {"": ALL, "rest": FIRST}


def cases(count: int = 400) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    one = rng.normal(size=(count, 1))
    return list(
        np.concatenate([one, one + 0.3 * rng.normal(size=(count, 1)), 5 + 2 * rng.normal(size=(count, 1))], 1)[:, None]
    )


def test_it_is_the_mahalanobis_distance_by_the_number_of_numbers() -> None:
    groups = cases()
    profile = profile_of(groups, PARTS)
    assert profile is not None
    flat = np.concatenate(groups)
    far = np.array([2.0, -2.0, 9.0])
    off = far - flat.mean(axis=0)
    plain = np.sqrt(off @ np.linalg.inv(np.cov(flat.T)) @ off / 3)
    assert distance_from(profile, far, ALL) == pytest.approx(plain, rel=0.1)
    assert distance_from(profile, np.array([3.0, 99, 99]), FIRST) == pytest.approx(3, rel=0.1)


def test_what_is_much_lies_beyond_the_cases() -> None:
    groups = cases()
    profile = profile_of(groups, PARTS)
    assert profile is not None
    inside = np.mean([distance_from(profile, group[0], ALL) < profile["much"][""] for group in groups])
    assert inside > 0.98
    assert distance_from(profile, np.array([2.0, -2.0, 5.0]), ALL) > profile["much"][""], "each is usual, not both"


def test_it_is_plain_data() -> None:
    profile = profile_of(cases(20), PARTS)
    assert json.loads(json.dumps(profile, allow_nan=False)) == profile


@pytest.mark.parametrize("count", [0, 1, FEWEST - 1])
def test_of_few_cases_nothing_is_said(count: int) -> None:
    assert profile_of(cases(count or 1)[:count], PARTS) is None


def test_more_numbers_than_cases_and_constant_ones_are_borne() -> None:
    groups = [np.concatenate([row[0], np.zeros(20)])[None] for row in cases(FEWEST)]
    profile = profile_of(groups, {"": np.ones(23, bool)})
    assert profile is not None
    assert np.isfinite(distance_from(profile, groups[0][0], np.ones(23, bool)))


def test_measurements_of_one_case_are_left_out_together() -> None:
    """Three slices of an odd case must not vouch for one another."""
    groups = [np.repeat(group, 3, axis=0) for group in cases(12)]
    groups[0] = np.repeat([[9.0, -9.0, 5.0]], 3, axis=0)
    profile = profile_of(groups, PARTS)
    lone = profile_of([groups[0][:1], *groups[1:]], PARTS)
    assert profile is not None and lone is not None
    assert profile["much"][""] > lone["much"][""]
