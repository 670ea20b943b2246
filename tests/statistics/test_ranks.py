"""Shares of the resamples in which an entrant has a rank."""

import itertools

import numpy as np
import pandas as pd
import pytest

from headtohead.errors import UserError
from headtohead.statistics.ranks import rank_distribution


def test_few_cases_agree_with_all_ways_to_draw_them() -> None:
    matrix = pd.DataFrame({"a": [0.9, 0.2, 0.6], "b": [0.5, 0.7, 0.4], "c": [0.65, 0.35, 0.5]})
    expected = np.zeros((3, 3))
    for draw in itertools.product(range(3), repeat=3):
        means = matrix.iloc[list(draw)].mean().round(9)
        for place, entrant in enumerate(means):
            ranks = np.flatnonzero(np.sort(-means.to_numpy()) == -entrant)
            expected[place, ranks] += 1 / len(ranks) / 27
    found = rank_distribution(matrix)
    assert found.index.tolist() == ["a", "b", "c"]
    assert found.columns.tolist() == [1, 2, 3]
    assert found.to_numpy() == pytest.approx(expected, abs=0.02)


def test_the_better_in_every_case_is_always_first() -> None:
    worse = np.random.default_rng(0).random(20)
    found = rank_distribution(pd.DataFrame({"worse": worse, "better": worse + 0.1}))
    assert found.loc["better", 1] == found.loc["worse", 2] == 1


def test_equal_entrants_share_their_ranks() -> None:
    scores = np.random.default_rng(0).random(20)
    found = rank_distribution(pd.DataFrame({"last": scores - 0.5, "one": scores, "other": scores}))
    assert found.to_numpy().tolist() == [[0, 0, 1], [0.5, 0.5, 0], [0.5, 0.5, 0]]


def test_rows_and_columns_add_up_and_nothing_is_left_to_chance() -> None:
    matrix = pd.DataFrame(np.random.default_rng(1).random((15, 5)))
    found = rank_distribution(matrix)
    assert found.sum(axis=0).tolist() == pytest.approx([1] * 5)
    assert found.sum(axis=1).tolist() == pytest.approx([1] * 5)
    assert found.equals(rank_distribution(matrix))


def test_a_missing_score_is_refused_not_left_out() -> None:
    with pytest.raises(UserError, match="has no score on"):
        rank_distribution(pd.DataFrame({"a": [0.1, 0.2], "b": [0.2, np.nan]}))


def test_without_a_case_there_are_no_ranks() -> None:
    assert rank_distribution(pd.DataFrame({"a": [], "b": []}, dtype=float)).isna().all(axis=None)
