"""Tables of the page: the numbers of the findings, and an order to sort them by."""

import dataclasses

import numpy as np
import pytest

from headtohead.reporting.entrant_names import in_words
from headtohead.reporting.findings import Findings
from headtohead.reporting.page.entrants import Entrant, entrants_of
from headtohead.reporting.page.forest_plot import forest_plot
from headtohead.reporting.page.tables import by_case, by_cost, by_entrant, by_pair, by_score, by_subgroup
from headtohead.reporting.page.tables.table import Cell, Table
from headtohead.statistics.decimals import carried, with_decimals


def pair_table(findings: Findings, entrants: list[Entrant]) -> Table:
    return by_pair.pair_table(findings.pairs, "pairs", entrants)


MAKERS = [
    by_entrant.entrant_table,
    pair_table,
    by_entrant.rank_table,
    by_entrant.without_lesion_table,
    by_score.score_table,
    by_score.convention_table,
    by_subgroup.lay_out_subgroups,
    by_subgroup.subgroup_pair_table,
    by_case.case_table,
    by_cost.cost_table,
]


def column(table: Table, name: str) -> list[Cell]:
    place = [one.name.replace("\u00a0", " ") for one in table.columns].index(name)
    return [row[place] for row in table.rows]


@pytest.mark.parametrize("make_table", MAKERS)
def test_rows_fit_their_head_and_numbers_sort_as_numbers(make_table: object, findings: Findings) -> None:
    table = make_table(findings, entrants_of(findings))  # type: ignore[operator]
    assert table.rows
    for row in table.rows:
        assert len(row) == len(table.columns)
        for cell, head in zip(row, table.columns, strict=True):
            assert cell.order is None or isinstance(cell.order, float if head.numeric else str)
            assert (cell.order is None) == (cell.text == "–")


def test_entrants(findings: Findings) -> None:
    table = by_entrant.entrant_table(findings, entrants_of(findings))
    mean = findings.means.loc["unet cosine"]
    cell = column(table, "mean Dice [95 %]")[1]
    decimals = carried(mean["low"], mean["high"])
    low, high = (f"{mean[end]:.{decimals}f}" for end in ("low", "high"))
    assert cell == Cell(f"{mean['mean']:.{decimals}f} [{low}, {high}]", mean["mean"])
    assert [cell.text for cell in column(table, "cases below 0.5")] == [str(n) for n in findings.means["failed"]]
    assert column(table, "lowest to highest")[1].text == f"{mean['minimum']:.3f} to {mean['maximum']:.3f}"
    assert column(table, "parameters")[0].text == "7.8 M" and column(table, "parameters")[4].text == "–"


def test_every_score_with_its_meaning_and_cases(findings: Findings) -> None:
    table = by_score.score_table(findings, entrants_of(findings))
    assert [row[0].text for row in table.rows] == ["dice", "hd95_px", "lesions_false"]
    assert all(row[0].note for row in table.rows)
    assert [cell.text for cell in column(table, "cases")] == ["110"] * 3
    assert "a step between slices counts as one pixel" in table.rows[1][0].note
    assert "of at least 10 pixels" in table.rows[2][0].note
    found = findings.scores.query("entrant == 'unet none' and score == 'hd95_px'").iloc[0]
    cell = column(table, "unet, no schedule")[1]
    assert cell.text.startswith(f"{with_decimals(found['mean'], found['mean_low'], found['mean_high'])} [")
    assert cell.note == f"median {found['median']:.3f}, 2.000 to 19.400"


def test_lesions_are_counted_from_a_size_in_the_unit_of_the_data() -> None:
    assert by_score.meaning_of("lesions_missed", "mm").endswith("of at least 0.1 ml")
    assert "pixel" not in by_score.meaning_of("hd95_mm", "mm")


def test_cases_without_a_lesion_have_a_table_of_their_own(findings: Findings) -> None:
    table = by_entrant.without_lesion_table(findings, entrants_of(findings))
    assert [row[0].entrant.name for row in table.rows if row[0].entrant] == list(findings.matrix.columns)
    assert [cell.text for cell in column(table, "left alone")] == ["0", "3", "6", "9", "12"]
    assert column(table, "false voxels per case, mean")[0].text == "1,200"
    none = dataclasses.replace(findings, without_lesion=findings.without_lesion.iloc[:0])
    assert not by_entrant.without_lesion_table(none, entrants_of(findings)).rows


