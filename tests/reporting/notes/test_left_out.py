"""A fold that is missing: who is left out, and what is said of it."""

from pathlib import Path
from typing import Any

import pytest

from headtohead.reporting.table import result_rows
from headtohead.runs.reading import read_ledger
from tests.reporting.markdown import cells, markdown


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


def test_folds_of_nnunet_are_named(comparison: Path, write_run: Any) -> None:
    split = {
        "kind": "patient",
        "seed": 0,
        "leaking_patients": 0,
        "plan": "p",
        "folds": 2,
        "source": "splits_final.json",
    }
    for fold, cases in enumerate((["a", "b"], ["c", "d"])):
        write_run("unet", "none", counts=[(9, 1, 1)] * 2, fold=fold, cases=cases, split={**split, "key": f"s{fold}"})
    how = "2-fold cross-validation by patient (folds of splits_final.json, validation patients by seed 0): no patient"
    assert how in markdown(comparison)
    assert set(result_rows(read_ledger(comparison).comparable)["entrant"]) == {"unet none"}


def test_folds_that_are_sites_are_named(comparison: Path, write_run: Any) -> None:
    split = {"kind": "patient", "seed": 4, "leaking_patients": 0, "plan": "p", "folds": 2}
    for fold, (cases, site) in enumerate(((["a", "b"], "CS"), (["c", "d"], "DU"))):
        own = {**split, "key": f"s{fold}", "site": site}
        write_run("unet", "none", counts=[(9, 1, 1)] * 2, fold=fold, cases=cases, split=own)
    text = markdown(comparison)
    assert (
        "2-fold cross-validation by site (CS, DU; validation patients by seed 4): each site is tested by models "
        "trained at the others, and no patient is in both training and test."
    ) in text
    assert "cross-validation by patient" not in text


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
    rows = result_rows(read_ledger(comparison).comparable).set_index("score")
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
