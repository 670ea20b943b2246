"""Patients without a lesion: who leaves them alone must never lose to who raises false alarms."""

import pandas as pd
import pytest
from scipy.stats import binomtest

from headtohead.readers.tasks import EARLIER_BASELINE as BASELINE
from headtohead.statistics.further import verdict_without_lesion
from headtohead.statistics.matrix import score_matrix
from headtohead.statistics.questions import compare_pairs
from headtohead.statistics.ranks import rank_distribution
from headtohead.statistics.verdict import verdict
from headtohead.statistics.without_lesion import compare_without_lesion, sum_up_without_lesion

HEALTHY, ILL = 20, 20


@pytest.fixture
def cases() -> pd.DataFrame:
    """20 healthy patients and 20 with a lesion; both models outline the lesions alike, the baseline finds nothing.

    On the healthy, `silent` predicts nothing, `alarmer` 50 voxels on each, and the baseline is silent on half.
    """
    rows = []
    for place in range(HEALTHY + ILL):
        healthy = place < HEALTHY
        for model in ("silent", "alarmer", BASELINE):
            false = {"silent": 0, "alarmer": 50 + place, BASELINE: 10 * (place % 2)}[model] if healthy else 20
            hit = 0 if healthy or model == BASELINE else 80 + (place + (model == "alarmer")) % 2
            missed = 0 if healthy else 100 - hit
            both = 2 * hit + false + missed
            rows.append(
                {"model": model, "schedule": "none", "seed": 0, "case": f"c{place:02}", "tp": hit, "fp": false}
                | {"fn": missed, "dice": 2 * hit / both if both else float("nan")}
            )
    return pd.DataFrame(rows)


def test_the_verdict_does_not_prefer_the_one_that_raises_false_alarms(cases: pd.DataFrame) -> None:
    models = cases[cases["model"] != BASELINE]
    matrix = score_matrix(models)
    pairs = compare_pairs(matrix)
    assert pairs["n"].tolist() == [ILL]
    assert not pairs["different"].any()
    assert "higher" not in verdict(matrix, pairs)
    assert rank_distribution(matrix).loc["silent none", 1] == pytest.approx(0.5, abs=0.15)


def test_every_entrant_is_scored_on_them_the_baseline_too(cases: pd.DataFrame) -> None:
    table = sum_up_without_lesion(cases).set_index("entrant")
    assert table.index.tolist() == ["silent none", "alarmer none", BASELINE]
    assert table["n"].tolist() == [HEALTHY] * 3
    assert table["left_alone"].tolist() == [20, 0, 10] and table["specificity"].tolist() == [1, 0, 0.5]
    sizes = table.loc["alarmer none", [f"false_voxels_{name}" for name in ("mean", "median", "minimum", "maximum")]]
    assert sizes.tolist() == [59.5, 59.5, 50, 69]
    assert table["false_ml_mean"].isna().all(), "no spacing, no millilitres"
    # Wilson's interval at all of 20, written out: 1 / (1 + z2 / n) to 1.
    assert table.loc["silent none", ["low", "high"]].tolist() == pytest.approx([1 / (1 + 1.959964**2 / 20), 1])


def test_they_are_tested_in_pairs_and_corrected_together(cases: pd.DataFrame) -> None:
    pairs = compare_without_lesion(cases).set_index(["score", "a", "b"])
    assert len(pairs) == 6
    alone = pairs.loc[("left_alone", "silent none", "alarmer none")]
    assert alone["p"] == binomtest(20, 20).pvalue and alone["test"] == "McNemar"
    assert (alone["wins"], alone["ties"], alone["losses"]) == (20, 0, 0)
    fewer = pairs.loc[("false_voxels", "silent none", "alarmer none")]
    assert fewer["mean_difference"] == -59.5 and fewer["wins"] == 20 and fewer["test"] == "Wilcoxon"
    assert alone["holm_p"] == pytest.approx(6 * alone["p"]), "the smallest of six"
    assert pairs["different"].all()


