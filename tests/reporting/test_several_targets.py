"""The report of several targets: each stands beside the primary score, in tables, notes and on the page."""

import json
import re
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import pytest

from headtohead.cohort import Cohort
from headtohead.drawing.outlines import hexadecimal, lighter
from headtohead.reporting.page.contours import outline_path
from headtohead.reporting.rewriting import write_reports
from headtohead.scoring.conventions import PER_CASE
from headtohead.statistics.targets import MEAN
from tests.reporting.made_gliomas import CASES, EMPTY, TARGETS, WITHOUT_ENHANCING, make_runs
from tests.reporting.markdown import cells
from tests.several_targets import NESTED

HELD = {"whole tumour": CASES - 1, "tumour core": CASES - 1, "enhancing tumour": CASES - 1 - len(WITHOUT_ENHANCING)}


@pytest.fixture(scope="module")
def reported(tmp_path_factory: pytest.TempPathFactory, write_run_in: Any) -> Path:
    """The folder of a comparison with its report. Read only."""
    home = tmp_path_factory.mktemp("runs") / "gliomas"
    home.mkdir()
    make_runs(write_run_in(home))
    write_reports(home, None)
    return home


def by_hand(folder: Path) -> pd.DataFrame:
    """The primary score of every case and entrant, seeds averaged first, from cases.csv alone."""
    table = pd.read_csv(folder / "cases.csv").query("tp + fn > 0")
    each = table.groupby(["model", "seed", "case"], dropna=False)["dice"].mean()
    return each.groupby(["case", "model"]).mean().unstack("model")  # noqa: PD010


def test_cases_have_a_row_a_target_and_results_the_mean_and_each(reported: Path) -> None:
    cases, results = pd.read_csv(reported / "cases.csv"), pd.read_csv(reported / "results.csv")
    assert len(cases) == 5 * CASES * 3
    dice = results[results["score"] == "dice"].set_index(["target", "entrant"])
    assert dice.index.get_level_values(0).unique().tolist() == [MEAN, *TARGETS.names]
    primary = by_hand(reported)
    assert len(primary) == CASES - 1 and f"glioma_{EMPTY:03d}" not in primary.index
    assert dice.loc[(MEAN, "unet none"), "mean"] == pytest.approx(primary["unet"].mean())
    for target, held in HELD.items():
        own = cases[(cases["target"] == target) & (cases["model"] == "unet") & (cases["tp"] + cases["fn"] > 0)]
        row = dice.loc[(target, "unet none")]
        assert (row["n"], row["mean"]) == (held, pytest.approx(own["dice"].mean()))


def test_every_family_of_tests_names_its_target(reported: Path) -> None:
    pairs = pd.read_csv(reported / "pairs.csv")
    counted = pairs.groupby(["family", "target"], sort=False).size().to_dict()
    assert counted[("primary", MEAN)] == 3 and counted[("secondary", MEAN)] == 2
    assert [counted[("targets", target)] for target in TARGETS.names] == [1, 1, 1]
    assert [counted[("without lesion", target)] for target in TARGETS.names] == [6, 6, 6]
    own = pairs[pairs["family"] == "targets"]
    assert own["n"].tolist() == list(HELD.values())
    assert own.set_index("target")["different"].to_dict() == {
        "whole tumour": False, "tumour core": False, "enhancing tumour": True,
    }  # fmt: skip


