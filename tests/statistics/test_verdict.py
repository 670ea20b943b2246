"""Words that follow the numbers."""

import re
from itertools import combinations

import numpy as np
import pandas as pd
import pytest

from headtohead.statistics.decimals import p_value
from headtohead.statistics.further import verdict_on_secondary
from headtohead.statistics.questions import compare_pairs
from headtohead.statistics.verdict import verdict
from headtohead.statistics.words import BETTER, who_is_ahead
from tests.matrices import thinned

CASES = 60
BASELINE = "flair-threshold"


def matrix_of(seed: int = 0, spread: float = 0.03, cases: int = CASES, **shifts: float) -> pd.DataFrame:
    """Entrants that differ from a hard truth of each case by their shift and noise."""
    rng = np.random.default_rng(seed)
    hard = rng.uniform(0.4, 0.8, cases)
    return pd.DataFrame({name: hard + shift + rng.normal(0, spread, cases) for name, shift in shifts.items()})


def said(matrix: pd.DataFrame) -> str:
    """The verdict where nothing is equivalent, for what `test_equivalence.py` tests."""
    return verdict(matrix, compare_pairs(matrix, margin=1e-6))


def test_two_that_differ_are_ordered_with_the_difference_and_its_interval() -> None:
    matrix = matrix_of(a=0.0, b=0.1)
    pair = compare_pairs(matrix).iloc[0]
    assert said(matrix) == (
        f"b scores higher than a: mean difference in Dice {-pair['mean_difference']:.3f} (95 % interval "
        f"{-pair['high']:.3f} to {-pair['low']:.3f}, n = 60 cases, Wilcoxon p < 0.001)."
    )


def test_two_that_do_not_differ_have_no_winner_but_a_smallest_detectable_difference() -> None:
    matrix = matrix_of(a=0.0, b=0.001)
    pair = compare_pairs(matrix).iloc[0]
    assert pair["low"] < 0 < pair["high"]
    text = said(matrix)
    assert text.startswith("No evidence of a difference between ")
    assert f"finds a true difference of {pair['smallest_detectable']:.3f} four times in five" in text
    assert f"Wilcoxon p = {p_value(pair['holm_p'])})" in text
    assert "higher" not in text


def test_one_above_all_others_is_said_to_be_with_the_next_named() -> None:
    text = said(matrix_of(a=0.1, b=0.0, c=0.2))
    assert text.startswith("c scores higher than each of the other 2 models: against a, the next, mean difference")
    assert "corrected for 3 pairs" in text


def test_all_alike_are_named_together() -> None:
    text = said(matrix_of(a=0.0, b=0.0, c=0.0))
    assert re.match(r"No evidence of a difference between any two of [abc], [abc] and [abc]: a single test", text)
    assert "higher" not in text and "lower" not in text


def test_some_alike_and_some_lower() -> None:
    text = said(matrix_of(a=0.2, b=0.2, c=0.0, d=0.1))
    assert re.match(r"No evidence of a difference between (a and b|b and a): mean difference in Dice ", text)
    assert re.search(r"d and c score lower than [ab]\.$", text)
    assert re.search(r" c scores lower than [ab]\.$", said(matrix_of(a=0.2, b=0.2, c=0.0)))


def test_an_uncertain_leader_does_not_hide_that_others_differ() -> None:
    rng = np.random.default_rng(0)
    b = rng.uniform(0.4, 0.8, CASES)
    a = rng.uniform(0.2, 1.0, CASES)
    a += b.mean() + 0.005 - a.mean()
    matrix = pd.DataFrame({"a": a, "b": b, "c": b - 0.01 + rng.normal(0, 0.01, CASES)})
    text = said(matrix)
    assert text.startswith("No evidence of a difference between a and any of b and c: ")
    assert text.endswith("Of the others, b scores higher than c.")


