"""Scores besides Dice: tested as one family, between models only."""

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.multitest import multipletests

from headtohead.readers.tasks import EARLIER_BASELINE as BASELINE
from headtohead.statistics.families import COLUMNS, PRIMARY, SECONDARY, WITHOUT_LESION, all_pairs, secondary_pairs
from headtohead.statistics.further import verdict_on_secondary
from headtohead.statistics.matrix import score_matrix
from headtohead.statistics.questions import compare_pairs
from headtohead.statistics.without_lesion import compare_without_lesion


@pytest.fixture
def cases() -> pd.DataFrame:
    """40 cases with a lesion. Dice is even; `b` has the higher surface Dice and fewer false components."""
    rng = np.random.default_rng(0)
    rows = []
    for place in range(40):
        dice, surface = rng.uniform(0.6, 0.9), rng.uniform(0.5, 0.7)
        for model in ("a", "b", BASELINE):
            better = model == "b"
            rows.append(
                {"model": model, "schedule": "none", "seed": 0, "case": f"c{place:02}", "tp": 80, "fp": 20, "fn": 20}
                | {"dice": dice + rng.normal(0, 0.02), "recall": 0.8, "precision": 0.8 + rng.normal(0, 0.02)}
                | {"surface_dice_px": surface + 0.05 * better + rng.normal(0, 0.02)}
                | {"lesions_false": float(rng.poisson(0.3 if better else 3))}
            )
    return pd.DataFrame(rows)


def test_each_score_and_pair_of_models_is_tested_and_all_are_corrected_together(cases: pd.DataFrame) -> None:
    pairs = secondary_pairs(cases)
    assert sorted(pairs["score"]) == ["lesions_false", "precision", "recall", "surface_dice_px"]
    assert set(pairs["a"] + pairs["b"]) == {"a noneb none"}, "the baseline is no contestant"
    assert pairs["holm_p"].tolist() == pytest.approx(multipletests(pairs["p"], method="holm")[1])
    found = pairs.set_index("score")
    assert found["different"].to_dict() == {
        "recall": False, "precision": False, "surface_dice_px": True, "lesions_false": True,
    }  # fmt: skip
    assert found.loc["lesions_false", "mean_difference"] > 0 and found.loc["lesions_false", "rank_biserial"] < 0


def test_one_sentence_names_what_differs(cases: pd.DataFrame) -> None:
    text = verdict_on_secondary(secondary_pairs(cases))
    assert text.startswith("Besides Dice, in ") and text.count(".") == text.count("0.") + 1
    assert "b none is better than a none in surface Dice (Wilcoxon p < 0.001)" in text
    assert "false components (Wilcoxon p < 0.001)" in text and "corrected for all 4 tests" in text
    even = secondary_pairs(cases.assign(surface_dice_px=0.5, lesions_false=1.0))
    assert verdict_on_secondary(even).startswith("Besides Dice, there is no evidence of a difference in ")


def test_too_few_cases_are_said_to_be_too_few(cases: pd.DataFrame) -> None:
    first = cases["case"].isin(sorted(cases["case"].unique())[:7])
    assert verdict_on_secondary(secondary_pairs(cases[first])) == (
        "Besides Dice, 7 cases are too few: with 4 tests, no difference whatever its size can be shown on fewer than 8."
    )


def test_scores_that_no_case_has_are_left_out(cases: pd.DataFrame) -> None:
    by_slice = cases.assign(surface_dice_px=np.nan, lesions_false=np.nan)
    assert sorted(secondary_pairs(by_slice)["score"]) == ["precision", "recall"]
    seeded = pd.concat([by_slice, by_slice.assign(seed=1, recall=by_slice["recall"] + 0.05)])
    without = seeded.drop(columns=["surface_dice_px", "lesions_false"])
    size = [secondary_pairs(table)["smallest_detectable"].tolist() for table in (seeded, without)]
    assert size[0] == pytest.approx(size[1], nan_ok=True), "what is not tested is not corrected for"
    assert secondary_pairs(cases[cases["model"] == "a"]).empty
    assert not verdict_on_secondary(secondary_pairs(cases[cases["model"] == "a"]))


def test_one_table_holds_all_families(cases: pd.DataFrame) -> None:
    healthy = pd.DataFrame({"model": ["a", "b", BASELINE], "schedule": "none", "seed": 0, "case": "healthy"})
    cases = pd.concat([cases, healthy.assign(tp=0, fp=[0, 5, 9], fn=0)], ignore_index=True)
    pairs, healthy_pairs = compare_pairs(score_matrix(cases)), compare_without_lesion(cases)
    table = all_pairs({PRIMARY: pairs, SECONDARY: secondary_pairs(cases), WITHOUT_LESION: healthy_pairs})
    assert table.columns.tolist() == COLUMNS
    assert table.groupby("family").size().to_dict() == {"primary": 3, "secondary": 4, "without lesion": 6}
    assert table["margin"].notna().sum() == 3
