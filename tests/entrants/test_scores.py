"""Scores of a CSV file in place of masks: the same numbers as masks give, and a line for every fault of the file."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import headtohead
from headtohead import cli
from headtohead.reporting import scores_alone
from headtohead.reporting.scores_file import read_scores_file
from headtohead.scoring.protocol import PROTOCOL

GOOD = "case,method,score\n" + "".join(
    f"P{case},{method},{0.5 + 0.03 * case + better}\n" for case in range(9) for method, better in (("a", 0.1), ("b", 0))
)


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "scores.csv").write_text(GOOD)
    return tmp_path


def test_scores_give_the_numbers_that_their_runs_give(desk: Path, write_run: Any) -> None:
    counts = np.random.default_rng(0).integers(1, 40, (2, 12, 3))
    now = {"protocol": PROTOCOL, "data": {"key": "d1", "root": str(desk / "gone")}}
    for model, own in zip(("unet", "buda"), counts, strict=True):
        own[:, 2] = counts[0].sum(axis=1) - own[:, 0]  # one truth for both
        write_run(model, counts=[tuple(row) for row in own.clip(0)], **now)
    ours = headtohead.report(comparison="lgg")
    long = ours.cases[["case", "model", "dice"]].rename(columns={"model": "method", "dice": "score"})
    long.to_csv("scores.csv", index=False)
    found = headtohead.score(scores="scores.csv", comparison="csv")
    assert set(found.tables) == {"cases", "results", "ranks", "pairs"}
    names = {"unet none": "unet", "buda none": "buda"}
    numbers = ["n", "mean", "mean_low", "mean_high", "median", "median_low", "median_high", "minimum", "maximum"]
    theirs = ours.results.query("score == 'dice'").replace(names).set_index("entrant")[numbers]
    pd.testing.assert_frame_equal(found.results.set_index("entrant")[numbers], theirs.loc[found.results["entrant"]])
    of_ours = ours.pairs.query("family == 'primary'").iloc[0]
    [pair] = found.pairs.to_dict("records")
    assert pair["mean_difference"] == of_ours["mean_difference"] and pair["p"] == of_ours["p"]
    wide = ours.cases.pivot_table(index="case", columns="model", values="dice")
    assert pair["p"] == pytest.approx(stats.wilcoxon(wide["unet"], wide["buda"]).pvalue, rel=1e-3)


def test_the_page_says_what_is_known_and_has_no_pictures(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--score", "--scores", "scores.csv", "--comparison", "csv"]
    assert cli.main(words) == 0
    assert "a scores higher than b" in capsys.readouterr().out
    folder = desk / "runs" / "csv"
    page = (folder / "report.html").read_text()
    assert "scores from scores.csv" in page and "no masks, counts or pictures" in page
    assert "<h2>Gallery" not in page and "<h2>Conventions" not in page
    assert json.loads((folder / "scores.json").read_text())["file"] == "scores.csv"
    before = (folder / "pairs.csv").read_bytes()
    assert cli.main(words) == 0
    assert (folder / "pairs.csv").read_bytes() == before
    assert (folder / "report.html").read_text() == page


def test_several_targets_and_what_the_truth_lacks(desk: Path) -> None:
    rows = [
        f"P{case},{method},{target},{'' if (case, target) == (2, 'core') else value}"
        for case in range(9)
        for target, value in (("whole", 0.8), ("core", 0.6))
        for method in ("a", "b")
    ]
    (desk / "scores.csv").write_text("\n".join(["case,method,target,score", *rows]))
    results = headtohead.score(scores="scores.csv", comparison="csv").results.set_index(["target", "entrant"])
    assert results.loc[("core", "a"), "n"] == 8 and results.loc[("whole", "a"), "n"] == 9
    assert results.loc[("mean over targets", "b"), "mean"] == pytest.approx((8 * 0.7 + 0.8) / 9)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("case,method,score", "case,methods,score", "unknown column methods; did you mean method?"),
        ("case,method,score", "patient,method,score", "unknown column patient; it takes case, method, target, score"),
        (GOOD, "case,method\nP,a\n", "no column score"),
        (GOOD, "case,method,score,score\nP,a,0.9,0.8\n", "two columns score"),
        (GOOD, "case,method,score\n", "no rows"),
        (GOOD, "", "no rows"),
        ("P3,b,0.59", "P3,a,0.59", "line 9: a on P3 has a score already"),
        ("P3,b,0.59\n", "", "b has no score on P3 (1 of 9 missing)"),
        ("P3,b,0.59", "P3,b,", "the score of b on P3 is empty, but not that of every method"),
        ("P3,b,0.59", "P3,b,good", "line 9: good is no score"),
        ("P3,b,0.59", "P3,b,nan", "line 9: nan is no Dice"),
        ("P3,b,0.59", "P3,b,59", "line 9: 59 is no Dice, which lies between 0 and 1; if it is in percent"),
        ("P3,b,0.59", "P3,b,-0.1", "line 9: -0.1 is no Dice"),
        ("P3,b,0.59", "P3,,0.59", "line 9: no method"),
        ("P3,b,0.59", "P3,flair-threshold,0.59", "ends as the baselines of this program do"),
        ("P3,b,0.59", "P3,b,0.59,1", "rows are not as long as the header"),
        (GOOD, "case,method,score\nP,a,\n", "every score is empty"),
        ("P3,b,0.59", "P3,=cmd|calc,0.59", "line 9: method =cmd|calc begins with =: our tables would hold a formula"),
        ("P3,b,0.59", "+P3,b,0.59", "line 9: case +P3 begins with +"),
        ("P3,b,0.59", "P3,-b,0.59", "line 9: method -b begins with -"),
        ("P3,b,0.59", "P3, @b,0.59", "line 9: method @b begins with @"),
        ("P3,b,0.59", "P3,\tb,0.59", "begins with a tab"),
        (GOOD, "case,method,target,score\nP,a,=1,0.5\n", "line 2: target =1 begins with ="),
        (GOOD, GOOD.replace(",", ";"), "its columns are separated by semicolons; save it with commas"),
        (GOOD, GOOD.replace(",", ";").replace("0.", "0,"), "its columns are separated by semicolons"),
        (GOOD, GOOD.replace(",", "\t"), "its columns are separated by tabs"),
        ("P3,b,0.59", "P3,b,0,59", "(a decimal comma parts a score in two: write 0.59, not 0,59)"),
        ("P3,b,0.59", 'P3,b,"0,59"', "line 9: 0,59 has a decimal comma; write 0.59"),
    ],
)
def test_a_fault_of_the_file_is_one_line_and_nothing_is_written(desk: Path, old: str, new: str, message: str) -> None:
    assert old in GOOD
    (desk / "scores.csv").write_text(GOOD.replace(old, new))
    with pytest.raises(headtohead.UserError) as refusal:
        headtohead.score(scores="scores.csv", comparison="csv")
    assert str(refusal.value).startswith("`scores` scores.csv: ") and message in str(refusal.value)
    assert not (desk / "runs" / "csv").exists()


def test_what_is_there_is_kept(desk: Path) -> None:
    with pytest.raises(headtohead.UserError, match="no such file"):
        headtohead.score(scores="nowhere.csv")
    headtohead.score(scores="scores.csv", comparison="csv")
    (desk / "other.csv").write_text(GOOD.replace("P3,b,0.59", "P3,b,0.58"))
    with pytest.raises(headtohead.UserError, match=r"runs/csv holds other scores; .* add `overwrite`"):
        headtohead.score(scores="other.csv", comparison="csv")
    again = headtohead.score(scores="other.csv", comparison="csv", overwrite=True)
    assert 0.58 in set(again.cases["dice"])
    (desk / "runs" / "mine").mkdir()
    (desk / "runs" / "mine" / "notes.txt").write_text("mine")
    with pytest.raises(headtohead.UserError, match=r"holds something else than scores of a file, such as notes.txt"):
        headtohead.score(scores="scores.csv", comparison="mine", overwrite=True)


def test_one_target_is_counted_once_and_keeps_its_name(desk: Path) -> None:
    plain = headtohead.score(scores="scores.csv", comparison="plain")
    table = pd.read_csv("scores.csv").assign(target="core")
    table.to_csv("scores.csv", index=False)
    found = headtohead.score(scores="scores.csv", comparison="csv")
    assert found.verdict == plain.verdict and set(found.pairs["family"]) == {"primary"}
    for name in plain.tables:
        pd.testing.assert_frame_equal(found.tables[name], plain.tables[name])
    assert "The one target is core." in (desk / "runs" / "csv" / "results.md").read_text()
    assert "The one target is core." in (desk / "runs" / "csv" / "report.html").read_text()


@pytest.fixture
def compared(desk: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the folder of a comparison of scores, without pictures, which take longest."""
    monkeypatch.setattr(scores_alone, "write_pictures", lambda *_: None)
    (desk / "scores.csv").write_text(GOOD.replace("method", "method,target").replace(",0.", ",core,0."))
    return headtohead.score(scores="scores.csv", comparison="csv", margin=0.05).folder