def test_beside_dice_the_better_is_named_where_less_is_better_too(findings: Findings) -> None:
    found = column(by_pair.pair_table(findings.healthy_pairs, "healthy"), "finding")
    assert [cell.text for cell in found] == ["no evidence of a difference", "unet cosine better"]
    table = by_pair.pair_table(findings.secondary, "beside Dice")
    for row, pair in zip(table.rows, findings.secondary.itertuples(), strict=True):
        if pair.different:
            first_is_better = (pair.mean_difference > 0) == (pair.score == "surface_dice_px")
            assert row[3].text == f"{(row[1] if first_is_better else row[2]).text} better"


def test_equivalence_is_said_only_where_it_was_found(findings: Findings) -> None:
    pairs = findings.pairs.head(3).assign(
        different=[True, False, False], equivalent=[True, True, False], mean_difference=[0.01, 0.0, 0.0]
    )
    found = column(by_pair.pair_table(pairs, "pairs"), "finding")
    assert found[0].text.endswith(" higher, yet equivalent within 0.02")
    assert [cell.text for cell in found[1:]] == ["equivalent within 0.02", "no evidence of a difference"]


def test_few_cases_are_said_to_be_too_few(findings: Findings) -> None:
    few = findings.healthy_pairs.assign(n=6, different=False)
    assert {cell.text for cell in column(by_pair.pair_table(few, "healthy"), "finding")} == {"too few cases"}
    seven = column(by_pair.pair_table(few.assign(n=7), "healthy"), "finding")
    assert {cell.text for cell in seven} == {"no evidence of a difference"}
    pairs = findings.pairs.assign(n=3, different=False, equivalent=False)
    found = column(by_pair.pair_table(pairs, "pairs"), "finding")
    assert {cell.text for cell in found} == {"too few cases"}
    assert "no evidence" not in forest_plot(pairs, 900.0, "differences", len(pairs))


def test_only_a_difference_is_called_higher(findings: Findings) -> None:
    found = column(by_pair.pair_table(findings.pairs, "pairs"), "finding")
    for cell, pair in zip(found, findings.pairs.itertuples(), strict=True):
        higher = in_words(pair.a if pair.mean_difference > 0 else pair.b)
        assert cell.text.startswith(f"{higher} higher") is pair.different
        assert ("equivalent" in cell.text) is pair.equivalent
        assert (cell.text == "no evidence of a difference") is not (pair.different or pair.equivalent)


def test_conventions_carry_their_meaning_and_their_votes(findings: Findings) -> None:
    uneven = findings.conventions.copy()
    uneven.loc[0, "n"] = 90
    table = by_score.convention_table(dataclasses.replace(findings, conventions=uneven), entrants_of(findings))
    assert [row[0].note for row in table.rows] == list(dict.fromkeys(findings.conventions["meaning"]))
    assert [cell.text for cell in column(table, "votes")] == ["90–110", "111", "112"]
    assert column(table, "unet cosine")[0].text == "0.840"


def test_an_entrant_without_conventions_has_no_column(findings: Findings) -> None:
    some = findings.conventions[findings.conventions["entrant"] != "unet none"]
    table = by_score.convention_table(dataclasses.replace(findings, conventions=some), entrants_of(findings))
    assert "unet, no schedule" not in [one.name for one in table.columns]
    partly = findings.conventions.drop(index=0)
    table = by_score.convention_table(dataclasses.replace(findings, conventions=partly), entrants_of(findings))
    assert {row[0].text: row[1].text for row in table.rows} == {
        "per case, 3-D": "–",
        "mean over slices": "0.830",
        "batches divided by N - 1": "0.860",
    }


def test_cases_with_what_is_known_of_them(findings: Findings) -> None:
    table = by_case.case_table(findings, entrants_of(findings))
    assert [cell.text for cell in column(table, "case")] == list(findings.matrix.index)
    assert [cell.text for cell in column(table, "WHO grade")][:3] == ["II", "III", "–"]
    assert [cell.text for cell in column(table, "missing")][:4] == ["–", "–", "post", "pre post"]
    assert column(table, "lesion voxels")[0].order == findings.cases["lesion_voxels"].iloc[0]


def test_a_case_of_which_nothing_is_known_keeps_its_scores(findings: Findings) -> None:
    first = findings.matrix.index[0]
    bare = dataclasses.replace(findings, cases=findings.cases[findings.cases["case"] != first])
    row = by_case.case_table(bare, entrants_of(findings)).rows[0]
    assert {cell.text for cell in row[1:6]} == {"–"}
    assert row[-1].order == findings.matrix.iloc[0, -1]


def test_ranks_are_shares(findings: Findings) -> None:
    table = by_entrant.rank_table(findings, entrants_of(findings))
    assert len(table.rows) == 4
    assert np.isclose(sum(float(cell.order or 0) for cell in table.rows[0][1:]), 1)
