"""--report: everything anew from the run folders, the same every time, and never from stale ones."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from headtohead.errors import UserError
from headtohead.options.comparison import MARGIN
from headtohead.parsing import parse
from headtohead.reporting import rewriting
from headtohead.reporting.margin import declared_margin, margin_of
from headtohead.reporting.masks import Masks
from headtohead.reporting.report import report
from headtohead.reporting.rewriting import UNCHECKED, write_reports
from headtohead.runs.ledger import FOLD_FILE
from headtohead.runs.reading import read_ledger
from headtohead.scoring.protocol import PROTOCOL

SOURCE = Path(rewriting.__file__).parents[2]
TABLES = {f"{name}.csv" for name in ("cases", "results", "pairs", "ranks", "conventions")}
TABLES |= {"subgroups.csv", "subgroup_pairs.csv", "slices.csv", "parts.csv"}
TEXTS = {"results.md", "results.tex", "verdict.txt", "report.html"}
FIGURES = {"curves.png", "dice.png", *(f"case-{word}.gif" for word in ("worst", "median", "best"))}
FIGURES |= {"failures.png"} | {
    f"plate-{model}-none.{suffix}" for model in ("unet", "resnext") for suffix in ("png", "gif")
}

REPORTING = """
import sys
from headtohead.cli import main
status = main(["--report", "--comparison", "made", "--cache_dir", "packed", "--case_gifs", "all"])
heavy = {"torch", "torchvision", "pytorch_lightning"}
print(status, sorted(heavy & {name.split(".")[0] for name in sys.modules}))
"""


def files_of(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file() and path.suffix != ".lock")
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def in_a_process(place: Path, hash_seed: str) -> str:
    """Report in a process of its own; give what it printed."""
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(SOURCE), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", REPORTING], cwd=place, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_twice_gives_the_same_bytes_without_torch_and_leaves_the_runs_alone(copied: Path) -> None:
    folder = copied / "runs" / "made"
    before = files_of(folder)
    said = in_a_process(copied, "1")
    first = files_of(folder)
    written = first.keys() - before.keys()
    cases = {f"figures/cases/{case}.gif" for case in pd.read_csv(folder / FOLD_FILE)["case"]}
    assert written == TABLES | TEXTS | {f"figures/{name}" for name in FIGURES} | cases
    assert {name: first[name] for name in before} == before
    assert said.splitlines()[-1] == "0 []", "nothing is predicted, so nothing needs PyTorch"
    assert said.splitlines()[-2] == f"results: {Path('runs/made')}"
    assert f"report: {Path('runs/made/report.html')}" in said
    for name in written:
        (folder / name).unlink()
    assert in_a_process(copied, "2") == said
    second = files_of(folder)
    assert [name for name in first if first[name] != second.get(name)] == []


def refusal(place: Path, report_options: Any) -> str:
    """Why a report is refused; nothing may have been written."""
    before = files_of(place / "runs")
    with pytest.raises(UserError) as caught:
        report(report_options(place))
    assert files_of(place / "runs") == before
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith("`report`: ")
    assert "`compare` `overwrite`" in str(caught.value)
    return str(caught.value)


def test_refuses_after_a_patient_was_moved(copied: Path, report_options: Any) -> None:
    path = copied / "runs" / "made" / FOLD_FILE
    table = pd.read_csv(path)
    table.loc[3, "fold"] = (table.loc[3, "fold"] + 1) % 3
    table.to_csv(path, index=False)
    assert "folds.csv is not the table of folds of" in refusal(copied, report_options)


def test_refuses_after_a_mask_was_edited(copied: Path, report_options: Any) -> None:
    masks = sorted((copied / "data").rglob("*_mask.tif"))
    other = next(mask for mask in masks if mask.read_bytes() != masks[0].read_bytes())
    shutil.copyfile(other, masks[0])
    assert "differs in data from what is asked for (" in refusal(copied, report_options)


def test_refuses_under_another_protocol(copied: Path, report_options: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PROTOCOL, "clip", 3.5)
    said = refusal(copied, report_options)
    assert "differs in protocol from what is asked for (clip " in said and "against 3.5)" in said


def test_a_stale_baseline_is_refused_as_well(
    copied: Path, report_options: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """--compare makes it anew, --report does not."""
    for path in (copied / "runs" / "made").glob("*-none-*"):
        shutil.rmtree(path)
    monkeypatch.setitem(PROTOCOL, "clip", 99)
    assert "differs in protocol" in refusal(copied, report_options)


def test_without_the_data_set_there_are_no_pictures_and_it_says_so(
    copied: Path, report_options: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.rmtree(copied / "data")
    folder = report(report_options(copied))
    said = capsys.readouterr().out
    assert f"the data set is no longer in {copied / 'data'}: no pictures of cases" in said
    assert UNCHECKED in (folder / "report.html").read_text(encoding="utf-8")
    assert {path.name for path in folder.iterdir() if path.is_file()} >= TABLES | TEXTS
    assert {path.name for path in (folder / "figures").iterdir()} == {"curves.png", "dice.png"}


def test_nothing_finished_is_refused(comparison: Path, write_run: Any, report_options: Any) -> None:
    write_run(status="trained")
    with pytest.raises(UserError, match="lgg: no experiment is finished; resume them with `compare`"):
        report(report_options(comparison.parents[1], comparison="lgg"))
    assert not (comparison / "results.md").exists()


def test_a_comparison_that_is_not_there(tmp_path: Path, report_options: Any) -> None:
    with pytest.raises(UserError, match="no such comparison"):
        report(report_options(tmp_path))
    with pytest.raises(UserError, match="holds no finished comparison; run `compare` first"):
        report(report_options(tmp_path, comparison=""))
    assert list(tmp_path.iterdir()) == []


def test_cases_csv_holds_every_case_of_every_run(comparison: Path, write_run: Any) -> None:
    write_run("unet", "none", 0)
    write_run("unet", "none", 1)
    write_run("flair-threshold", "-", None, name="flair-threshold")
    write_reports(comparison, None)
    rows = pd.read_csv(comparison / "cases.csv")
    assert rows.columns[:5].tolist() == ["model", "schedule", "seed", "fold", "case"]
    assert len(rows) == 3 * 4
    assert rows.groupby(["model", "seed"], dropna=False)["case"].nunique().tolist() == [4, 4, 4]
    assert rows.loc[rows["model"] == "flair-threshold", "seed"].isna().all()


@pytest.mark.parametrize("status", ["failed", "running"])
def test_a_comparison_of_which_nothing_is_finished_has_its_tables(
    comparison: Path, write_run: Any, status: str
) -> None:
    write_run(status=status, error="ValueError: x")
    write_reports(comparison, None)
    names = {path.name for path in comparison.iterdir() if path.is_file()}
    assert names == {"results.md", "results.tex"}


def test_the_baseline_alone_has_a_report(comparison: Path, write_run: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """As after a first comparison of which every training failed."""
    write_run("flair-threshold", "-", None, name="flair-threshold")
    write_run(status="failed", error="ValueError: x")
    write_reports(comparison, None)
    assert "No model was scored on every case." in capsys.readouterr().out
    assert {path.name for path in comparison.iterdir() if path.is_file()} == TABLES | TEXTS
    assert {path.name for path in (comparison / "figures").iterdir()} == {"dice.png"}


def test_what_an_earlier_report_left_is_removed(comparison: Path, write_run: Any) -> None:
    """A model that is left out now must not keep its plate, nor the comparison its pairs."""
    folder = write_run()
    write_reports(comparison, None)
    (comparison / "figures" / "plate-old-none.png").write_bytes(b"x")
    for name in ("failures.png", "failures-2.png"):
        (comparison / "figures" / name).write_bytes(b"x")
    (comparison / "mine.txt").write_text("kept")
    record = (folder / "run.json").read_text()
    (folder / "run.json").write_text(record.replace("finished", "failed"))
    write_reports(comparison, None, "none")
    left = {path.name for path in comparison.rglob("*") if path.is_file() and path.parent != folder}
    assert left == {"results.md", "results.tex", "mine.txt"}


def test_a_broken_run_is_named_and_left_out_of_the_report(
    comparison: Path, write_run: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, _ = write_run("unet"), write_run("buda")
    (folder / "slices.csv").write_text("")
    write_reports(comparison, None)
    assert f"{folder.name} left out: its slices.csv is broken" in capsys.readouterr().out


def test_masks_that_are_damaged_meanwhile_leave_the_earlier_report_as_it_was(
    copied: Path, report_options: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is found only while the pictures are drawn."""
    with monkeypatch.context() as earlier:
        earlier.setattr(rewriting, "write_pictures", lambda *_: None)
        folder = report(report_options(copied))
    path = folder / "unet-none-s0-f0" / "masks.npz"
    whole = path.read_bytes()

    class Spoilt(Masks):
        def __init__(self, *given: Any) -> None:
            path.write_bytes(whole)
            super().__init__(*given)
            path.write_bytes(b"damaged")

    monkeypatch.setattr(rewriting, "Masks", Spoilt)
    path.write_bytes(b"damaged")
    before = files_of(folder)
    for which in ("few", "none"):
        with pytest.raises(UserError, match=r"masks\.npz"):
            report(report_options(copied, case_gifs=which))
        assert files_of(folder) == before


