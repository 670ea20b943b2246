"""One training, several, or not the same ones."""

from pathlib import Path
from typing import Any

import pytest

from headtohead.reporting.notes.warnings import warnings_of
from headtohead.reporting.table import result_rows
from headtohead.runs.reading import read_ledger
from tests.reporting.markdown import cells, markdown


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
    results = result_rows(read_ledger(comparison).comparable).set_index("score")
    assert list(results.loc["dice", ["seeds", "seed_sd"]]) == [3, pytest.approx(0.26458, abs=1e-5)]


def test_says_when_cells_rest_on_other_seeds(comparison: Path, write_run: Any) -> None:
    write_run("unet", "none", 0)
    write_run("unet", "none", 1)
    write_run("unet", "cosine", 0)
    assert "(unet cosine: 0; unet, no schedule: 0, 1)" in markdown(comparison)
