"""The table as people and programs read it."""

import dataclasses
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from headtohead.readers.lgg import TASK as LGG_TASK
from headtohead.reporting.summary import summarise
from headtohead.reporting.table import print_results, render_latex, result_rows
from headtohead.runs.reading import read_ledger
from headtohead.task import Target, Targets
from headtohead.task.targets import CLASSES
from tests.reporting.markdown import cells, markdown


def test_rows_are_schedules_and_columns_models(comparison: Path, write_run: Any) -> None:
    write_run("unet", "cosine", counts=[(8, 2, 2)] * 4)
    write_run("unet", "none", counts=[(9, 1, 1)] * 4)
    write_run("resnext", "none", counts=[(7, 3, 3)] * 4)
    text = markdown(comparison)
    assert text.startswith("# lgg: mean Dice per case\n")
    table = cells(text)
    assert table["schedule"] == ["resnext", "unet"]
    assert table["no schedule"] == ["0.700 [0.700, 0.700]", "0.900 [0.900, 0.900]"]
    assert table["cosine"] == ["–", "0.800 [0.800, 0.800]"]
    assert "n = 4 test cases" in text
    assert "threshold 0.5" in text


def test_classes_are_decided_without_a_threshold(comparison: Path, write_run: Any) -> None:
    classes = Targets((Target("whole", (1,)), Target("core", (2,))), CLASSES)
    data = {"key": "d1", "task": dataclasses.replace(LGG_TASK, targets=classes).to_dict()}
    write_run(cases=["a", "a", "b", "b"], extra={"target": ["whole", "core"] * 2}, data=data)
    text = markdown(comparison)
    assert "on the source grid, the most probable target of each voxel)" in text
    assert "threshold 0.5" not in text


def test_mean_is_over_cases_not_pooled_and_not_over_n_minus_1(comparison: Path, write_run: Any) -> None:
    write_run(counts=[(1000, 0, 0), (0, 1, 1), (1, 1, 1), (1, 1, 1)])
    # (1 + 0 + .5 + .5) / 4; pooled it would be 1.00, divided by N - 1 it would be .67.
    assert cells(markdown(comparison))["no schedule"][0].startswith("0.50 [")


def test_seeds_are_averaged_within_a_case_first(comparison: Path, write_run: Any) -> None:
    # Each case has 0.9 under one seed and 0.5 under the other, so all cases agree at 0.7 and n stays 4.
    write_run(seed=0, counts=[(9, 1, 1), (5, 5, 5)] * 2)
    write_run(seed=1, counts=[(5, 5, 5), (9, 1, 1)] * 2)
    text = markdown(comparison)
    assert cells(text)["no schedule"] == ["0.700 [0.700, 0.700]"]
    assert "n = 4 test cases. Seeds 0, 1 are averaged within a case first." in text


def test_baseline_has_a_row_and_is_no_model(comparison: Path, write_run: Any) -> None:
    write_run("unet", "none", counts=[(9, 1, 1)] * 4)
    write_run("flair-threshold", "-", None, counts=[(4, 6, 6)] * 4, name="flair-threshold")
    table = cells(markdown(comparison))
    assert table["schedule"] == ["unet", "no model"]
    assert table["threshold on FLAIR"] == ["–", "0.400 [0.400, 0.400]"]
    assert table["no schedule"] == ["0.900 [0.900, 0.900]", "–"]


def test_second_table_tells_of_each_experiment(comparison: Path, write_run: Any) -> None:
    write_run(counts=[(9, 1, 1), (8, 2, 2), (0, 5, 5)], epochs=30, best_epoch=27, seconds=612.4, parameters=1_942_865)
    row = cells(markdown(comparison))["unet-none-s0-f0"]
    assert row == ["1.9 M", "0.567", "0.800", "1", "30", "27", "612"]


@pytest.mark.parametrize("false", [0, 5])
def test_cases_without_a_lesion_are_scored_apart(comparison: Path, write_run: Any, false: int) -> None:
    """Whatever is predicted on them: three votes in the mean, and a table of their own."""
    write_run(counts=[(9, 1, 1)] * 3 + [(0, false, 0)])
    text = markdown(comparison)
    assert cells(text)["no schedule"] == ["0.900 [0.900, 0.900]"]
    assert cells(text)["unet-none-s0-f0"][1] == "0.900"
    assert "n = 3 test cases" in text
    assert "1 further test case has no lesion and so no Dice" in text
    apart = text[text.index("## Cases without a lesion") : text.index("## Each training")]
    row = cells(apart)["unet, no schedule"]
    assert row[:2] == ["1", "0" if false else "1"] and row[-1] == f"{false} to {false}"


def test_two_cases_have_a_mean_and_no_interval(comparison: Path, write_run: Any) -> None:
    write_run(counts=[(9, 1, 1), (7, 3, 3)])
    assert cells(markdown(comparison))["no schedule"] == ["0.800"]


def test_failed_and_unfinished_experiments_are_named(comparison: Path, write_run: Any) -> None:
    write_run("unet", "none")
    write_run("unet", "cosine", status="failed", error="RuntimeError: out of\nmemory | all of it")
    write_run("resnext", "none", status="running")
    text = markdown(comparison)
    table = cells(text)
    assert table["no schedule"][0] == "unfinished"
    assert table["cosine"] == ["–", "failed"]
    assert "unet-cosine-s0-f0 failed: RuntimeError: out of memory | all of it\n" in text
    assert "Not finished: resnext-none-s0-f0" in text


