"""Tables of the page: the numbers of the findings, and an order to sort them by."""

import dataclasses

import numpy as np
import pytest

from headtohead.reporting.entrant_names import in_words
from headtohead.reporting.findings import Findings
from headtohead.reporting.page import tables
from headtohead.reporting.page.entrants import entrants_of
from headtohead.reporting.page.tables import Cell, Table

MAKERS = [
    tables.entrant_table,
    tables.pair_table,
    tables.rank_table,
    tables.score_table,
    tables.convention_table,
    tables.subgroup_table,
    tables.subgroup_pair_table,
    tables.case_table,
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
    table = tables.entrant_table(findings, entrants_of(findings))
    mean = findings.means.loc["unet cosine"]
    cell = column(table, "mean Dice [95 %]")[1]
    assert cell == Cell(f"{mean['mean']:.3f} [{mean['low']:.3f}, {mean['high']:.3f}]", mean["mean"])
    assert [cell.text for cell in column(table, "cases below 0.5")] == [str(n) for n in findings.means["failed"]]
    assert [cell.text for cell in column(table, "undefined")] == ["0", "1", "0", "0", "0"]
    assert column(table, "parameters")[0].text == "7.8 M" and column(table, "parameters")[4].text == "–"


def test_epochs_may_be_words_where_they_are_unequal(findings: Findings) -> None:
    means = findings.means.astype({"epochs": object})
    means.loc["unet none", "epochs"] = "18–30"
    table = tables.entrant_table(dataclasses.replace(findings, means=means), entrants_of(findings))
    assert column(table, "epochs")[0].text == "18–30"


def test_every_score_with_its_meaning_and_cases(findings: Findings) -> None:
    table = tables.score_table(findings, entrants_of(findings))
    assert [row[0].text for row in table.rows] == ["dice", "hd95_px", "lesions_false"]
    assert all(row[0].note for row in table.rows)
    assert [cell.text for cell in column(table, "cases")] == ["110", "107", "107"]
    mean = findings.scores.query("entrant == 'unet none' and score == 'hd95_px'")["mean"].iloc[0]
    assert column(table, "unet, no schedule")[1].text.startswith(f"{mean:.3f} [")


def test_only_a_difference_is_called_higher(findings: Findings) -> None:
    found = column(tables.pair_table(findings, entrants_of(findings)), "finding")
    for cell, pair in zip(found, findings.pairs.itertuples(), strict=True):
        higher = in_words(pair.a if pair.mean_difference > 0 else pair.b)
        assert cell.text == (f"{higher} higher" if pair.different else "no evidence of a difference")


def test_conventions_carry_their_meaning_and_their_votes(findings: Findings) -> None:
    uneven = findings.conventions.copy()
    uneven.loc[0, "n"] = 90
    table = tables.convention_table(dataclasses.replace(findings, conventions=uneven), entrants_of(findings))
    assert [row[0].note for row in table.rows] == list(dict.fromkeys(findings.conventions["meaning"]))
    assert [cell.text for cell in column(table, "votes")] == ["90–110", "111", "112"]
    assert column(table, "unet cosine")[0].text == "0.840"


def test_an_entrant_without_conventions_has_no_column(findings: Findings) -> None:
    some = findings.conventions[findings.conventions["entrant"] != "unet none"]
    table = tables.convention_table(dataclasses.replace(findings, conventions=some), entrants_of(findings))
    assert "unet, no schedule" not in [one.name for one in table.columns]
    partly = findings.conventions.drop(index=0)
    table = tables.convention_table(dataclasses.replace(findings, conventions=partly), entrants_of(findings))
    assert {row[0].text: row[1].text for row in table.rows} == {
        "per case, 3-D": "–",
        "mean over slices": "0.830",
        "batches divided by N - 1": "0.860",
    }


def test_cases_with_what_is_known_of_them(findings: Findings) -> None:
    table = tables.case_table(findings, entrants_of(findings))
    assert [cell.text for cell in column(table, "case")] == list(findings.matrix.index)
    assert [cell.text for cell in column(table, "grade")][:3] == ["2", "3", "–"]
    assert [cell.text for cell in column(table, "missing")][:4] == ["–", "–", "post", "pre post"]
    assert column(table, "unet cosine")[3] == Cell("–")
    assert column(table, "lesion voxels")[0].order == findings.cases["lesion_voxels"].iloc[0]


def test_a_case_of_which_nothing_is_known_keeps_its_scores(findings: Findings) -> None:
    first = findings.matrix.index[0]
    bare = dataclasses.replace(findings, cases=findings.cases[findings.cases["case"] != first])
    row = tables.case_table(bare, entrants_of(findings)).rows[0]
    assert {cell.text for cell in row[1:6]} == {"–"}
    assert row[-1].order == findings.matrix.iloc[0, -1]


def test_ranks_are_shares(findings: Findings) -> None:
    table = tables.rank_table(findings, entrants_of(findings))
    assert len(table.rows) == 4
    assert np.isclose(sum(float(cell.order or 0) for cell in table.rows[0][1:]), 1)