def test_the_baseline_is_no_contestant_but_is_spoken_of() -> None:
    text = said(matrix_of(a=0.2, b=0.0, **{BASELINE: -0.2}))
    assert text.startswith("a scores higher than b: ")
    assert text.endswith(f"Against the baseline, {BASELINE}: every model scores higher.")
    best = said(matrix_of(a=0.0, b=0.0, **{BASELINE: 0.2}))
    assert best.startswith("No evidence of a difference between ")
    assert re.search(rf"Against the baseline, {BASELINE}: [ab] and [ab] score lower\.$", best)


def test_models_above_below_and_beside_the_baseline_are_told_apart() -> None:
    text = said(matrix_of(a=0.2, b=0.0, c=-0.2, **{BASELINE: 0.0}))
    assert text.endswith(
        f"Against the baseline, {BASELINE}: a scores higher; c scores lower; "
        "there is no evidence of a difference for b."
    )


def test_one_model_and_the_baseline() -> None:
    assert said(matrix_of(a=0.2, **{BASELINE: 0.0})) == (
        "a is the only model scored on every case, so there is nothing to compare it with. "
        f"Against the baseline, {BASELINE}: a scores higher."
    )
    assert said(matrix_of(a=0.2)) == "a is the only model scored on every case, so there is nothing to compare it with."
    assert said(matrix_of(**{BASELINE: 0.0})) == "No model was scored on every case."


@pytest.mark.parametrize(("cases", "enough"), [(5, False), (6, True)])
def test_too_few_cases_are_said_to_be_too_few_whatever_they_show(cases: int, enough: bool) -> None:
    text = said(matrix_of(a=0.0, b=0.5, cases=cases))
    assert text.startswith("b scores higher than a") is enough
    if not enough:
        assert text == (
            "5 cases are too few: with one pair of entrants, no difference whatever its size can be shown on fewer "
            "than 6."
        )


def test_more_pairs_need_more_cases() -> None:
    shifts = {"a": 0.0, "b": 0.5, "c": 1.0}
    assert "with 3 pairs of entrants" in said(matrix_of(cases=6, **shifts))
    assert said(matrix_of(cases=7, **shifts)).startswith("c scores higher than each of the other 2 models")


def test_an_end_that_would_read_as_zero_is_given_more_digits() -> None:
    matrix = matrix_of(a=0.0, b=0.1)
    pairs = compare_pairs(matrix).assign(high=-0.0003)
    assert "95 % interval 0.0003 to " in verdict(matrix, pairs)


@pytest.mark.parametrize("seed", thinned(range(25), range(5)))
def test_nobody_is_higher_or_lower_in_words_who_is_not_so_in_numbers(seed: int) -> None:
    rng = np.random.default_rng(seed)
    matrix = matrix_of(seed, cases=25, **{name: rng.normal(0, 0.02) for name in ("p", "q", "r")})
    pairs = compare_pairs(matrix)
    shown = {
        (row.a, row.b) if row.mean_difference > 0 else (row.b, row.a) for row in pairs.itertuples() if row.different
    }
    text = verdict(matrix, pairs)
    claimed = set(re.findall(r"([pqr]) scores higher than ([pqr])\b", text))
    for losers, winner in re.findall(r"((?:[pqr] and )?[pqr]) scores? lower than ([pqr])", text):
        claimed |= {(winner, loser) for loser in losers.split(" and ")}
    if found := re.match(r"([pqr]) scores higher than each", text):
        claimed |= {(found[1], other) for other in {"p", "q", "r"} - {found[1]}}
    assert claimed <= shown
    assert ("No evidence" in text) == (not text.startswith(tuple(f"{name} scores higher than" for name in "pqr")))
    for _, row in pairs[~pairs["different"]].iterrows():
        assert (row["a"], row["b"]) not in claimed and (row["b"], row["a"]) not in claimed


def test_where_test_and_interval_disagree_both_are_said() -> None:
    """Small wins in most cases against two large losses: ranks see the wins, the mean sees the losses."""
    rng = np.random.default_rng(0)
    differences = np.concatenate([rng.uniform(0.005, 0.02, 48), [-0.5, -0.6]])
    matrix = pd.DataFrame({"b": np.full(50, 0.7), "a": 0.7 + differences})
    pairs = compare_pairs(matrix)
    assert pairs["holm_p"].iloc[0] < 0.05 and not pairs["different"].iloc[0]
    words = verdict(matrix, pairs)
    assert "no evidence of a difference in mean Dice, because its interval holds zero" in words
    assert "No evidence" not in words and "scores higher" not in words
    assert "the ranks favour a by more than chance would give, and it is higher in 48 of 50 cases" in words
    assert words.startswith("Between b and a ") and words.endswith(", that of b minus a.")


