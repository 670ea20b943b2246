"""The dot plot: every case, every defined score, at its height."""

import dataclasses
import re
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest

from headtohead.reporting.findings import Findings
from headtohead.reporting.page.dot_plot import dot_plot
from headtohead.reporting.page.entrants import entrants_of


def draw(findings: Findings, width: float = 900.0) -> ElementTree.Element:
    return ElementTree.fromstring(dot_plot(findings.matrix, findings.means, entrants_of(findings), width))


def cases(drawing: ElementTree.Element) -> dict[str, ElementTree.Element]:
    return {str(group.get("data-case")): group for group in drawing.iter("g") if group.get("class") == "case"}


def heights(group: ElementTree.Element) -> list[float]:
    """Where the dots of a case stand."""
    dots = [path for path in group.iter("path") if "marker" in str(path.get("class"))]
    return [float(re.match(r"M\S+ ([\d.]+)m", str(dot.get("d")))[1]) for dot in dots]  # type: ignore[index]


@pytest.mark.parametrize("width", [340.0, 900.0])
def test_every_case_is_a_line_with_its_dots(findings: Findings, width: float) -> None:
    found = cases(draw(findings, width))
    assert list(found) == list(findings.matrix.index)
    for case, group in found.items():
        assert len(heights(group)) == findings.matrix.loc[case].notna().sum()


def test_higher_scores_stand_higher_and_to_scale(findings: Findings) -> None:
    found = cases(draw(findings))
    drawn = pd.Series({case: heights(group)[0] for case, group in found.items()})
    scores = findings.matrix.iloc[:, 0]
    slope = (drawn.iloc[0] - drawn.iloc[1]) / (scores.iloc[0] - scores.iloc[1])
    assert slope < 0
    assert (drawn - drawn.iloc[0] - slope * (scores - scores.iloc[0])).abs().max() < 0.5


def test_an_undefined_score_has_no_dot_and_breaks_the_line(findings: Findings) -> None:
    case = findings.matrix.index[3]
    matrix = findings.matrix.copy()
    matrix.iloc[3, 1] = np.nan
    group = cases(draw(dataclasses.replace(findings, matrix=matrix)))[case]
    assert len(heights(group)) == 4
    line = next(path for path in group.iter("path") if path.get("class") == "pair")
    assert str(line.get("d")).count("M") == 2
    assert "unet cosine –" in str(group.findtext("title"))


def test_names_and_means_are_text(findings: Findings) -> None:
    words = [str(text.text) for text in draw(findings).iter("text")]
    assert {"unet, no schedule", "flair-threshold"} <= set(words)
    assert f"{findings.means.loc['unet none', 'mean']:.3f}" in words
    narrow = [str(text.text) for text in draw(findings, 440.0).iter("text")]
    assert {"flair-", "threshold", "resnext", "cosine"} <= set(narrow)


def test_names_that_would_be_cut_stand_whole_in_a_key(findings: Findings) -> None:
    drawing = draw(findings, 340.0)
    names = {str(text.text): float(text.get("y", 0)) for text in drawing.iter("text") if text.get("class") == "name"}
    entrants = entrants_of(findings)
    assert list(names) == [entrant.label for entrant in entrants]
    assert max(names.values()) < min(min(heights(group)) for group in cases(drawing).values() if heights(group))
    columns = [group for group in drawing.iter("g") if group.get("class") == "column"]
    below = [path.get("class") for group in columns for path in group.iter("path")]
    assert below == [f"marker {entrant.colour} shape-{entrant.marker}" for entrant in entrants]


def test_without_an_interval_or_a_mean_the_rest_is_drawn(findings: Findings) -> None:
    means = findings.means.copy()
    means.loc["unet none", ["low", "high"]] = None
    means.loc["resnext none", ["mean", "low", "high"]] = None
    for width in (340.0, 900.0):
        drawing = ElementTree.fromstring(dot_plot(findings.matrix, means, entrants_of(findings), width))
        classes = [str(line.get("class")) for line in drawing.iter("line")]
        assert sum("interval" in one for one in classes) == 3
        assert sum("mean" in one for one in classes) == 4
