import math

import numpy as np
import pandas as pd
import pytest

from headtohead.readers.tasks import EARLIER_BASELINE as BASELINE
from headtohead.runs.run import ensemble_schedule
from headtohead.statistics.families import ensemble_pairs, secondary_pairs
from headtohead.statistics.further import verdict_on_ensembles
from headtohead.statistics.intervals import Interval
from headtohead.statistics.matrix import score_matrix
from headtohead.statistics.questions import compare_pairs
from headtohead.statistics.seeds import smallest_detectable_over_seeds
from headtohead.statistics.trainings import ENSEMBLE, TRAINED, trainings, with_seeds, without_ensembles

CASES = 40


def rows(model: str, scores: np.ndarray, seed: int | None = 0, schedule: str = "none") -> pd.DataFrame:
    """What one training leaves in cases.csv, with one score per case."""
    names = [f"case{place:02}" for place in range(len(scores))]
    table = pd.DataFrame(
        {"model": model, "schedule": schedule, "case": names, "dice": scores, "tp": 1, "fp": 0, "fn": 1}
    )
    return table.assign(seed=pd.array([seed] * len(table), dtype="Int64"))


def comparison(effects: dict[str, list[float]], noise: float = 0.02) -> pd.DataFrame:
    """Models whose seeds lie so far above a hard truth of each case."""
    rng = np.random.default_rng(0)
    hard = rng.uniform(0.3, 0.7, CASES)
    trained = [
        rows(model, hard + effect + rng.normal(0, noise, CASES), seed)
        for model, seeds in effects.items()
        for seed, effect in enumerate(seeds)
    ]
    return pd.concat(trained, ignore_index=True)


def test_seed_sd_is_over_seeds_of_the_mean_over_cases():
    cases = pd.concat([rows("a", np.array([0.2, 0.4]), 0), rows("a", np.array([0.6, 0.8]), 1)])
    found = trainings(cases).loc["a none"]
    assert (found["kind"], found["seeds"], found["freedom"]) == (TRAINED, 2, 1)
    assert found["seed_sd"] == pytest.approx(0.4 / math.sqrt(2))
    assert found["variance"] == pytest.approx(0.04)


def test_one_training_an_ensemble_and_the_baseline_have_no_seed_sd():
    scores = np.array([0.2, 0.4])
    ensemble = rows("a", scores, None, ensemble_schedule("none", 2))
    found = trainings(pd.concat([rows("a", scores), ensemble, rows(BASELINE, scores, None, "-")]))
    assert list(found["kind"]) == [TRAINED, ENSEMBLE, BASELINE]
    assert list(found["seeds"]) == [1, 0, 0]
    assert found["seed_sd"].isna().all()
    assert (found["variance"] == 0).all()
    assert without_ensembles(found) == ["a none", BASELINE]


def test_interval_of_a_mean_grows_with_several_seeds_and_stays_with_one():
    interval = Interval(0.9, 0.85, 0.95, n=9, undefined=0)
    once, thrice = ({"variance": 0.0, "freedom": 1}, {"variance": 0.02**2, "freedom": 2})
    assert with_seeds(interval, pd.Series(once)) == interval
    wide = with_seeds(interval, pd.Series(thrice), fraction=True)
    assert 0.8 < wide.low < 0.82
    assert 0.95 < wide.high <= 1


def test_seeds_that_do_not_agree_take_back_a_difference_that_the_cases_show():
    cases = comparison({"a": [0.10, 0.0, 0.05], "b": [0.02, -0.05, 0.03]})
    matrix, trained = score_matrix(cases), trainings(cases)
    blind, seeing = compare_pairs(matrix).iloc[0], compare_pairs(matrix, trained=trained).iloc[0]
    assert blind["different"]
    assert not seeing["different"]
    assert seeing["low"] < 0 < seeing["high"]
    assert seeing["p"] > 0.05
    assert seeing["test"] == "Wilcoxon and two-level t"
    assert seeing["smallest_detectable"] > 2 * blind["smallest_detectable"]


