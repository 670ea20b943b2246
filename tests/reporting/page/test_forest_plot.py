"""The forest plot: differences on their side of zero, and full squares only for what is called a difference."""

from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest

from headtohead.reporting.findings import Findings
from headtohead.reporting.page.forest_plot import forest_plot


def draw(pairs: pd.DataFrame, width: float = 900.0) -> ElementTree.Element:
    return ElementTree.fromstring(forest_plot(pairs, width, "differences"))


def rows(drawing: ElementTree.Element) -> list[ElementTree.Element]:
    return [group for group in drawing.iter("g") if group.get("class") == "difference"]


@pytest.mark.parametrize("width", [340.0, 900.0])
def test_interval_lies_where_its_numbers_say(findings: Findings, width: float) -> None:
    drawing = draw(findings.pairs, width)
    zero = float(next(str(line.get("x1")) for line in drawing.iter("line") if line.get("class") == "zero"))
    for row, pair in zip(rows(drawing), findings.pairs.itertuples(), strict=True):
        line = next(line for line in row.iter("line") if line.get("class") == "interval")
        low, high = float(str(line.get("x1"))), float(str(line.get("x2")))
        assert (low > zero, high > zero) == (pair.low > 0, pair.high > 0)
        assert 0 <= low < high <= width


def test_only_a_difference_is_a_full_square(findings: Findings) -> None:
    looks = [str(path.get("class")) for row in rows(draw(findings.pairs)) for path in row.iter("path")]
    assert ["different" in look for look in looks] == list(findings.pairs["different"])
    assert 0 < sum(findings.pairs["different"]) < len(looks)


def test_words_are_whole_and_escaped(findings: Findings) -> None:
    pairs = findings.pairs.head(1).assign(a="<b>net")
    for width in (340.0, 900.0):
        words = [str(text.text) for text in draw(pairs, width).iter("text")]
        assert "<b>net − unet cosine" in words
        assert any(word.startswith("−0.0") and word.endswith("]") for word in words)


@pytest.mark.parametrize("width", [340.0, 900.0])
def test_a_pair_whose_names_need_more_room_takes_two_lines_and_loses_nothing(findings: Findings, width: float) -> None:
    pairs = findings.pairs.head(2).assign(
        a="monai:BasicUNet none", b=["smp:FPN:resnet18 cosine", "smp:FPN:resnet34 cosine"]
    )
    drawing = draw(pairs, width)
    names = [[text for text in row.iter("text") if text.get("class") == "name"] for row in rows(drawing)]
    assert [pair[1].text for pair in names] == ["− smp:FPN:resnet18 cosine", "− smp:FPN:resnet34 cosine"]
    heights = [float(str(text.get("y"))) for pair in names for text in pair]
    assert min(np.diff(heights)) >= 14
    lowest = max(float(str(line.get("y2"))) for line in drawing.iter("line") if line.get("class") == "interval")
    assert lowest < min(float(str(line.get("y2"))) for line in drawing.iter("line") if line.get("class") == "grid")


def test_undefined_numbers_leave_their_place_empty(findings: Findings) -> None:
    pairs = findings.pairs.head(2).copy()
    pairs.loc[0, ["mean_difference", "low", "high", "smallest_detectable"]] = np.nan
    first, second = rows(draw(pairs))
    assert not list(first.iter("rect")) and not list(first.iter("line")) and not list(first.iter("path"))
    assert list(second.iter("rect")) and list(second.iter("line")) and list(second.iter("path"))


def test_thousandths_are_not_blown_up(findings: Findings) -> None:
    close = {"mean_difference": 0.0001, "low": 0.0, "high": 0.0002, "smallest_detectable": 0.0003}
    line = next(rows(draw(findings.pairs.head(1).assign(**close)))[0].iter("line"))
    assert float(str(line.get("x2"))) - float(str(line.get("x1"))) < 20
