"""The table as people and programs read it."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from headtohead.reporting.notes.warnings import warnings_of
from headtohead.reporting.summary import summarise
from headtohead.reporting.table import print_table, render_latex, render_markdown, result_rows
from headtohead.runs.ledger import read_ledger


def cells(text: str) -> dict[str, list[str]]:
    """Rows of both tables of a results.md by their first cell."""
    lines = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in text.splitlines() if "|" in line]
    return {line[0]: line[1:] for line in lines}


def markdown(comparison: Path) -> str:
    """The text of results.md."""
    return render_markdown(summarise(read_ledger(comparison)))


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


def test_says_when_cells_rest_on_other_seeds(comparison: Path, write_run: Any) -> None:
    write_run("unet", "none", 0)
    write_run("unet", "none", 1)
    write_run("unet", "cosine", 0)
    assert "(unet cosine: 0; unet, no schedule: 0, 1)" in markdown(comparison)


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


@pytest.mark.parametrize(
    "split", [{"kind": "slice", "leaking_patients": 9}, {"kind": "patient", "leaking_patients": 9}]
)
def test_a_leak_is_said_aloud(comparison: Path, write_run: Any, split: dict[str, Any]) -> None:
    write_run(split={"seed": 0, "key": "s1", **split})
    text = markdown(comparison)
    assert "LEAK" in text
    assert "9 patients" in text


def test_no_leak_is_said_as_well(comparison: Path, write_run: Any) -> None:
    write_run()
    text = markdown(comparison)
    assert "LEAK" not in text
    assert "no patient is in both training and test" in text


@pytest.mark.parametrize(("cases", "warned"), [(11, True), (30, False)])
def test_few_cases_are_warned_about(comparison: Path, write_run: Any, cases: int, warned: bool) -> None:
    write_run(counts=[(9, 1, 1)] * (cases - 1) + [(1, 5, 5)])
    text = markdown(comparison)
    assert bool(re.search(rf"Only {cases} test cases: .* ±0\.\d\d", text)) == warned


@pytest.mark.parametrize(
    ("made_up", "cases"), [(True, ["a", "b"]), (None, ["TCGA_CS_9001_19000101", "TCGA_DU_9002_19000102"])]
)
def test_made_up_patients_are_the_first_warning(
    comparison: Path, write_run: Any, made_up: bool | None, cases: list[str]
) -> None:
    data = {"key": "d"} | ({} if made_up is None else {"made_up": made_up})
    write_run(counts=[(9, 1, 1)] * 2, cases=cases, data=data)
    assert warnings_of(read_ledger(comparison))[0].startswith("MADE-UP PATIENTS: ")


def test_real_patients_are_not_called_made_up(comparison: Path, write_run: Any) -> None:
    write_run(counts=[(9, 1, 1)] * 2, cases=["TCGA_CS_4941_19960909", "TCGA_CS_4942_19970222"])
    assert "MADE-UP" not in markdown(comparison)


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
    assert result_rows(read_ledger(comparison)).empty


def test_results_csv_has_a_line_for_each_entrant_and_score(comparison: Path, write_run: Any) -> None:
    write_run("unet", "none", 0, counts=[(9, 1, 1), (0, 0, 0), (5, 5, 5), (8, 2, 2)], extra={"hd95_px": [3, 5, 7, 9]})
    write_run("unet", "none", 1, counts=[(9, 1, 1), (0, 0, 0), (9, 1, 1), (8, 2, 2)], extra={"hd95_px": [3, 5, 7, 1]})
    counts = [(9, 1, 1), (0, 3, 0), (5, 5, 5), (8, 2, 2)]
    write_run("flair-threshold", "-", None, counts, name="flair-threshold", extra={"hd95_px": [1, 1, 1, 1]})
    rows = result_rows(read_ledger(comparison)).set_index(["entrant", "score"])
    scores = ["dice", "iou", "precision", "recall", "hd95_px"]
    assert rows.index.tolist() == [(entrant, score) for score in scores for entrant in ("unet none", "flair-threshold")]
    own = rows.loc[("unet none", "dice")]
    assert (own["n"], own["minimum"]) == (3, pytest.approx(0.7)) and own["maximum"] == pytest.approx(0.9)
    assert own["mean"] == pytest.approx((0.9 + 0.7 + 0.8) / 3)  # the seeds of the third case give .5 and .9
    assert own["median"] == pytest.approx(0.8)
    assert own["mean_low"] < own["mean"] < own["mean_high"]
    assert rows.loc[("unet none", "hd95_px"), "mean"] == (3 + 7 + 5) / 3, "without the case that has no lesion"


def test_an_entrant_that_lacks_a_fold_is_left_out_and_named(comparison: Path, write_run: Any) -> None:
    """Its mean would be over other cases than the others'."""
    split = {"kind": "patient", "seed": 0, "leaking_patients": 0, "plan": "p", "folds": 2}
    for fold, cases in enumerate((["a", "b"], ["c", "d"])):
        write_run("unet", "none", counts=[(9, 1, 1)] * 2, fold=fold, cases=cases, split={**split, "key": f"s{fold}"})
    write_run("unet", "cosine", counts=[(1, 1, 1)] * 2, cases=["a", "b"], split={**split, "key": "s0"})
    write_run(
        "flair-threshold", "-", None, fold=1, counts=[(1, 1, 1)] * 2, cases=["c", "d"], split={**split, "key": "s1"}
    )
    text = markdown(comparison)
    table = cells(text)
    assert table["schedule"] == ["unet"], "the baseline is no model, not even an unfinished one"
    assert table["no schedule"] == ["0.900 [0.900, 0.900]"]
    assert table["cosine"] == ["1 of 2 folds"]
    assert "unet cosine is left out: 1 of 2 folds are finished" in text
    assert "n = 4 test cases" in text
    assert "2-fold cross-validation by patient (seed 0): no patient is in both training and test." in text
    assert set(result_rows(read_ledger(comparison))["entrant"]) == {"unet none"}


