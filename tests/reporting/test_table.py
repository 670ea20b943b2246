"""The table as people and programs read it."""

import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from headtohead.errors import UserError
from headtohead.reporting.table import print_table, write_table


def cells(text: str) -> dict[str, list[str]]:
    """Rows of both tables of a results.md by their first cell."""
    lines = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in text.splitlines() if "|" in line]
    return {line[0]: line[1:] for line in lines}


def test_rows_are_schedules_and_columns_models(comparison: Path, write_run: Any) -> None:
    write_run("unet", "cosine", counts=[(8, 2, 2)] * 4)
    write_run("unet", "none", counts=[(9, 1, 1)] * 4)
    write_run("resnext", "none", counts=[(7, 3, 3)] * 4)
    path = write_table(comparison)
    assert path == comparison / "results.md"
    text = path.read_text()
    assert text.startswith("# lgg: mean Dice per case\n")
    table = cells(text)
    assert table["schedule"] == ["resnext", "unet"]
    assert table["none"] == ["0.70 [0.70, 0.70]", "0.90 [0.90, 0.90]"]
    assert table["cosine"] == ["–", "0.80 [0.80, 0.80]"]
    assert "n = 4 test cases" in text
    assert "threshold 0.5" in text


def test_mean_is_over_cases_not_pooled_and_not_over_n_minus_1(comparison: Path, write_run: Any) -> None:
    write_run(counts=[(1000, 0, 0), (0, 1, 1), (1, 1, 1), (1, 1, 1)])
    # (1 + 0 + .5 + .5) / 4; pooled it would be 1.00, divided by N - 1 it would be .67.
    assert cells(write_table(comparison).read_text())["none"][0].startswith("0.50 [")


def test_seeds_are_averaged_within_a_case_first(comparison: Path, write_run: Any) -> None:
    # Each case has 0.9 under one seed and 0.5 under the other, so all cases agree at 0.7 and n stays 4.
    write_run(seed=0, counts=[(9, 1, 1), (5, 5, 5)] * 2)
    write_run(seed=1, counts=[(5, 5, 5), (9, 1, 1)] * 2)
    text = write_table(comparison).read_text()
    assert cells(text)["none"] == ["0.70 [0.70, 0.70]"]
    assert "n = 4 test cases. Seeds 0, 1 are averaged within a case first." in text


def test_says_when_cells_rest_on_other_seeds(comparison: Path, write_run: Any) -> None:
    write_run("unet", "none", 0)
    write_run("unet", "none", 1)
    write_run("unet", "cosine", 0)
    assert "(unet cosine: 0; unet none: 0, 1)" in write_table(comparison).read_text()


def test_baseline_has_a_row_and_is_no_model(comparison: Path, write_run: Any) -> None:
    write_run("unet", "none", counts=[(9, 1, 1)] * 4)
    write_run("flair-threshold", "-", None, counts=[(4, 6, 6)] * 4, name="flair-threshold")
    table = cells(write_table(comparison).read_text())
    assert table["schedule"] == ["unet", "no model"]
    assert table["threshold on FLAIR"] == ["–", "0.40 [0.40, 0.40]"]
    assert table["none"] == ["0.90 [0.90, 0.90]", "–"]


def test_second_table_tells_of_each_experiment(comparison: Path, write_run: Any) -> None:
    write_run(counts=[(9, 1, 1), (8, 2, 2), (0, 5, 5)], epochs=30, best_epoch=27, seconds=612.4, parameters=1_942_865)
    row = cells(write_table(comparison).read_text())["unet-none-s0-f0"]
    assert row == ["1.9 M", "0.57", "0.80", "1", "30", "27", "612"]


def test_undefined_cases_are_counted_and_left_out(comparison: Path, write_run: Any) -> None:
    write_run(counts=[(9, 1, 1)] * 3 + [(0, 0, 0)])
    text = write_table(comparison).read_text()
    assert cells(text)["none"] == ["0.90 [0.90, 0.90]"]
    assert "left out, not counted 1: 1 of unet-none-s0-f0" in text


