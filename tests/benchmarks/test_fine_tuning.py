"""The tables of benchmarks/fine_tuning.py, and how many patients it leaves for training."""

import pandas as pd
import pytest

from benchmarks.fine_tuning import fetal_summary, lgg_summary, validated
from headtohead.batches.splits import tenth_of


@pytest.mark.parametrize(("tested", "trained"), [(20, 5), (20, 10), (20, 20), (4, 2)])
def test_the_patients_that_choose_the_epoch_are_those_that_a_fold_takes(tested: int, trained: int) -> None:
    chosen = validated(tested, trained)
    assert chosen == tenth_of(tested + trained + chosen)


def test_differences_are_paired_by_patient_and_draw() -> None:
    rows = [
        {"case": case, "dice": dice, "start": start, "patients": 5, "draw": draw}
        for case, draw, random, trained in (
            ("a", 0, 0.1, 0.3),
            ("a", 1, 0.2, 0.2),
            ("b", 0, 0.5, 0.9),
            ("b", 1, 0.4, 0.6),
        )
        for start, dice in (("random", random), ("trained", trained))
    ]
    [line] = lgg_summary(pd.DataFrame(rows).sample(frac=1, random_state=0)).splitlines()[3:]
    assert line.startswith("| 5 | 0.300 | 0.500 | +0.300, +0.100 | +0.200 [")
    assert line.endswith(" | 2 |")


def test_masks_are_paired_by_training_and_stack() -> None:
    rows = [
        {"start": start, "stacks": 1, "trained": trained, "masked": masked, "dice": dice}
        for trained, masked, pair in (("x", "y", (0.2, 0.4)), ("x", "z", (0.6, 0.5)))
        for start, dice in zip(("random", "trained"), pair, strict=True)
    ]
    assert fetal_summary(pd.DataFrame(rows)).splitlines()[3] == "| 1 | 1 | 0.400 | 0.450 | 1 of 2 masks |"
