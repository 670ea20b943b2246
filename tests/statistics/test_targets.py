"""Several targets: the primary score is the mean over those that the truth holds; all tests of a family together."""

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.multitest import multipletests

from headtohead.readers.tasks import EARLIER_BASELINE as BASELINE
from headtohead.statistics.families import (
    PRIMARY,
    SECONDARY,
    TARGETS,
    WITHOUT_LESION,
    all_pairs,
    compare_targets,
    secondary_pairs,
)
from headtohead.statistics.further import verdict_on_targets, verdict_without_lesion
from headtohead.statistics.matrix import score_matrix
from headtohead.statistics.questions import compare_pairs
from headtohead.statistics.subgroups import subgroup_table
from headtohead.statistics.targets import MEAN, each_target, over_targets
from headtohead.statistics.without_lesion import compare_without_lesion, sum_up_without_lesion

NAMES = ("whole", "core", "enhancing")
HELD = {"c0": 3, "c1": 2, "c2": 0}
"""How many of the targets the truth of the first cases holds; that of all others holds all."""


@pytest.fixture
def cases() -> pd.DataFrame:
    """40 cases; `b` is better in the enhancing part alone, and raises false alarms of it."""
    rng = np.random.default_rng(0)
    rows = []
    for place in range(40):
        hard, name = rng.uniform(0, 0.1), f"c{place}"
        for model in ("a", "b", BASELINE):
            for number, target in enumerate(NAMES):
                held = number < HELD.get(name, 3)
                dice = 0.8 - hard + rng.normal(0, 0.02) + 0.06 * (model == "b" and target == "enhancing")
                rows.append(
                    {"model": model, "schedule": "none", "seed": pd.NA if model == BASELINE else 0, "fold": 0}
                    | {"case": name, "target": target, "site": "CS" if place % 2 else "DU", "slices": 5}
                    | {"tp": 80 * held, "fp": 5 if held or model == "b" else 0, "fn": 20 * held}
                    | {"lesion_voxels": 100 * held * (place + 1), "dice": dice if held else np.nan}
                    | {"recall": 0.8 if held else np.nan}
                )
    return pd.DataFrame(rows).astype({"seed": "Int64"})


def test_a_case_has_the_mean_over_the_targets_that_its_truth_holds(cases: pd.DataFrame) -> None:
    primary = over_targets(cases)
    assert len(primary) == 40 * 3 and "target" not in primary
    long = cases[cases["model"] == "a"].pivot_table(index="case", columns="target", values="dice", dropna=False)
    found = primary[primary["model"] == "a"].set_index("case")
    assert found.loc["c0", "dice"] == pytest.approx(long.loc["c0"].mean())
    assert found.loc["c1", "dice"] == pytest.approx(long.loc["c1", ["whole", "core"]].mean())
    assert np.isnan(found.loc["c2", "dice"]) and found.loc["c2", ["tp", "fn"]].sum() == 0
    assert "c2" not in score_matrix(primary).index and len(score_matrix(primary)) == 39
    assert (found.loc["c5", ["tp", "fp", "fn", "slices"]] == [240, 15, 60, 5]).all()


def test_a_false_alarm_changes_nobodys_place_in_the_mean(cases: pd.DataFrame) -> None:
    """Only the truth decides which targets of a case count."""
    loud = cases.assign(fp=cases["fp"] + 1000)
    pd.testing.assert_frame_equal(score_matrix(over_targets(cases)), score_matrix(over_targets(loud)))


def test_one_target_is_left_as_it_is(cases: pd.DataFrame) -> None:
    [whole, *_] = each_target(cases).values()
    assert over_targets(whole) is whole and each_target(whole) == {"": whole}
    assert compare_targets(whole, 0.02).empty
    scored = sum_up_without_lesion(whole)
    assert "target" not in scored and scored["n"].tolist() == [1, 1, 1]