@pytest.mark.parametrize(
    "split", [{"kind": "slice", "leaking_patients": 9}, {"kind": "patient", "leaking_patients": 9}]
)
def test_a_leak_is_said_aloud(comparison: Path, write_run: Any, split: dict[str, Any]) -> None:
    write_run(split={"seed": 0, "key": "s1", **split})
    text = write_table(comparison).read_text()
    assert "LEAK" in text
    assert "9 patients" in text


def test_no_leak_is_said_as_well(comparison: Path, write_run: Any) -> None:
    write_run()
    text = write_table(comparison).read_text()
    assert "LEAK" not in text
    assert "no patient stands on two sides" in text


@pytest.mark.parametrize(("cases", "warned"), [(11, True), (30, False)])
def test_few_cases_are_warned_about(comparison: Path, write_run: Any, cases: int, warned: bool) -> None:
    write_run(counts=[(9, 1, 1)] * (cases - 1) + [(1, 5, 5)])
    text = write_table(comparison).read_text()
    assert bool(re.search(rf"{cases} test cases are few: .* ±0\.\d\d", text)) == warned


def test_two_cases_have_a_mean_and_no_interval(comparison: Path, write_run: Any) -> None:
    write_run(counts=[(9, 1, 1), (7, 3, 3)])
    assert cells(write_table(comparison).read_text())["none"] == ["0.80"]


def test_failed_and_unfinished_experiments_are_named(comparison: Path, write_run: Any) -> None:
    write_run("unet", "none")
    write_run("unet", "cosine", status="failed", error="RuntimeError: out of\nmemory | all of it")
    write_run("resnext", "none", status="running")
    text = write_table(comparison).read_text()
    table = cells(text)
    assert table["none"][0] == "unfinished"
    assert table["cosine"] == ["–", "failed"]
    assert "unet-cosine-s0-f0 failed: RuntimeError: out of memory | all of it\n" in text
    assert "Not finished: resnext-none-s0-f0" in text


def test_one_failed_seed_does_not_hide_the_others(comparison: Path, write_run: Any) -> None:
    write_run(seed=0, counts=[(9, 1, 1)] * 4)
    write_run(seed=1, status="failed", error="x")
    assert cells(write_table(comparison).read_text())["none"] == ["0.90 [0.90, 0.90]"]


def test_nothing_finished(comparison: Path, write_run: Any) -> None:
    write_run(status="failed", error="ValueError: x")
    text = write_table(comparison).read_text()
    assert "No experiment is finished yet." in text
    assert "unet-none-s0-f0 failed: ValueError: x" in text
    assert pd.read_csv(comparison / "results.csv").empty


def test_results_csv_holds_every_case_of_every_run(comparison: Path, write_run: Any) -> None:
    write_run("unet", "none", 0)
    write_run("unet", "none", 1)
    write_run("flair-threshold", "-", None, name="flair-threshold")
    write_table(comparison)
    rows = pd.read_csv(comparison / "results.csv")
    assert len(rows) == 3 * 4
    assert rows.groupby(["model", "seed"], dropna=False)["case"].nunique().tolist() == [4, 4, 4]


def test_writing_twice_gives_the_same_files(comparison: Path, write_run: Any) -> None:
    write_run(counts=[(9, 1, 1), (8, 2, 2), (3, 5, 5), (6, 2, 2), (7, 1, 1)])
    first = write_table(comparison).read_bytes()
    assert write_table(comparison).read_bytes() == first


def test_a_log_gets_the_text_of_the_file(comparison: Path, write_run: Any, capsys: pytest.CaptureFixture[str]) -> None:
    write_run()
    text = write_table(comparison).read_text()
    print_table(comparison)
    assert capsys.readouterr().out == text


def test_a_terminal_gets_a_drawn_table(
    comparison: Path, write_run: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "120")
    write_run(counts=[(9, 1, 1)] * 4)
    write_run("unet", "cosine", status="failed", error="ValueError: [bold]not markup[/bold]")
    print_table(comparison)
    printed = capsys.readouterr().out
    assert "│" in printed
    assert "0.90 [0.90, 0.90]" in printed
    assert "[bold]not markup[/bold]" in printed


def test_no_comparison(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such comparison"):
        write_table(tmp_path / "nowhere")
