"""Small charts: one an entrant or kind of group, on one scale."""

from xml.etree import ElementTree

import numpy as np
import pytest

from headtohead.reporting.findings import Findings
from headtohead.reporting.page.entrants import entrants_of
from headtohead.reporting.page.panels import curve_panels, subgroup_panels

DICE = ["val_dice", "train_dice"]


def classes(panel: str, tag: str = "path") -> list[str]:
    return [str(one.get("class")) for one in ElementTree.fromstring(panel).iter(tag)]


def test_each_entrant_has_a_panel_with_its_runs_and_their_mean(findings: Findings) -> None:
    panels = curve_panels(findings.curves, entrants_of(findings), DICE, "Dice")
    assert len(panels) == 4  # the baseline was not trained
    for panel in panels:
        drawn = classes(panel)
        assert sum(one.startswith("run solid") for one in drawn) == 5
        assert sum(one.startswith("run dotted") for one in drawn) == 5
        assert sum(one.startswith("average") for one in drawn) == 2


def test_the_mean_stops_where_not_all_runs_have_come(findings: Findings) -> None:
    curves = findings.curves[(findings.curves["fold"] != 1) | (findings.curves["epoch"] <= 4)]
    panel = curve_panels(curves, entrants_of(findings), DICE, "Dice")[0]
    mean = next(
        path for path in ElementTree.fromstring(panel).iter("path") if "average solid" in str(path.get("class"))
    )
    assert str(mean.get("d")).count("L") == 3


def test_one_run_is_drawn_once_and_one_epoch_is_a_dot(findings: Findings) -> None:
    curves = findings.curves[(findings.curves["fold"] == 0) & (findings.curves["epoch"] == 1)]
    drawn = classes(curve_panels(curves, entrants_of(findings), DICE, "Dice")[0])
    assert not [one for one in drawn if one.startswith("run")]
    assert sum(one.startswith("marker") for one in drawn) == 3  # one beside the name


@pytest.mark.parametrize("value", [np.nan, 0.0])
def test_without_numbers_there_is_no_panel(findings: Findings, value: float) -> None:
    curves = findings.curves.assign(val_loss=value)
    assert curve_panels(curves, entrants_of(findings), ["val_loss"], "Loss") == []
    assert curve_panels(curves.head(0), entrants_of(findings), ["val_loss"], "Loss") == []


def test_subgroups_by_kind_with_every_entrant(findings: Findings) -> None:
    panels = subgroup_panels(findings.subgroups, entrants_of(findings))
    assert len(panels) == 3
    drawing = ElementTree.fromstring(panels[0])
    words = [text.text for text in drawing.iter("text")]
    assert words[0] == "site" and {"CS", "DU", "HT", "n = 30"} <= set(words)
    assert len(list(drawing.iter("path"))) == 3 * 5


def test_a_level_with_few_cases_has_a_mean_without_interval_or_nothing(findings: Findings) -> None:
    few = findings.subgroups.head(2).copy()
    few.loc[0, ["low", "high"]] = np.nan
    few.loc[1, ["mean", "low", "high"]] = np.nan
    drawing = ElementTree.fromstring(subgroup_panels(few, entrants_of(findings))[0])
    assert len(list(drawing.iter("path"))) == 1
    assert not [line for line in drawing.iter("line") if "interval" in str(line.get("class"))]
