"""The report of several targets: each stands beside the primary score, in tables, notes and on the page."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from headtohead.reporting.report import write_reports
from headtohead.statistics.targets import MEAN
from tests.reporting.made_gliomas import CASES, EMPTY, TARGETS, WITHOUT_ENHANCING, make_runs
from tests.reporting.markdown import cells

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
