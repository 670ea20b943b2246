"""Comparisons whose truth is known: see benchmarks/seed_simulation.py, which prints the same for results/seeds.md."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks.seed_simulation import (
    ALARM_LUCK,
    REPETITIONS,
    SEEDS,
    World,
    false_alarm_rate,
    false_rate,
    found_rate,
    higher,
    several,
    worlds_of,
)
from benchmarks.seed_spread import measure, read_scores
from headtohead.statistics import intervals
from headtohead.statistics.questions import compare_pairs
from headtohead.statistics.seeds import seed_variance
from headtohead.statistics.trainings import COLUMNS, TRAINED

MEASURED = Path(__file__).parents[2] / "results" / "seeds" / "cases.csv"
NOISE = 2.5 * (0.05 * 0.95 / REPETITIONS) ** 0.5  # of a rate of 5 % in so many repetitions
POWER_NOISE = 2.5 * (0.2 * 0.8 / REPETITIONS) ** 0.5


@pytest.fixture(scope="module")
def worlds() -> dict[str, World]:
    return worlds_of(measure(*read_scores(MEASURED)))


def test_simulation_judges_as_the_program_does(worlds: dict[str, World]):
    scores = replace(worlds["0.010"], seed_sd=(0.01,) * 3).draw(np.random.default_rng(0), 12, 3, ahead=0.04)
    simulated, judged = higher(scores), []
    for one in scores:
        luck = seed_variance(one.mean(axis=0))
        names = ["a", "b", "c"]
        rows = [(TRAINED, 3, 0.0, variance, 2) for variance in luck]
        trained = pd.DataFrame(rows, columns=COLUMNS, index=names)
        judged.append(compare_pairs(pd.DataFrame(one.mean(axis=2), columns=names), trained=trained)["different"])
    assert 0 < simulated.sum() < simulated.size
    assert np.array_equal(simulated, np.array(judged, dtype=bool))


@pytest.mark.exhaustive
@pytest.mark.parametrize("models", [2, 4])
@pytest.mark.parametrize("seeds", SEEDS)
def test_false_higher_is_at_most_one_in_twenty(
    worlds: dict[str, World], seeds: int, models: int, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(intervals, "RESAMPLES", 1000)
    for world in worlds.values():
        rate = false_rate(replace(world, seed_sd=several(world.seed_sd, models)), REPETITIONS, seeds)
        assert rate <= 0.05 + NOISE


@pytest.mark.exhaustive
@pytest.mark.parametrize("seeds", SEEDS)
def test_false_word_on_healthy_cases_is_at_most_one_in_twenty(seeds: int):
    for luck in ALARM_LUCK:
        assert false_alarm_rate(luck, REPETITIONS, seeds) <= 0.05 + NOISE


@pytest.mark.exhaustive
@pytest.mark.parametrize("seeds", SEEDS)
def test_a_difference_of_the_stated_size_is_found_four_times_in_five(
    worlds: dict[str, World], seeds: int, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(intervals, "RESAMPLES", 1000)
    for world in worlds.values():
        _, rate = found_rate(world, REPETITIONS, seeds)
        assert rate >= 0.8 - POWER_NOISE
