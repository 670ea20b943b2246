"""Score against cost: where the dots stand."""

import math
import re

import pytest

from headtohead.reporting.findings import Findings
from headtohead.reporting.page import wording
from headtohead.reporting.page.cost_plot import cost_plot
from headtohead.reporting.page.entrants import entrants_of


@pytest.mark.parametrize("width", [1040.0, 340.0])
def test_dots_stand_at_their_cost_and_score(width: float, findings: Findings) -> None:
    costs = findings.costs.assign(multiply_adds=[1e7, 1e8, 1e9])
    drawing = cost_plot(costs, findings.means, entrants_of(findings), width)
    marks = re.findall(r'<g class="cost">.*?</g>', drawing)
    assert len(marks) == 3
    lines = [[float(one) for one in re.findall(r'[xy][12]="([\d.]+)"', mark)] for mark in marks]
    places = [line[0] for line in lines]
    assert places[1] - places[0] == pytest.approx(places[2] - places[1], abs=0.2)  # a decade each
    assert all(0 < place < width for place in places)
    lows = findings.means.loc[costs["entrant"], "low"]
    heights = [max(line[1], line[3]) for line in lines]
    assert sorted(range(3), key=lambda one: lows.iloc[one]) == sorted(range(3), key=lambda one: -heights[one])
    for mark, name in zip(marks, costs["entrant"], strict=True):
        assert wording.score(findings.means.loc[name, "mean"])[:4] in mark
    assert "flair-threshold" in drawing and "10 M" in drawing and "1 G" in drawing


def test_entrants_that_cost_the_same_stand_above_each_other(findings: Findings) -> None:
    drawing = cost_plot(findings.costs, findings.means, entrants_of(findings), 1040.0)
    places = [float(x) for x in re.findall(r'<g class="cost"><title>.*?</title><line x1="([\d.]+)"', drawing)]
    assert places[0] == places[1] != places[2]
    assert len(re.findall(r"\d (?:G|M|k)</text>", drawing)) >= 2


def test_one_dot_compares_nothing(findings: Findings) -> None:
    assert not cost_plot(findings.costs.head(1), findings.means, entrants_of(findings), 1040.0)
    assert not cost_plot(
        findings.costs.assign(multiply_adds=math.nan), findings.means, entrants_of(findings)[:0], 340.0
    )


@pytest.mark.parametrize(
    ("count", "words"), [(376832, "377 k"), (900, "0.9 k"), (3.4e6, "3.4 M"), (12.1e9, "12 G"), (7.0e11, "700 G")]
)
def test_operations_in_words(count: float, words: str) -> None:
    assert wording.operations(count) == words