def test_root_dir_names_data_that_was_moved(copied: Path, report_options: Any) -> None:
    (copied / "data").rename(copied / "elsewhere")
    folder = report(report_options(copied, root_dir=str(copied / "elsewhere")))
    assert (folder / "figures" / "case-worst.gif").is_file()
    with pytest.raises(UserError):
        report(report_options(copied, root_dir=str(copied / "nowhere")))


def test_refuses_after_the_validation_patients_changed(
    copied: Path, report_options: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The table of folds says who is tested; who is validated on follows from the code, and has to be the same."""
    monkeypatch.setattr("headtohead.batches.splits.TENTH", 0.4)
    assert "was validated on other patients" in refusal(copied, report_options)


def test_without_a_name_the_only_comparison_is_reported(
    copied: Path, report_options: Any, no_pictures: None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert report(report_options(copied, comparison="", case_gifs="none")) == copied / "runs" / "made"
    assert capsys.readouterr().out.startswith("made: 12 finished runs")


def test_the_margin_of_the_runs_holds_and_another_one_is_said_to_be_late(
    comparison: Path, write_run: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    for model, hit in (("unet", 80), ("resnext", 79)):
        folder = write_run(model, "none", counts=[(hit + place % 5, 10, 10) for place in range(30)])
        (folder / "config.yaml").write_text("margin: 0.05\n")
    write_reports(comparison, None)
    pairs = pd.read_csv(comparison / "pairs.csv").query("family == 'primary'")
    assert pairs["margin"].tolist() == [0.05] and "declared when" not in capsys.readouterr().out
    for given in (MARGIN, 0.001):
        write_reports(comparison, None, margin=given)
        assert pd.read_csv(comparison / "pairs.csv")["margin"].iloc[0] == given
    late = "The margin of equivalence is 0.001 here, but --margin 0.05 was declared when the models were trained"
    assert late in (comparison / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "content",
    ["margin: wide\n", "margin: [[\n", "margin: !!int abc\n", 'margin: "\\U00110000"\n', "- 1\n", "margin: null\n"],
)
def test_a_damaged_config_of_one_run_leaves_the_margin_to_the_others(
    comparison: Path, write_run: Any, content: str
) -> None:
    for model, text in (("unet", "margin: 0.05\n"), ("resnext", content)):
        (write_run(model) / "config.yaml").write_text(text)
    margin, warnings = declared_margin(None, read_ledger(comparison))
    assert margin == 0.05
    assert warnings == ["config.yaml of resnext-none-s0-f0 is damaged: the margin it was trained under is not known."]


def test_a_margin_that_is_written_out_is_no_default() -> None:
    assert margin_of(parse(["--report"])) is None
    assert margin_of(parse(["--report", "--margin", f"{MARGIN}"])) == MARGIN
    assert margin_of(parse(["--report", "--margin", "0.05"])) == 0.05