def test_a_report_is_written_again_from_the_copy_of_the_scores(desk: Path, compared: Path) -> None:
    (desk / "scores.csv").unlink()
    before = {path.name: path.read_bytes() for path in compared.iterdir() if path.is_file()}
    (compared / "report.html").unlink()
    headtohead.report(comparison="csv")
    assert {path.name: path.read_bytes() for path in compared.iterdir() if path.is_file()} == before
    assert headtohead.report(comparison="csv", margin=0.3).pairs["margin"].tolist() == [0.3]
    assert "--margin 0.05 was declared when the scores were compared" in (compared / "report.html").read_text()


def test_a_report_is_not_made_of_other_scores(compared: Path) -> None:
    with pytest.raises(headtohead.UserError, match=r"^`root_dir`: has no effect on .*, which was made of scores alone"):
        headtohead.report(comparison="csv", root_dir="data")
    page = (compared / "report.html").read_bytes()
    for name, text, message in (
        ("scores.csv", GOOD, "scores.csv: was changed after it was scored"),
        ("scores.csv", "", r"made of scores alone \(scores.csv\), of which no copy is here"),
        ("scores.json", "[]", r"scores.json: damaged \(not a JSON object\)"),
        ("scores.json", '{"file": "a"}', r"scores.json: damaged \(key\)"),
    ):
        (compared / name).write_text(text)
        if not text:
            (compared / name).unlink()
        with pytest.raises(headtohead.UserError, match=f"{message}; run `score` with `scores` and the file again"):
            headtohead.report(comparison="csv")
    assert (compared / "report.html").read_bytes() == page


def test_what_masks_take_has_no_effect_on_scores(desk: Path) -> None:
    for more in ({"truth": "a"}, {"masks": "a=b"}, {"case_gifs": "all"}, {"data": "nifti"}):
        with pytest.raises(headtohead.UserError, match=f"^`{next(iter(more))}`: has no effect with `scores`"):
            headtohead.score(scores="scores.csv", **more)


def test_methods_keep_their_order_and_names(desk: Path) -> None:
    table = read_scores_file(desk / "scores.csv")
    assert list(dict.fromkeys(table["model"])) == ["a", "b"] and "target" not in table