def test_a_difference_of_shares_lies_between_minus_one_and_one():
    cases = comparison({"a": [-0.25, 0.25], "b": [0.0]})
    pair = compare_pairs(score_matrix(cases), trained=trainings(cases)).iloc[0]
    assert (pair["low"], pair["high"], pair["low_90"], pair["high_90"]) == (-1, 1, -1, 1)
    both = cases.assign(recall=cases["dice"], lesions_false=10 * cases["dice"])
    found = secondary_pairs(both).set_index("score")
    assert found.loc["recall", ["low", "high"]].tolist() == [-1, 1]
    assert found.loc["lesions_false", "high"] > 10, "a count is no share"


def test_seeds_that_agree_leave_the_difference():
    cases = comparison({"a": [0.101, 0.1, 0.099], "b": [0.0, 0.001, -0.001]})
    pair = compare_pairs(score_matrix(cases), trained=trainings(cases)).iloc[0]
    assert pair["different"]


def test_equivalence_asks_the_seeds_too():
    steady = comparison({"a": [0.0, 0.0, 0.0], "b": [0.0, 0.001, -0.001]}, noise=0.005)
    luck = comparison({"a": [0.0, 0.03, -0.03], "b": [0.0, 0.03, -0.03]}, noise=0.005)
    equivalent = [
        compare_pairs(score_matrix(cases), 0.02, trained=trainings(cases)).iloc[0]["equivalent"]
        for cases in (steady, luck)
    ]
    assert equivalent == [True, False]


def test_an_ensemble_is_tested_against_its_own_seeds_and_other_ensembles_only():
    cases = comparison({"a": [0.0, 0.01], "b": [0.0, 0.01], BASELINE: [-0.1]})
    means = score_matrix(cases)
    ensembles = [
        rows(model, means[f"{model} none"].to_numpy() + 0.05, None, ensemble_schedule("none", 2))
        for model in ("a", "b")
    ]
    cases = pd.concat([cases, *ensembles], ignore_index=True)
    trained = trainings(cases)
    pairs = ensemble_pairs(score_matrix(cases), trained)
    of = "none, ensemble of 2 seeds"
    assert {frozenset(pair) for pair in zip(pairs["a"], pairs["b"], strict=True)} == {
        frozenset(("a none", f"a {of}")),
        frozenset(("b none", f"b {of}")),
        frozenset((f"a {of}", f"b {of}")),
    }
    matrix, both = score_matrix(cases), ["a none", f"a {of}"]
    pair = pairs[(pairs["a"] == both[0]) & (pairs["b"] == both[1])].iloc[0]
    variance = (matrix[both[0]] - matrix[both[1]]).var() / CASES
    assert pair["smallest_detectable"] == smallest_detectable_over_seeds(
        CASES, variance, trained.loc[both, "variance"], trained.loc[both, "freedom"], tests=3
    )
    words = verdict_on_ensembles(pairs)
    assert words.startswith("Of the ensembles, each a single draw with unknown seed SD, corrected for 3 pairs: ")


def test_ensembles_on_too_few_cases_are_said_to_be_so():
    names = ["a none", "a none, ensemble of 2 seeds"]
    pairs = pd.DataFrame({"a": names[:1], "b": names[1:], "n": [5], "different": [False]})
    assert verdict_on_ensembles(pairs) == (
        "Of the ensembles, 5 cases are too few: with one pair, no difference whatever its size can be shown on fewer "
        "than 6."
    )


def test_no_word_of_ensembles_without_one():
    cases = comparison({"a": [0.0, 0.01], "b": [0.0, 0.01]})
    pairs = ensemble_pairs(score_matrix(cases), trainings(cases))
    assert pairs.empty
    assert verdict_on_ensembles(pairs) == ""