def test_one_failed_seed_does_not_hide_the_others(comparison: Path, write_run: Any) -> None:
    write_run(seed=0, counts=[(9, 1, 1)] * 4)
    write_run(seed=1, status="failed", error="x")
    assert cells(markdown(comparison))["no schedule"] == ["0.900 [0.900, 0.900]"]


def test_nothing_finished(comparison: Path, write_run: Any) -> None:
    write_run(status="failed", error="ValueError: x")
    text = markdown(comparison)
    assert "No experiment is finished yet." in text
    assert "unet-none-s0-f0 failed: ValueError: x" in text
    assert result_rows(read_ledger(comparison).comparable).empty


def test_results_csv_has_a_line_for_each_entrant_and_score(comparison: Path, write_run: Any) -> None:
    write_run("unet", "none", 0, counts=[(9, 1, 1), (0, 0, 0), (5, 5, 5), (8, 2, 2)], extra={"hd95_px": [3, 5, 7, 9]})
    write_run("unet", "none", 1, counts=[(9, 1, 1), (0, 0, 0), (9, 1, 1), (8, 2, 2)], extra={"hd95_px": [3, 5, 7, 1]})
    counts = [(9, 1, 1), (0, 3, 0), (5, 5, 5), (8, 2, 2)]
    write_run("flair-threshold", "-", None, counts, name="flair-threshold", extra={"hd95_px": [1, 1, 1, 1]})
    rows = result_rows(read_ledger(comparison).comparable).set_index(["entrant", "score"])
    scores = ["dice", "iou", "precision", "recall", "hd95_px"]
    assert rows.index.tolist() == [(entrant, score) for score in scores for entrant in ("unet none", "flair-threshold")]
    own = rows.loc[("unet none", "dice")]
    assert (own["n"], own["minimum"]) == (3, pytest.approx(0.7)) and own["maximum"] == pytest.approx(0.9)
    assert own["mean"] == pytest.approx((0.9 + 0.7 + 0.8) / 3)  # the seeds of the third case give .5 and .9
    assert own["median"] == pytest.approx(0.8)
    assert own["mean_low"] < own["mean"] < own["mean_high"]
    assert rows.loc[("unet none", "hd95_px"), "mean"] == (3 + 7 + 5) / 3, "without the case that has no lesion"


def test_latex_says_the_same_and_escapes(comparison: Path, write_run: Any) -> None:
    write_run("unet", "none", counts=[(9, 1, 1)] * 4)
    write_run("unet", "restarting_warmup", counts=[(8, 2, 2)] * 4)
    write_run("flair-threshold", "-", None, counts=[(4, 6, 6)] * 4, name="flair-threshold")
    summary = summarise(read_ledger(comparison))
    text = render_latex(summary)
    rows = [line.removesuffix(r" \\").split(" & ") for line in text.splitlines() if line.endswith(r"\\")]
    assert rows == [
        ["schedule", "unet", "no model"],
        ["no schedule", "0.900 [0.900, 0.900]", "--"],
        ["no schedule, median", "0.900", "--"],
        ["no schedule, lowest to highest", "0.900 to 0.900", "--"],
        [r"restarting\_warmup", "0.800 [0.800, 0.800]", "--"],
        [r"restarting\_warmup, median", "0.800", "--"],
        [r"restarting\_warmup, lowest to highest", "0.800 to 0.800", "--"],
        ["threshold on FLAIR", "--", "0.400 [0.400, 0.400]"],
    ]
    assert r"\begin{tabular}{lrr}" in text and text.rstrip().endswith(r"\end{tabular}")
    assert all(line.startswith("% ") for line in text[: text.index(r"\begin")].splitlines()), "footnotes are comments"
    assert "% Mean Dice per case" in text
    odd = render_latex(replace(summary, means=[["entrant", "a\\b{~^<c>|"]]))  # methods of a file of scores
    assert r"a\textbackslash{}b\{\textasciitilde{}\textasciicircum{}\textless{}c\textgreater{}\textbar{} \\" in odd


def test_cases_without_any_score_have_no_mean(comparison: Path, write_run: Any) -> None:
    write_run(counts=[(0, 0, 0)] * 4)
    assert cells(markdown(comparison))["no schedule"] == ["undefined"]
    own = result_rows(read_ledger(comparison).comparable).set_index("score").loc["dice"]
    assert own["n"] == 0 and np.isnan(own["mean"])


def test_a_log_gets_the_text_of_the_file(comparison: Path, write_run: Any, capsys: pytest.CaptureFixture[str]) -> None:
    write_run()
    print_results(summarise(read_ledger(comparison)))
    assert capsys.readouterr().out == markdown(comparison)


def test_a_terminal_gets_a_drawn_table(
    comparison: Path, write_run: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "120")
    write_run(counts=[(9, 1, 1)] * 4)
    write_run("unet", "cosine", status="failed", error="ValueError: [bold]not markup[/bold]")
    print_results(summarise(read_ledger(comparison)))
    printed = capsys.readouterr().out
    assert "│" in printed
    assert "0.900 [0.900, 0.900]" in printed
    assert "[bold]not markup[/bold]" in printed