def test_every_target_is_tested_between_models_and_all_are_corrected_together(cases: pd.DataFrame) -> None:
    pairs = compare_targets(cases, 0.02)
    assert pairs["target"].tolist() == list(NAMES) and set(pairs["a"] + pairs["b"]) == {"a noneb none"}
    assert pairs["n"].tolist() == [39, 39, 38]
    assert pairs["holm_p"].tolist() == pytest.approx(multipletests(pairs["p"], method="holm")[1])
    assert pairs["tost_holm_p"].tolist() == pytest.approx(multipletests(pairs["tost_p"], method="holm")[1])
    assert pairs["different"].tolist() == [False, False, True]
    alone = compare_pairs(score_matrix(each_target(cases)["core"])[["a none", "b none"]])
    assert alone["p"].iloc[0] == pairs["p"].iloc[1] and alone["holm_p"].iloc[0] < pairs["holm_p"].iloc[1]
    text = verdict_on_targets(pairs)
    assert text.startswith("Dice target by target, in whole, core and enhancing (corrected for all 3 tests): ")
    assert text.endswith("b none is better than a none in enhancing (Wilcoxon p < 0.001).")


def test_a_target_that_no_case_holds_is_no_test(cases: pd.DataFrame) -> None:
    lost = cases["target"] == "core"
    cases = cases.assign(**{one: cases[one].where(~lost, 0) for one in ("tp", "fn")}, dice=cases["dice"].where(~lost))
    pairs = compare_targets(cases, 0.02)
    assert pairs["target"].tolist() == ["whole", "enhancing"]
    assert "(corrected for all 2 tests)" in verdict_on_targets(pairs)


def test_cases_without_a_target_are_scored_for_it(cases: pd.DataFrame) -> None:
    table, pairs = sum_up_without_lesion(cases), compare_without_lesion(cases)
    assert table.groupby("target", sort=False)["n"].first().to_dict() == {"whole": 1, "core": 1, "enhancing": 2}
    assert table.set_index(["target", "entrant"]).loc[("enhancing", "a none"), "left_alone"] == 2
    assert len(pairs) == 3 * 3 * 2 and set(pairs["target"]) == set(NAMES)
    tested = pairs["p"].notna()
    assert pairs.loc[tested, "holm_p"].tolist() == pytest.approx(
        multipletests(pairs.loc[tested, "p"], method="holm")[1]
    )
    assert verdict_without_lesion(table, pairs) == (
        "Too few cases are without whole (1), core (1) and enhancing (2) for a difference to be shown in 18 tests."
    )
    many = pd.concat([cases.assign(case=cases["case"] + f"-{copy}") for copy in range(9)], ignore_index=True)
    text = verdict_without_lesion(sum_up_without_lesion(many), compare_without_lesion(many))
    assert text.startswith("Of the 18 cases without enhancing, a none leaves 18 alone")
    assert "without whole (9) and core (9)" in text
    assert "a none leaves more of them alone than b none (McNemar p < 0.001)" in text
    alone = cases[cases["model"] == BASELINE]
    said = verdict_without_lesion(sum_up_without_lesion(alone), compare_without_lesion(alone))
    assert said.startswith(f"Of the one case without whole, {BASELINE} leaves 1 alone") and "test" not in said


def test_families_stand_in_one_table_each_with_its_target(cases: pd.DataFrame) -> None:
    primary = over_targets(cases)
    families = {PRIMARY: compare_pairs(score_matrix(primary)), TARGETS: compare_targets(cases, 0.02)}
    families |= {SECONDARY: secondary_pairs(primary), WITHOUT_LESION: compare_without_lesion(cases)}
    table = all_pairs(families, several=True)
    found = table.groupby(["family", "target"], sort=False).size().to_dict()
    assert found == {
        ("primary", MEAN): 3, ("targets", "whole"): 1, ("targets", "core"): 1, ("targets", "enhancing"): 1,
        ("secondary", MEAN): 1, ("without lesion", "whole"): 6, ("without lesion", "core"): 6,
        ("without lesion", "enhancing"): 6,
    }  # fmt: skip


def test_size_is_that_of_the_first_target(cases: pd.DataFrame) -> None:
    groups = subgroup_table(cases)
    assert set(groups["group"]) == {"site", "whole size"}
    assert groups.loc[groups["group"] == "whole size", "level"].str.startswith("small, up to 1,").any()
