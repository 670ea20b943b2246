"""Numbers in words: digits, signs, and what stands where there is no number."""

import math

import numpy as np
import pandas as pd
import pytest

from headtohead.reporting.page import wording


@pytest.mark.parametrize("value", [None, math.nan, np.float64("nan"), "", pd.NA, pd.NaT])
def test_what_is_missing_is_a_dash(value: object) -> None:
    writers = (
        wording.score,
        wording.signed_difference,
        wording.p_in_words,
        wording.count_in_words,
        wording.share,
        wording.size,
    )
    assert {write(value) for write in (*writers, wording.duration)} == {"–"}
    assert wording.interval(value, 0.5) == ""


def test_zero_and_words_are_not_missing() -> None:
    assert not any(wording.missing(value) for value in (0, 0.0, False, "nan of a name", np.int64(0)))


@pytest.mark.parametrize(
    ("value", "text"), [(0.0124, "+0.012"), (-0.0036, "−0.004"), (-0.0002, "−0.0002"), (0, "0.000")]
)
def test_a_difference_has_its_sign_unless_it_rounds_to_nothing(value: float, text: str) -> None:
    assert wording.signed_difference(value) == text


@pytest.mark.parametrize(
    ("tests", "said", "unsaid"),
    [
        (["Wilcoxon"], "a single test", "correction"),
        (["Wilcoxon"] * 3, "a single test on these cases detects four times in five, before the correction", "seeds"),
        (["Wilcoxon and two-level t"] * 3, "so many cases and seeds and after the correction for all pairs", "single"),
        (["Wilcoxon and two-level t"], "so many cases and seeds", "correction"),
        (["Wilcoxon", "Wilcoxon and two-level t"], "Where an entrant was trained several times, ", "power is lower"),
    ],
)
def test_the_band_holds_the_correction_only_where_seeds_were_tested(tests: list[str], said: str, unsaid: str) -> None:
    text = wording.band(pd.DataFrame({"test": tests}))
    assert said in text and unsaid not in text and text.endswith(".")


def test_intervals() -> None:
    assert wording.interval(0.8123, 0.8577) == "[0.812, 0.858]"
    assert wording.interval(-0.01, 0.02, signed=True) == "[−0.010, +0.020]"


@pytest.mark.parametrize(("value", "text"), [(0.0312, "0.031"), (0.001, "0.001"), (0.00099, "< 0.001"), (1.0, "1.00")])
def test_p_is_never_zero(value: float, text: str) -> None:
    assert wording.p_in_words(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0 %"), (0.002, "< 1 %"), (0.344, "34 %"), (0.998, "> 99 %"), (1, "100 %")]
)
def test_a_share_is_not_rounded_to_never_or_always(value: float, text: str) -> None:
    assert wording.share(value) == text


def test_sizes_and_counts() -> None:
    assert wording.size(7_782_913) == "7.8 M"
    assert wording.size(2) == "2"
    assert wording.count_in_words(np.float64(14379.0)) == "14,379"


@pytest.mark.parametrize(
    ("seconds", "text"), [(4.2, "4 s"), (89, "89 s"), (896, "15 min"), (5399, "1 h 30 min"), (11100, "3 h 05 min")]
)
def test_durations(seconds: float, text: str) -> None:
    assert wording.duration(seconds) == text
