"""The figures of `--explore`: what they show is what was counted, under the right labels."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from headtohead.exploring.figures import (
    GAP,
    class_rows,
    draw_classes,
    draw_intensity,
    draw_missing,
    draw_patients,
    missing_by_site,
    place_by_site,
)
from headtohead.exploring.measures import Measures
from headtohead.readers.lgg import TASK as LGG_TASK


@pytest.fixture
def findings() -> Measures:
    """Four cases of two sites and 10 slices each; slices 0 to 3 of case n hold 100 (n + 1) lesion voxels altogether."""
    sites, missing = ["HT", "CS", "HT", "CS"], ["", "", "pre post", "post"]
    slices = pd.DataFrame(
        [
            {"case": f"case{case}", "site": sites[case], "slice": n + 1, "lesion_voxels": 25 * (case + 1) * (n < 4)}
            for case in range(4)
            for n in range(10)
        ]
    )
    cases = pd.DataFrame({"case": [f"case{n}" for n in range(4)], "site": sites, "missing": missing, "slices": 10})
    cases["lesion_slices"], cases["voxels"] = 4, 10 * 1000
    cases["lesion_voxels"] = [100, 200, 300, 400]
    for name in ("pre", "flair", "post"):
        cases[f"{name}_p10"], cases[f"{name}_median"], cases[f"{name}_p90"] = 10, [40, 50, 60, 70], 90
    cases["lesion_flair_median"] = [120, np.nan, 140, 200]
    return Measures(slices, cases, LGG_TASK)


@pytest.fixture
def figures(monkeypatch: pytest.MonkeyPatch) -> list:
    """Collect the figures that are saved."""
    from matplotlib.figure import Figure

    saved: list[Figure] = []
    save = Figure.savefig
    monkeypatch.setattr(
        Figure, "savefig", lambda figure, path, **more: (saved.append(figure), save(figure, path, **more))
    )
    return saved


def texts(figure) -> list[str]:
    from matplotlib.text import Text

    return [text.get_text() for text in figure.findobj(Text) if text.get_text()]


def overlaps(figure) -> list[tuple[str, str]]:
    """Pairs of texts printed over each other."""
    from matplotlib.text import Text

    figure.draw_without_rendering()  # in its own resolution, not in the file's
    # An axis keeps numbers beyond its ends, which are not drawn; its own never touch each other.
    numbers = {text for panel in figure.axes for text in panel.get_yticklabels()}
    boxes = [
        (text.get_text(), text.get_window_extent().extents)
        for text in figure.findobj(Text)
        if text.get_text().strip() and text.get_visible() and text not in numbers
    ]
    return [
        (name, other)
        for place, (name, one) in enumerate(boxes)
        for other, two in boxes[:place]
        if one[0] < two[2] and two[0] < one[2] and one[1] < two[3] and two[1] < one[3]
    ]


def test_classes_are_counted_and_labelled(findings: Measures, figures: list, tmp_path: Path) -> None:
    assert [row[:3] for row in class_rows(findings)] == [
        ("slices", 16, 24),
        ("pixels", 1000, 39000),
        ("pixels of slices\nwith lesion", 1000, 15000),
    ]
    draw_classes(findings, tmp_path / "new" / "classes.png")
    shown = texts(figures[0])
    assert {"with lesion 16 (40.0 %)", "without 24 (60.0 %)", "lesion 1,000 (2.5 %)", "other 15,000 (93.8 %)"} <= set(
        shown
    )
    widths = [bar.get_width() for bar in figures[0].axes[0].patches]
    assert widths == pytest.approx([1, 0.4, 1, 0.025, 1, 0.0625])
    assert not overlaps(figures[0])


def test_patients_stand_by_site_and_size(findings: Measures, figures: list, tmp_path: Path) -> None:
    draw_patients(findings, tmp_path / "patients.png")
    upper, lower = figures[0].axes
    places = [0, 1, 2 + GAP, 3 + GAP]
    assert [bar.get_x() + bar.get_width() / 2 for bar in lower.patches] == pytest.approx(places)
    assert [bar.get_height() for bar in lower.patches] == pytest.approx([0.2, 0.4, 0.1, 0.3])
    assert [bar.get_height() for bar in upper.patches] == [10] * 4 + [4] * 4
    assert [label.get_text() for label in lower.get_xticklabels()] == ["CS\nn = 2", "HT\nn = 2"]
    medians = [lines.get_segments()[0][0][1] for lines in lower.collections]
    assert medians == pytest.approx([0.3, 0.2])
    assert not overlaps(figures[0])


def test_intensity_leaves_out_what_is_missing(findings: Measures, figures: list, tmp_path: Path) -> None:
    draw_intensity(findings, tmp_path / "intensity.png")
    pre, flair, post = figures[0].axes
    assert [len(panel.lines[0].get_xdata()) for panel in (pre, flair, post)] == [3, 4, 2]
    assert flair.lines[0].get_ydata().tolist() == [50, 70, 40, 60]
    assert "pre-contrast; missing in 1 of 4 cases" in texts(figures[0])
    assert flair.get_ylim()[0] == 0 and flair.get_ylim()[1] > 200  # every lesion is on the picture
    assert not overlaps(figures[0])


def test_missing_sequences_are_counted_by_site(findings: Measures, figures: list, tmp_path: Path) -> None:
    table = missing_by_site(findings.cases)
    assert table.to_dict("index") == {
        "CS": {"complete": 1, "without post": 1, "without pre and post": 0},
        "HT": {"complete": 1, "without post": 0, "without pre and post": 1},
    }
    draw_missing(findings, tmp_path / "missing.png")
    assert {"complete", "without post", "without pre and post"} <= set(texts(figures[0]))
    assert missing_by_site(findings.cases.assign(missing="pre"))["complete"].tolist() == [0, 0]


def test_sites_stand_apart() -> None:
    assert place_by_site(pd.Series(["A", "A", "B", "C"])).tolist() == [0, 1, 2 + GAP, 3 + 2 * GAP]