def test_where_no_difference_could_be_found_no_size_is_named() -> None:
    matrix = matrix_of(a=0.0, b=0.001)
    pairs = compare_pairs(matrix, margin=1e-6).assign(smallest_detectable=1.3, test="Wilcoxon and two-level t")
    text = verdict(matrix, pairs)
    assert "such a comparison on n = 60 cases finds no difference in Dice four times in five, however large" in text
    assert "1.3" not in text


EIGHT = tuple("abcdefgh")


def test_of_many_entrants_the_first_is_named_and_how_many_it_is_against() -> None:
    matrix = matrix_of(**{name: 0.04 * place for place, name in enumerate(EIGHT)}, **{BASELINE: -0.2})
    pairs = compare_pairs(matrix, margin=0.09)
    alike = int(pairs["equivalent"].sum())
    text = verdict(matrix, pairs)
    assert text.startswith("h scores higher than each of the other 7 models: against g, the next, mean difference ")
    assert alike > 6 and text.endswith(
        f", corrected for 36 pairs). Equivalent in mean Dice within 0.09: {alike} pairs (two one-sided tests, "
        f"corrected for 36 pairs; pairs.csv has each). Against the baseline, {BASELINE}: every model scores higher."
    )


def test_of_many_entrants_those_that_cannot_be_told_apart_are_named_and_the_others_are_counted() -> None:
    lower = {name: 0.02 * place - 0.2 for place, name in enumerate("cdefghi")}
    text = said(matrix_of(a=0.2, b=0.2, **lower, **{BASELINE: 1.5}))
    assert re.match(r"No evidence of a difference between (a and b|b and a): mean difference in Dice ", text)
    assert re.search(r"\. The other 7 models score lower than [ab]\. ", text)
    assert text.endswith(f"Against the baseline, {BASELINE}: all 9 models score lower.")


@pytest.mark.parametrize(
    ("better", "words"),
    [
        ((), "there is no evidence of a difference"),
        (("ab", "ac", "ad"), "a is better than each of the other 3"),
        (("ac", "ad", "bc", "bd", "cd"), "a and b are better than each of the other 2"),
        (("ad", "bd", "cd"), "a, b and c are better than d"),
        (("ad", "bd"), "nobody is shown to be better than a, b or c, and 2 of 6 pairs differ"),
        (("ab", "bc", "ca", "ad", "bd", "cd"), "6 of 6 pairs differ"),
    ],
)
def test_who_is_ahead_of_many_is_shown_to_be_so_against_each(better: tuple[str, ...], words: str) -> None:
    assert who_is_ahead([*"abcd"], [(pair[0], pair[1]) for pair in better], BETTER) == words


@pytest.mark.parametrize("names", ["abc", "abcde"])
def test_many_pairs_in_other_scores_become_a_few_words(names: str) -> None:
    """The later one has more of each score, which is worse of false components."""
    tested = {"precision": True, "lesions_false": True, "recall": True, "surface_dice_mm": False}
    rows = [(score, a, b, shown) for score, shown in tested.items() for a, b in combinations(names, 2)]
    pairs = pd.DataFrame(rows, columns=["score", "a", "b", "different"])
    text = verdict_on_secondary(pairs.assign(n=60, test="Wilcoxon", holm_p=0.001, mean_difference=-0.1))
    if names == "abc":
        assert text.count(" is better than ") == 6 and "c is better than a in precision (Wilcoxon p = 0.001)" in text
        return
    assert text == (
        "Besides Dice, in precision and recall, e is better than each of the other 4; in false components, a is better "
        "than each of the other 4; in surface Dice, there is no evidence of a difference (Wilcoxon, corrected for all "
        "40 tests; pairs.csv has each)."
    )