def test_latex_says_the_same_and_escapes(comparison: Path, write_run: Any) -> None:
    write_run("unet", "none", counts=[(9, 1, 1)] * 4)
    write_run("unet", "restarting_warmup", counts=[(8, 2, 2)] * 4)
    write_run("flair-threshold", "-", None, counts=[(4, 6, 6)] * 4, name="flair-threshold")
    text = render_latex(summarise(read_ledger(comparison)))
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


def test_cases_without_any_score_have_no_mean(comparison: Path, write_run: Any) -> None:
    write_run(counts=[(0, 0, 0)] * 4)
    assert cells(markdown(comparison))["no schedule"] == ["undefined"]
    own = result_rows(read_ledger(comparison)).set_index("score").loc["dice"]
    assert own["n"] == 0 and np.isnan(own["mean"])


def test_a_log_gets_the_text_of_the_file(comparison: Path, write_run: Any, capsys: pytest.CaptureFixture[str]) -> None:
    write_run()
    print_table(summarise(read_ledger(comparison)))
    assert capsys.readouterr().out == markdown(comparison)


def test_a_terminal_gets_a_drawn_table(
    comparison: Path, write_run: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "120")
    write_run(counts=[(9, 1, 1)] * 4)
    write_run("unet", "cosine", status="failed", error="ValueError: [bold]not markup[/bold]")
    print_table(summarise(read_ledger(comparison)))
    printed = capsys.readouterr().out
    assert "│" in printed
    assert "0.900 [0.900, 0.900]" in printed
    assert "[bold]not markup[/bold]" in printed