def test_they_have_a_sentence_of_their_own(cases: pd.DataFrame) -> None:
    text = verdict_without_lesion(sum_up_without_lesion(cases), compare_without_lesion(cases))
    assert text.startswith(
        "Of the 20 cases without a lesion, silent none leaves 20 alone and marks 0 voxels per case; "
        "alarmer none leaves 0 alone and marks 59.5 voxels per case; "
    )
    assert "silent none leaves more of them alone than alarmer none (McNemar p < 0.001)" in text
    assert "silent none marks fewer voxels on them than alarmer none (Wilcoxon p < 0.001)" in text


def test_of_many_entrants_the_least_and_the_most_are_named_and_who_is_ahead(cases: pd.DataFrame) -> None:
    healthy = cases[(cases["model"] == "alarmer") & (cases["tp"] + cases["fn"] == 0)]
    many = pd.concat([healthy.assign(model=f"m{one}", fp=(healthy["fp"] - 50) * one) for one in range(8)])
    text = verdict_without_lesion(sum_up_without_lesion(many), compare_without_lesion(many))
    assert text == (
        "Of the 20 cases without a lesion, the 8 entrants leave 1 (m1 none) to 20 (m0 none) alone and mark 0 (m0 none) "
        "to 66.5 (m7 none) voxels per case. In tests, m0 none leaves more of them alone than each of the other 7 "
        "(McNemar, corrected for 56 tests; pairs.csv has each). In tests, m0 none marks fewer voxels on them than each "
        "of the other 7 (Wilcoxon, corrected for 56 tests; pairs.csv has each)."
    )


@pytest.mark.parametrize(("healthy", "words"), [(1, "1 case is"), (7, "7 cases are")])
def test_few_of_them_are_said_to_be_too_few(cases: pd.DataFrame, healthy: int, words: str) -> None:
    few_cases = cases[cases["case"] < f"c{healthy:02}"]
    text = verdict_without_lesion(sum_up_without_lesion(few_cases), compare_without_lesion(few_cases))
    few = f"{words} too few: with 6 tests, no difference whatever its size can be shown on fewer than 8."
    assert text.endswith(few) and "no evidence" not in text


def test_millilitres_where_the_spacing_is_known(cases: pd.DataFrame) -> None:
    in_ml = cases.assign(volume_error_ml=(cases["fp"] - cases["fn"]) / 1000)
    assert sum_up_without_lesion(in_ml)["false_ml_mean"].tolist() == pytest.approx([0, 0.0595, 0.005])
    assert set(compare_without_lesion(in_ml)["score"]) == {"left_alone", "false_ml"}


def test_seeds_are_averaged_within_a_case(cases: pd.DataFrame) -> None:
    """A case that one seed of two leaves alone is half left alone, and McNemar's test counts cases, not seeds."""
    again = cases[cases["model"] == "silent"].assign(seed=1)
    again.loc[again["case"] == "c00", "fp"] = 8
    cases = pd.concat([cases, again], ignore_index=True)
    table = sum_up_without_lesion(cases).set_index("entrant")
    assert table.loc["silent none", ["left_alone", "false_voxels_maximum"]].tolist() == [19.5, 4]
    pairs = compare_without_lesion(cases).set_index(["score", "a", "b"])
    assert pairs.loc[("left_alone", "silent none", "alarmer none"), "n"] == HEALTHY


def test_where_all_have_a_lesion_there_is_nothing_to_say(cases: pd.DataFrame) -> None:
    ill = cases[cases["tp"] + cases["fn"] > 0]
    table, pairs = sum_up_without_lesion(ill), compare_without_lesion(ill)
    assert table.empty and pairs.empty and not verdict_without_lesion(table, pairs)


def test_where_none_has_a_lesion_there_is_no_dice_to_compare(cases: pd.DataFrame) -> None:
    matrix = score_matrix(cases[cases["tp"] + cases["fn"] == 0])
    assert verdict(matrix, compare_pairs(matrix)) == "No test case has a lesion, so there is no Dice to compare."
