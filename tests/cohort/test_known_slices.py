"""Copies of scans are recognised by their slices; what different patients share tells nothing."""

from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pandas as pd

from headtohead.cohort import Cohort
from headtohead.cohort.known_slices import is_of_one_person, same_pixels


def volumes(*slices: list[np.ndarray]) -> Any:
    """Make what `same_pixels` asks of a cohort from the slices of its cases, a, b, ..."""
    names = [chr(ord("a") + place) for place in range(len(slices))]
    height, width = slices[0][0].shape
    table = pd.DataFrame({"case": names, "height": height, "width": width})
    return SimpleNamespace(table=table, primary=lambda place: np.stack(slices[place]))


def test_a_slice_of_one_patient_tells_a_copy_and_one_that_patients_share_does_not() -> None:
    rng, blank = np.random.default_rng(3), np.zeros((64, 64), np.uint8)
    anatomy = 90 + cv2.GaussianBlur(rng.normal(0, 400, blank.shape), (0, 0), 6)
    heads = [(anatomy + rng.normal(0, 6, blank.shape)).clip(0, 250).astype(np.uint8) for _ in "abcd"]
    marked, lettered = blank.copy(), blank.copy()
    cv2.putText(marked, "R", (4, 58), cv2.FONT_HERSHEY_SIMPLEX, 0.6, 255, 1, cv2.LINE_AA)
    for line in range(5):
        cv2.putText(lettered, "TR 45 TE 9", (2, 10 + 8 * line), cv2.FONT_HERSHEY_SIMPLEX, 0.3, 200, 1, cv2.LINE_AA)
    ramp = np.tile(np.arange(64, dtype=np.uint8), (64, 1))
    everybodys = [blank, blank + 1, marked, lettered, ramp]
    known = volumes([*everybodys, heads[0], heads[1]], [*everybodys, heads[2]])
    stranger, copy_of_b, cut_copy_of_a = [*everybodys, heads[3]], [blank, heads[2]], [heads[1], marked]
    darker = [np.rint(0.8 * heads[1] - 1).clip(0).astype(np.uint8)]
    found = same_pixels(volumes(stranger, copy_of_b, cut_copy_of_a, darker), known)
    assert found == {"b": "b", "c": "a", "d": "a"}, "by their noise, since all heads are alike here"


def test_nearly_every_slice_counts(phantom_cohort: Cohort) -> None:
    slices = [one for case in range(len(phantom_cohort)) for one in phantom_cohort.primary(case)]
    assert np.mean([is_of_one_person(one) for one in slices]) > 0.95