def test_a_seed_that_lacks_a_fold_is_left_out_and_the_others_count(comparison: Path, write_run: Any) -> None:
    split = {"kind": "patient", "seed": 0, "leaking_patients": 0, "plan": "p", "folds": 2}
    for fold, cases in enumerate((["a", "b"], ["c", "d"])):
        own = {**split, "key": f"s{fold}"}
        write_run("unet", "none", 0, counts=[(9, 1, 1)] * 2, fold=fold, cases=cases, split=own)
        if fold:
            write_run("unet", "none", 1, status="failed", error="RuntimeError: no\nmemory", fold=fold, split=own)
        else:
            write_run("unet", "none", 1, counts=[(1, 9, 9)] * 2, fold=fold, cases=cases, split=own)
    text = markdown(comparison)
    table = cells(text)
    assert table["no schedule"] == ["0.900 [0.900, 0.900]"]
    assert (
        "unet, no schedule counts only seed 0: seed 1 is left out because 1 of its 2 folds are finished. "
        "unet-none-s1-f1 failed (RuntimeError: no memory)." in text
    )
    assert "unet-none-s1-f0 (left out)" in table and "unet-none-s0-f0" in table
    assert "Seeds" not in text, "only one seed is in the mean"
    rows = result_rows(read_ledger(comparison)).set_index("score")
    assert (rows.loc["dice", "mean"], rows.loc["dice", "n"]) == (pytest.approx(0.9), 4)


def test_seeds_that_lack_different_folds_are_counted_one_by_one(comparison: Path, write_run: Any) -> None:
    """Between them they cover every case, so it may not be said that they do not."""
    split = {"kind": "patient", "seed": 0, "leaking_patients": 0, "plan": "p", "folds": 2}
    for seed, fold, cases in ((0, 1, ["c", "d"]), (1, 0, ["a", "b"])):
        own = {**split, "key": f"s{fold}"}
        write_run("unet", "none", seed, counts=[(9, 1, 1)] * 2, fold=fold, cases=cases, split=own)
    text = markdown(comparison)
    assert "unet, no schedule is left out: no seed has all its 2 folds (seed 0: 1, seed 1: 1)." in text
    assert "not scored on every case" not in text


def test_an_entrant_that_is_left_out_is_said_to_lack_what(comparison: Path, write_run: Any) -> None:
    split = {"kind": "patient", "seed": 0, "leaking_patients": 0, "plan": "p", "folds": 2}
    write_run("unet", "none", counts=[(9, 1, 1)] * 2, cases=["a", "b"], split={**split, "key": "s0"})
    write_run("unet", "none", fold=1, status="running", split={**split, "key": "s1"})
    assert "it was not scored on every case. unet-none-s0-f1 is not finished." in markdown(comparison)


def test_one_seed_is_said_to_support_no_sentence_about_the_models_before_the_table(
    comparison: Path, write_run: Any
) -> None:
    write_run("unet", "none", 0, counts=[(9, 1, 1), (8, 2, 2)] * 10)
    write_run("resnext", "none", 0, counts=[(5, 5, 5), (4, 6, 6)] * 10)
    text = markdown(comparison)
    assert text.splitlines()[2].startswith("ONE SEED: Every model was trained once, and a training is a draw")
    assert text.count("ONE SEED") == 1
    assert warnings_of(read_ledger(comparison))[0].startswith("ONE SEED")


def test_with_several_seeds_their_sd_stands_below_the_mean_and_the_interval_holds_it(
    comparison: Path, write_run: Any
) -> None:
    for seed, score in enumerate((4, 5, 9)):
        write_run("unet", "none", seed, counts=[(score, 10 - score, 10 - score)] * 5)
    text = markdown(comparison)
    assert "ONE SEED" not in text
    table = cells(text)
    assert table["no schedule, seed SD"] == ["0.2646 (3 seeds)"]
    assert table["no schedule"] == ["0.60 [0.00, 1.00]"]
    results = result_rows(read_ledger(comparison)).set_index("score")
    assert list(results.loc["dice", ["seeds", "seed_sd"]]) == [3, pytest.approx(0.26458, abs=1e-5)]
