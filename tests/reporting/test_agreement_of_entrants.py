"""Dice between the masks of two entrants, whatever the truth says."""

import math

import numpy as np
import pytest

from headtohead.reporting.agreement_of_entrants import agreement_of, case_agreement


def mask(*voxels: int, targets: int = 1) -> np.ndarray:
    found = np.zeros((targets, 1, 1, 10), bool)
    found[0, 0, 0, list(voxels)] = True
    return found


def test_it_is_symmetric_and_counts_both_sides() -> None:
    assert case_agreement(mask(0, 1, 2), mask(2, 3)) == case_agreement(mask(2, 3), mask(0, 1, 2)) == 2 / 5
    assert case_agreement(mask(1), mask()) == 0
    assert math.isnan(case_agreement(mask(), mask()))


def test_of_several_targets_those_that_either_marks_count() -> None:
    one, other = mask(0, 1, targets=3), mask(0, targets=3)
    assert case_agreement(one, other) == pytest.approx(2 / 3)
    other[1, 0, 0, 5] = True
    assert case_agreement(one, other) == pytest.approx((2 / 3 + 0) / 2)


def test_pairs_of_entrants() -> None:
    masks = {("a", "1"): mask(0, 1), ("b", "1"): mask(0), ("c", "1"): mask(0, 1)}
    masks |= {("a", "2"): mask(), ("b", "2"): mask(), ("c", "2"): mask(4)}  # of a third case nothing is kept
    found = agreement_of("abc", ["1", "2", "3"], lambda entrant, case: masks.get((entrant, case)))
    assert found[["a", "b", "n"]].to_numpy().tolist() == [["a", "b", 1], ["a", "c", 2], ["b", "c", 2]]
    assert found["mean"].tolist() == pytest.approx([2 / 3, 1 / 2, 1 / 3])
    assert ((found["low"] <= found["mean"]) & (found["mean"] <= found["high"]) | found["low"].isna()).all()
    assert agreement_of("a", ["1"], lambda entrant, case: mask(1)).empty
