"""Means in parts of the cases."""

import math

import numpy as np
import pandas as pd
import pytest

from headtohead.readers.tasks import EARLIER_BASELINE as BASELINE
from headtohead.statistics import subgroups
from headtohead.statistics.intervals import mean_interval
from headtohead.statistics.subgroups import COLUMNS, subgroup_pairs, subgroup_table


@pytest.fixture
def cases() -> pd.DataFrame:
    """Nine cases, two seeds of one model and the baseline."""
    rng = np.random.default_rng(0)
    about = pd.DataFrame(
        {
            "case": list("abcdefghi"),
            "site": ["HT", "CS", "HT", "HT", "CS", "CS", "CS", "HT", math.nan],
            "grade": [1.0, 2.0, 2.0, math.nan, 1.0, 1.0, 2.0, 2.0, 2.0],
            "missing": ["", "", "", "", "", "", "post", "post", "pre post"],
            "lesion_voxels": [10, 20, 30, 1000, 2000, 3000, 40000, 50000, 0],
            "tp": 0,
        }
    )
    about["fn"] = about["lesion_voxels"]
    runs = [("unet", "cosine", 0), ("unet", "cosine", 1), ("flair-threshold", "-", None)]
    parts = [
        about.assign(model=model, schedule=schedule, seed=seed, dice=rng.random(9)) for model, schedule, seed in runs
    ]
    return pd.concat(parts, ignore_index=True)


def test_levels_of_each_kind_in_order_and_how_many_cases_each_has(cases: pd.DataFrame) -> None:
    table = subgroup_table(cases)
    assert table.columns.tolist() == COLUMNS
    of_model = table[table["entrant"] == "unet cosine"]
    assert list(of_model[["group", "level", "n"]].itertuples(index=False, name=None)) == [
        ("site", "CS", 4),
        ("site", "HT", 4),
        ("lesion size", "small, up to 353 voxels", 3),
        ("lesion size", "medium, up to 2,667 voxels", 2),
        ("lesion size", "large, above 2,667 voxels", 3),
        ("missing sequence", "none", 6),
        ("missing sequence", "post", 2),
        ("WHO grade", "1", 3),
        ("WHO grade", "2", 4),
        ("WHO grade", "unknown", 1),
    ]
    assert table["entrant"].iloc[:2].tolist() == ["unet cosine", "flair-threshold"]


def test_a_case_without_a_lesion_is_in_no_part(cases: pd.DataFrame) -> None:
    """The ninth case has no lesion: its site, size and sequences are those of nobody else."""
    assert subgroup_table(cases).groupby(["group", "entrant"])["n"].sum().tolist() == [8] * 8


def test_means_are_over_cases_whose_seeds_were_averaged(cases: pd.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subgroups, "FEWEST_CASES", 4)
    table = subgroup_table(cases).set_index(["group", "level", "entrant"]).sort_index()
    in_site = cases[(cases["site"] == "HT") & (cases["model"] == "unet")]
    expected = mean_interval(in_site.groupby("case")["dice"].mean())
    found = table.loc[("site", "HT", "unet cosine")]
    assert found.to_dict() == pytest.approx(
        {"n": 4, "mean": expected.mean, "low": expected.low, "high": expected.high}, abs=1e-9
    )
    assert table.loc[("missing sequence", "post"), ["low", "high"]].isna().all(axis=None)  # two cases


def test_fewer_than_ten_cases_have_no_interval() -> None:
    """BCa at four cases misses the mean far more often than one time in twenty."""
    rng = np.random.default_rng(1)
    rows = [
        {"model": model, "schedule": "none", "seed": 0, "case": f"c{n}", "site": "A" if n < 10 else "B"}
        | {"dice": rng.random(), "tp": 5, "fn": 5}
        for n in range(19)
        for model in ("a", "b")
    ]
    for table in (subgroup_table(pd.DataFrame(rows)), subgroup_pairs(pd.DataFrame(rows))):
        by_level = table.set_index("level")
        assert by_level.loc[["A"], "n"].eq(10).all() and by_level.loc[["A"], "low"].notna().all()
        assert by_level.loc[["B"], "n"].eq(9).all() and by_level.loc[["B"], ["low", "high"]].isna().all(axis=None)


def test_a_kind_with_one_level_says_nothing_and_is_left_out(cases: pd.DataFrame) -> None:
    table = subgroup_table(cases.assign(site="CS", grade="", missing="", lesion_voxels=7))
    assert table.empty and table.columns.tolist() == COLUMNS


def test_columns_that_are_not_there_are_not_missed(cases: pd.DataFrame) -> None:
    table = subgroup_table(cases.drop(columns=["site", "grade", "missing"]))
    assert table["group"].unique().tolist() == ["lesion size"]
    assert subgroup_table(cases.drop(columns="lesion_voxels"))["group"].unique().tolist() == [
        "site",
        "missing sequence",
        "WHO grade",
    ]


def test_empty_cells_read_as_missing_and_as_text_are_the_same(cases: pd.DataFrame) -> None:
    as_text = cases.assign(
        grade=cases["grade"].map({1.0: "1", 2.0: "2"}).fillna(""),
        site=cases["site"].fillna(""),
        missing=cases["missing"].replace("", math.nan),
    )
    pd.testing.assert_frame_equal(subgroup_table(as_text), subgroup_table(cases))


def test_paired_differences_in_parts_of_the_cases() -> None:
    rows = [
        {"model": model, "schedule": "none", "seed": 0, "fold": 0, "case": f"c{n}", "site": "AB"[n % 2], "dice": dice}
        | {"tp": 5, "fn": 5}
        for n in range(20)
        for model, dice in (("a", 0.5 + 0.01 * n), ("b", 0.4), (BASELINE, 0.1))
    ]
    table = subgroup_pairs(pd.DataFrame(rows))
    assert set(table["a"] + table["b"]) == {"a noneb none"}, "the baseline is no model"
    assert table["level"].tolist() == ["A", "B"] and table["n"].tolist() == [10, 10]
    assert table["mean_difference"].tolist() == pytest.approx([0.19, 0.2])
    assert ((table["low"] < table["mean_difference"]) & (table["mean_difference"] < table["high"])).all()


def test_lesion_size_is_in_ml_where_the_spacing_is_known(cases: pd.DataFrame) -> None:
    in_ml = cases.assign(lesion_ml=cases["lesion_voxels"] / 1000 * 3.25)
    levels = [level for group, level in subgroup_table(in_ml)[["group", "level"]].to_numpy() if group == "lesion size"]
    assert levels and all(level.endswith(" ml") for level in levels)