def test_the_text_shows_each_target_and_declares_the_primary_score(reported: Path) -> None:
    text = (reported / "results.md").read_text()
    results = pd.read_csv(reported / "results.csv").query("score == 'dice' and entrant == 'unet none'")
    mean = dict(zip(results["target"], results["mean"], strict=True))
    part = text[text.index("## Mean Dice per case, target by target") :]
    table = cells(part[: part.index("## Each training")])
    assert table["entrant"] == list(TARGETS.names) and table["cases"] == [str(one) for one in HELD.values()]
    shown = cells(part[: part.index("## Cases without")])["unet, no schedule"]
    assert [float(cell.split()[0]) for cell in shown] == pytest.approx([mean[one] for one in TARGETS.names], abs=0.006)
    first = cells(text[: text.index("## Mean Dice per case, target")])["no schedule"][1]
    assert float(first.split()[0]) == pytest.approx(mean[MEAN], abs=0.0006)
    assert "is the mean over the targets that the truth of a case holds (whole tumour, tumour core and " in text
    assert "whole tumour 23, tumour core 23, enhancing tumour 17 of 24 test cases" in text
    assert "Targets: every pair of models in the Dice of every target." in text
    assert "1 further test case has no target and so no Dice" in text
    assert r"\end{tabular}" in (latex := (reported / "results.tex").read_text())
    assert latex.count(r"\toprule") == 2 and "whole tumour & tumour core & enhancing tumour" in latex


def test_the_page_has_a_chart_and_a_colour_for_each_target(reported: Path) -> None:
    page = (reported / "report.html").read_text()
    section = page[page.index('<section id="targets">') : page.index('<section id="differences">')]
    for target in TARGETS.all:
        assert f'color="#{"".join(f"{part:02x}" for part in target.colour)}"' in section
        assert f"Dice of {target.name} in {HELD[target.name]} cases" in section
        assert f"{target.name}: mean differences in Dice" in section
    assert "Target by target: paired differences in Dice" in section
    assert "Cases without a target" in page and "Cases without a lesion" not in page
    assert "is better than resnext, no schedule in enhancing tumour" in page


def test_outlines_have_the_colours_of_their_targets(pictured: Path, nested: Cohort) -> None:
    page = (pictured / "report.html").read_text()
    card = page[page.index('<figure class="card"') :]
    card = card[: card.index("</figure>")]
    paths = re.findall(r'<path class="outline [^"]*" color="(#\w+)"(?: hidden)? data-outline="([^"]+)"', card)
    assert [key for _, key in paths] == [f"{who}.{place}" for place in range(2) for who in ("truth", *"012")]
    for place, target in enumerate(NESTED.all):
        own = [colour for colour, key in paths if key.endswith(f".{place}")]
        assert own == [hexadecimal(lighter(target.colour)), *[hexadecimal(target.colour)] * 3]
    case = card[card.index('data-case="') + 11 :].split('"')[0]
    truth = nested.truth(nested.table["case"].tolist().index(case))
    slices = json.loads(card[card.index('class="slices">') + 15 : card.index("</script>")])
    for place, masks in enumerate(truth):
        assert [one.get(f"truth.{place}", "") for one in slices] == [outline_path(mask) for mask in masks]
    assert "whole tumour 0." in card and "core 0." in card


def test_every_picture_is_drawn_in_the_colours_of_its_targets(pictured: Path) -> None:
    figures = pictured / "figures"
    names = {path.relative_to(figures).as_posix() for path in figures.rglob("*") if path.is_file()}
    assert {"dice.png", "curves.png", "plate-unet-none.png", "plate-unet-none.gif", "case-worst.gif"} <= names
    assert sum(name.startswith("cases/") for name in names) == 10
    plate = cv2.imread(str(figures / "plate-unet-none.png"))[:, :, ::-1]
    for target in NESTED.all:
        for colour in (target.colour, lighter(target.colour)):
            assert (plate == np.array(colour, np.uint8)).all(axis=-1).sum() > 100, f"{target.name} is not drawn"


def test_conventions_are_of_each_target_in_its_order(pictured: Path) -> None:
    found = pd.read_csv(pictured / "conventions.csv")
    assert list(dict.fromkeys(found["target"])) == list(NESTED.names)
    assert found.groupby(["entrant", "target", "convention"]).size().eq(1).all()
    results = pd.read_csv(pictured / "results.csv").query("score == 'dice'").set_index(["entrant", "target"])["mean"]
    own = found[found["convention"] == PER_CASE].set_index(["entrant", "target"])["score"]
    assert own.to_dict() == pytest.approx(results.loc[own.index].to_dict())
